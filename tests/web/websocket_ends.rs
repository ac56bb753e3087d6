//! How WebSockets end: by clients that do not keep to the rules, and by handlers that fail.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::testing;
use squall::web::{Application, Request, RequestHandler, WebSocket};
use squall::{sleep, with_timeout, Exception, IoLoop, Result};

use crate::client::{response, Notes};
use crate::websocket::{frame, read, CLOSE, KEY, PING, TEXT, UPGRADE, VERSION};

/// Does what the first message says, and notes how the socket was closed. It keeps a handle of each socket.
#[derive(Default)]
struct Obeys {
    notes: Notes,
    kept: RefCell<Vec<WebSocket>>,
}

impl RequestHandler for Obeys {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let socket = yield_!(req.upgrade())?;
        if req.path() == "/kept" {
            self.kept.borrow_mut().push(socket.clone());
        }
        if req.path() == "/request" {
            req.set_extension((socket.clone(), Freed(self.notes.clone())));
        }
        while let Some(message) = yield_!(socket.receive())? {
            match format!("{message:?}").split('"').nth(1) {
                Some("raise") => return Err(Exception::msg("the handler raises")),
                Some("panic") => panic!("the handler panics"),
                Some("return") => return Ok(()),
                Some("close") => socket.close(3000, "enough"),
                Some("close without a code") => socket.close(1005, "unsaid"),
                Some("bad code") => socket.close(1006, ""),
                _ => yield_!(socket.send(message))?,
            }
        }
        // A socket that is closed stays as it is, whatever the code.
        socket.close(1006, "");
        self.notes.add(format!("closed {:?}", socket.close_code()));
        Ok(())
    }
}

/// Notes that it is dropped.
struct Freed(Notes);

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.add("freed");
    }
}

async fn open(path: &str) -> Result<(TcpStream, Notes)> {
    let net = testing::net();
    let handler = Obeys::default();
    let notes = handler.notes.clone();
    let server = net.host("server", || Application::new().route("/{path}", handler).listen("server:0"))?;
    let stream = net.host("client", || TcpStream::connect(server.local_addr().unwrap())).await?;
    // The server goes on without its handle.
    drop(server);
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n{KEY}{VERSION}{UPGRADE}\r\n")).await?;
    assert_eq!(response(&stream).await?.status, 101);
    Ok((stream, notes))
}

fn code(code: u16) -> Vec<u8> {
    code.to_be_bytes().to_vec()
}

#[squall::test(allow = "waiting, timers")]
async fn message_is_answered_although_a_close_follows_it() -> Result<()> {
    let (stream, notes) = open("/a").await?;
    stream.write_all([frame(TEXT, b"last"), frame(CLOSE, &code(4000))].concat()).await?;
    assert_eq!(read(&stream).await?, (TEXT, b"last".to_vec()));
    assert_eq!(read(&stream).await?, (CLOSE, code(4000)));
    assert!(stream.read(1).await?.is_empty());
    assert_eq!(notes.take(), ["closed Some(4000)"]);
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn client_that_does_not_answer_a_close_is_cut_after_five_seconds() -> Result<()> {
    let (stream, notes) = open("/a").await?;
    stream.write_all(frame(TEXT, b"close")).await?;
    assert_eq!(read(&stream).await?, (CLOSE, [code(3000), b"enough".to_vec()].concat()));
    let closed = IoLoop::current().time();
    // It goes on to talk instead, which does not count.
    for _ in 0..4 {
        sleep(Duration::from_secs(1)).await?;
        stream.write_all(frame(TEXT, b"and another thing")).await?;
    }
    assert!(notes.take().is_empty());
    while stream.read(1).await.is_ok_and(|bytes| !bytes.is_empty()) {}
    assert_eq!(IoLoop::current().time().saturating_sub(closed).as_secs(), 5);
    assert_eq!(notes.take(), ["closed Some(1006)"]);
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn pings_of_a_client_that_reads_no_answers_are_not_read_either() -> Result<()> {
    const SIZE: usize = 4 * 1024 * 1024;

    let (stream, _) = open("/a").await?;
    let ping = frame(PING, &[b'p'; 125]);
    let sent = stream.write_all(ping.repeat(SIZE / ping.len()));
    // The network holds 64 KiB in each direction.
    assert!(with_timeout(Duration::from_secs(1), sent).await.is_err(), "4 MiB were read");
    let (kind, payload) = read(&stream).await?;
    assert_eq!((kind, payload.len()), (0x8a, 125));
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn handler_that_fails_closes_its_socket_with_1011() -> Result<()> {
    for path in ["/a", "/kept"] {
        for (does, expected) in [("raise", 1011), ("panic", 1011), ("bad code", 1011), ("return", 1000)] {
            if path == "/kept" && does == "return" {
                continue;
            }
            let (stream, _) = open(path).await?;
            stream.write_all(frame(TEXT, does.as_bytes())).await?;
            assert_eq!(read(&stream).await?, (CLOSE, code(expected)), "{path}: {does}");
        }
    }
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn socket_that_is_kept_with_its_request_is_freed_with_the_connection() -> Result<()> {
    let (stream, notes) = open("/request").await?;
    stream.write_all(frame(CLOSE, &code(1000))).await?;
    assert_eq!(read(&stream).await?, (CLOSE, code(1000)));
    sleep(Duration::from_secs(1)).await?;
    assert_eq!(notes.take(), ["closed Some(1000)", "freed"]);
    Ok(())
}

#[squall::test(allow = "waiting, timers")]
async fn code_1005_is_none() -> Result<()> {
    let (stream, _) = open("/a").await?;
    stream.write_all(frame(TEXT, b"close without a code")).await?;
    assert_eq!(read(&stream).await?, (CLOSE, Vec::new()));
    Ok(())
}
