//! A server that answers with the bytes that a test chooses.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use squall::net::{IoStream, TcpListener};
use squall::{sleep, Exception, IoLoop, Result};

/// A step after a request on a connection. After the last one the next request is read, unless that is `Close`.
pub(crate) enum Do {
    Send(Vec<u8>),
    Wait(u64),
    Close,
    /// Closes the connection with a reset.
    Reset,
    /// Does nothing more, until the client leaves.
    Hang,
}
pub(crate) use Do::{Close, Hang, Reset, Wait};

/// Returns the step that sends these bytes.
pub(crate) fn send(bytes: impl Into<Vec<u8>>) -> Do {
    Do::Send(bytes.into())
}

/// Returns the step that sends a whole response.
pub(crate) fn response(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Do {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for header in headers {
        bytes.extend(format!("{header}\r\n").bytes());
    }
    bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    bytes.extend(body);
    Do::Send(bytes)
}

pub(crate) fn ok(body: impl AsRef<[u8]>) -> Vec<Do> {
    vec![response("200 OK", &[], body)]
}

/// A request that was received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The number of the request on this server, from 0.
    pub(crate) n: usize,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// Returns the value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (this, value) = line.split_once(": ")?;
            this.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Rc<RefCell<Vec<Asked>>>,
    /// How many connections were accepted.
    pub(crate) connections: Rc<Cell<usize>>,
    /// How many connections are open.
    pub(crate) open: Rc<Cell<usize>>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked.borrow().iter().map(|asked| asked.line().to_owned()).collect()
    }

    /// Waits until a condition holds that other coroutines bring about.
    pub(crate) async fn until(&self, condition: impl Fn(&Self) -> bool) -> Result<()> {
        for _ in 0..2000 {
            if condition(self) {
                return Ok(());
            }
            sleep(Duration::from_millis(1)).await?;
        }
        Err(Exception::msg("it does not come about"))
    }
}

/// Serves with the answers that `answer` returns.
pub(crate) fn serve(answer: impl Fn(&Asked) -> Vec<Do> + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server {
        address: listener.local_addr().unwrap(),
        asked: Rc::default(),
        connections: Rc::default(),
        open: Rc::default(),
    };
    let (this, answer) = (server.clone(), Rc::new(answer));
    IoLoop::current().spawn_callback(move || async move {
        loop {
            let (stream, _) = listener.accept().await?;
            let (this, answer) = (this.clone(), answer.clone());
            this.connections.set(this.connections.get() + 1);
            IoLoop::current().spawn_callback(move || async move {
                this.open.set(this.open.get() + 1);
                // In some tests the client leaves.
                let _ = converse(&this, &stream, &*answer).await;
                this.open.set(this.open.get() - 1);
                Ok::<_, Exception>(())
            });
        }
        #[allow(unreachable_code)]
        Ok::<_, Exception>(())
    });
    server
}

async fn converse(
    this: &Server,
    stream: &squall::net::TcpStream,
    answer: &dyn Fn(&Asked) -> Vec<Do>,
) -> Result<()> {
    loop {
        let head = stream.read_until("\r\n\r\n", 1 << 20).await?;
        let mut asked = Asked {
            n: this.asked.borrow().len(),
            head: String::from_utf8_lossy(&head).into_owned(),
            body: String::new(),
        };
        asked.body = body(stream, &asked).await?;
        this.asked.borrow_mut().push(asked.clone());
        for step in answer(&asked) {
            match step {
                Do::Send(mut bytes) => {
                    if asked.head.starts_with("HEAD ") {
                        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
                        bytes.truncate(end.map_or(0, |end| end + 4));
                    }
                    stream.write_all(bytes).await?;
                }
                Wait(ms) => sleep(Duration::from_millis(ms)).await?,
                Close => return Ok(()),
                Reset => {
                    stream.set_linger(Some(Duration::ZERO))?;
                    return Ok(());
                }
                Hang => drop(stream.read_exact(usize::MAX).await?),
            }
        }
    }
}

async fn body(stream: &IoStream, asked: &Asked) -> Result<String> {
    let bytes = match asked.header("content-length") {
        Some(length) => stream.read_exact(length.parse()?).await?,
        None if asked.header("transfer-encoding") == Some("chunked") => {
            stream.read_until("0\r\n\r\n", 1 << 20).await?
        }
        None => return Ok(String::new()),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Runs a test on a loop of its own, on the real clock: real sockets are waited for.
pub(crate) fn run<F: Future<Output = Result<()>> + 'static>(test: impl FnOnce() -> F + 'static) {
    let io_loop = IoLoop::new();
    let _current = io_loop.make_current();
    let limit = Duration::from_secs(20);
    io_loop.run_sync_with_timeout(limit, || async move { test().await }).unwrap();
    io_loop.close();
}
