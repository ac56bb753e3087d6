//! A web server to try with other clients: `cargo run --features web,http-client --example server -- 127.0.0.1:0`.
//! `--root DIR` is the directory that `/static` serves, `--header-timeout SECONDS` how long the head of a request may
//! take, `--body-timeout SECONDS` how long its body may pause, `--idle-timeout SECONDS` how long a connection is kept
//! without a request, and `--tls CERTIFICATE KEY` makes it HTTPS. The first line that it prints is its address. `SIGTERM`
//! stops it: requests that have begun are answered, for at most ten seconds.

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use squall::ioloop::signal;
use squall::web::{Application, HttpError, HttpServerConfig, Request, RequestHandler, Server, StaticFiles};
use squall::{sleep, Exception, IoLoop, Result};

/// `/`: the shortest response.
struct Hello;

impl RequestHandler for Hello {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write("Hello");
        Ok(())
    }
}

/// `/json`: 16 KiB.
struct Json(serde_json::Value);

impl RequestHandler for Json {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write_json(&self.0)
    }
}

/// Returns a list that takes 16 KiB as JSON.
fn list() -> serde_json::Value {
    const SIZE: usize = 16 * 1024;

    let mut items: Vec<_> =
        (0..250).map(|id| serde_json::json!({ "id": id, "name": format!("user {id:04}") })).collect();
    let pad = |items: &[serde_json::Value]| SIZE - serde_json::json!(items).to_string().len();
    let last = serde_json::json!({ "pad": "x".repeat(pad(&items) - r#",{"pad":""}"#.len()) });
    items.push(last);
    items.into()
}

/// `/echo`: sends the body back. Bytes that clients send before they read are received first, within a limit; after
/// that each chunk is sent back when it arrives, so that a body of any size takes little memory.
struct Echo;

const HELD: usize = 16 * 1024 * 1024;

impl Echo {
    async fn echo(req: Request) -> Result<()> {
        req.set_max_body_size(4 * 1024 * 1024 * 1024);
        if let Some(content_type) = req.headers().get("content-type") {
            req.set_header("content-type", content_type.clone())?;
        }
        let mut held = 0;
        while let Some(chunk) = req.chunk().await? {
            held += chunk.len();
            req.write(chunk);
            if held > HELD {
                req.flush().await?;
            }
        }
        Ok(())
    }
}

impl RequestHandler for Echo {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        Self::echo(req).await
    }

    async fn post(self: Rc<Self>, req: Request) -> Result<()> {
        Self::echo(req).await
    }

    async fn put(self: Rc<Self>, req: Request) -> Result<()> {
        Self::echo(req).await
    }

    async fn patch(self: Rc<Self>, req: Request) -> Result<()> {
        Self::echo(req).await
    }

    async fn delete(self: Rc<Self>, req: Request) -> Result<()> {
        Self::echo(req).await
    }
}

/// Returns the number in an argument of the query.
fn number(req: &Request, name: &str, default: u64) -> Result<u64> {
    match req.query_argument(name) {
        Some(text) => Ok(text.parse().map_err(|_| HttpError(400))?),
        None => Ok(default),
    }
}

/// `/slow?ms=N`: answers after that many milliseconds.
struct Slow;

impl RequestHandler for Slow {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let pause = number(&req, "ms", 1000)?;
        yield_!(sleep(Duration::from_millis(pause)))?;
        req.write(format!("slept {pause} ms"));
        Ok(())
    }
}

/// `/panic`: 500, and a traceback in the log.
struct Panic;

impl RequestHandler for Panic {
    #[squall::coroutine]
    fn get(self: Rc<Self>, _req: Request) -> Result<()> {
        panic!("this handler panics")
    }
}

/// `/raise`: 500, and a traceback in the log, by an exception.
struct Raise;

impl RequestHandler for Raise {
    #[squall::coroutine]
    fn get(self: Rc<Self>, _req: Request) -> Result<()> {
        Err(Exception::msg("this handler raises"))
    }
}

/// `/status?code=N`: answers with that status, and its number as the body.
struct Status;

impl RequestHandler for Status {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let code = number(&req, "code", 200)?;
        req.set_status(u16::try_from(code).map_err(|_| HttpError(400))?).map_err(|_| HttpError(400))?;
        req.write(code.to_string());
        Ok(())
    }
}

