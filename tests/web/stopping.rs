//! The end of a server.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::web::{Application, HttpServerConfig, Request, RequestHandler};
use squall::{Future, Result};

use crate::client::{response, serve_with, Notes};

struct Waits {
    notes: Notes,
    gate: std::cell::RefCell<Option<Future<()>>>,
}

impl RequestHandler for Waits {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.notes.add("get");
        let gate = self.gate.borrow_mut().take();
        if let Some(gate) = gate {
            yield_!(gate)?;
        }
        req.write("done");
        Ok(())
    }
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn stop_answers_what_is_under_way_and_closes_the_rest_at_once() {
    let (notes, gate) = (Notes::default(), Future::new());
    let open = gate.promise();
    let app = Application::new().route("/", Waits { notes: notes.clone(), gate: Some(gate).into() });
    serve_with(&app, HttpServerConfig::default(), |server| async move {
        let address = server.local_addr()?;
        let busy = TcpStream::connect(address).await?;
        busy.write_all(REQUEST).await?;
        while notes.len() < 1 {
            squall::moment().await?;
        }
        let idle = TcpStream::connect(address).await?;
        idle.write_all(REQUEST).await?;
        assert_eq!(response(&idle).await?.text(), "done");
        let new = TcpStream::connect(address).await?;
        while server.connections() < 3 {
            squall::moment().await?;
        }
        let stopped = server.stop(Duration::from_secs(60));
        assert!(idle.read(1).await?.is_empty() && new.read(1).await?.is_empty());
        assert!(TcpStream::connect(address).await.is_err());
        assert!(!stopped.done());
        open.set_result(());
        let answer = response(&busy).await?;
        assert_eq!((answer.text(), answer.header("connection")), ("done", Some("close")));
        assert!(busy.read(1).await?.is_empty());
        stopped.await?;
        assert_eq!(server.connections(), 0);
        Ok(())
    });
}

#[test]
fn stop_cuts_what_is_left_after_the_grace() {
    let (notes, gate) = (Notes::default(), Future::new());
    let _never = gate.promise();
    let app = Application::new().route("/", Waits { notes: notes.clone(), gate: Some(gate).into() });
    serve_with(&app, HttpServerConfig::default(), |server| async move {
        let busy = TcpStream::connect(server.local_addr()?).await?;
        busy.write_all(REQUEST).await?;
        while notes.len() < 1 {
            squall::moment().await?;
        }
        server.stop(Duration::from_millis(10)).await?;
        assert!(busy.read(1).await.map_or(true, |bytes| bytes.is_empty()));
        server.stop(Duration::from_secs(60)).await?;
        Ok(())
    });
}

#[test]
fn server_without_connections_stops_at_once() {
    let app = Application::new();
    serve_with(&app, HttpServerConfig::default(), |server| async move {
        let address = server.local_addr()?;
        server.stop(Duration::from_secs(60)).await?;
        squall::moment().await?;
        assert!(TcpStream::connect(address).await.is_err());
        Ok(())
    });
}

#[cfg(unix)]
#[test]
fn server_listens_on_a_unix_socket() {
    use squall::net::UnixStream;

    let path = std::env::temp_dir().join(format!("squall-web-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let app = Application::new().route("/", Waits { notes: Notes::default(), gate: None.into() });
    let server = app.listen_unix(&path, HttpServerConfig::default()).unwrap();
    let ran = squall::IoLoop::current().run_sync(|| async move {
        assert!(server.local_addr().is_err());
        let stream = UnixStream::connect(&path).await?;
        stream.write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        let answer = stream.read_to_end(10_000).await?;
        assert!(answer.ends_with(b"\r\n\r\ndone"));
        drop(std::fs::remove_file(&path));
        Result::<()>::Ok(())
    });
    ran.unwrap();
}