/// `/stream?n=N`: sends that many chunks, each with a flush.
struct Stream;

impl RequestHandler for Stream {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let count = number(&req, "n", 10)?;
        req.set_header("content-type", "text/plain; charset=UTF-8")?;
        for n in 0..count {
            req.write(format!("chunk {n}\n"));
            yield_!(req.flush())?;
        }
        Ok(())
    }
}

/// `/ws`: a WebSocket that sends each message back.
struct Chat;

impl RequestHandler for Chat {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let socket = yield_!(req.upgrade())?;
        while let Some(message) = yield_!(socket.receive())? {
            yield_!(socket.send(message))?;
        }
        Ok(())
    }
}

/// The next argument, as seconds.
fn seconds(arguments: &mut impl Iterator<Item = String>, usage: &'static str) -> Result<Duration> {
    let seconds = arguments.next().and_then(|seconds| seconds.parse().ok());
    seconds.map(Duration::from_secs).ok_or_else(|| Exception::msg(usage))
}

/// Listens for HTTP, or for HTTPS if there is a certificate with its key.
fn listen(
    app: &Application,
    address: String,
    config: HttpServerConfig,
    tls: Option<(String, String)>,
) -> Result<(Server, &'static str)> {
    match tls {
        None => Ok((app.listen_with(address, config)?, "http")),
        #[cfg(feature = "tls")]
        Some((certificate, key)) => {
            let tls = squall::web::TlsConfig::from_pem(&std::fs::read(certificate)?, &std::fs::read(key)?)?;
            Ok((app.listen_tls(address, tls, config)?, "https"))
        }
        #[cfg(not(feature = "tls"))]
        Some(_) => Err(Exception::msg("--tls needs the feature `tls`")),
    }
}

fn main() -> Result<()> {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let mut address = "127.0.0.1:8888".to_owned();
    let mut root = "examples".to_owned();
    let mut config = HttpServerConfig::default();
    let mut tls = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--root" => root = arguments.next().ok_or_else(|| Exception::msg("--root DIR"))?,
            "--header-timeout" => {
                config.header_timeout = seconds(&mut arguments, "--header-timeout SECONDS")?;
            }
            "--body-timeout" => config.body_timeout = seconds(&mut arguments, "--body-timeout SECONDS")?,
            "--idle-timeout" => config.idle_timeout = seconds(&mut arguments, "--idle-timeout SECONDS")?,
            "--tls" => {
                tls = arguments.next().zip(arguments.next());
                tls.as_ref().ok_or_else(|| Exception::msg("--tls CERTIFICATE KEY"))?;
            }
            _ => address = argument,
        }
    }
    let app = Application::new()
        .route("/", Hello)
        .route("/json", Json(list()))
        .route("/echo", Echo)
        .route("/slow", Slow)
        .route("/panic", Panic)
        .route("/raise", Raise)
        .route("/status", Status)
        .route("/stream", Stream)
        .route("/static/{*path}", StaticFiles::new(root))
        .route("/ws", Chat);
    let (server, scheme) = listen(&app, address, config, tls)?;
    let io_loop = IoLoop::current();
    let (inner, address) = (io_loop.clone(), server.local_addr()?);
    io_loop.add_signal_handler(signal::SIGTERM, move || {
        let stopped = server.stop(Duration::from_secs(10));
        let io_loop = inner.clone();
        inner.add_future(stopped, move |_| io_loop.stop());
    })?;
    println!("{scheme}://{address}");
    std::io::stdout().flush()?;
    io_loop.start();
    Ok(())
}
