//! [`Server`]: an application that listens at an address.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use squall_runner::native::start_internal;
use squall_runner::{Coroutine, Exception, Future, Result};

use super::access_log::TARGET;
use super::connection::Connection;
use super::peer::Peer;
use super::serve::serve;
use super::serving::Serving;
use crate::background::background;
use crate::http::transport::Transport;
use crate::net::{Address, TcpListener};

/// An application that listens at an address.
///
/// A `Server` is a handle: clones refer to the same server. Dropping them does not stop it.
///
/// ```
/// use std::time::Duration;
/// use squall::web::Application;
/// use squall::IoLoop;
///
/// IoLoop::current().run_sync(|| async {
///     let server = Application::new().listen("127.0.0.1:0")?;
///     println!("http://{}", server.local_addr()?);
///     server.stop(Duration::from_secs(10)).await
/// })?;
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// Source: `tornado.httpserver.HTTPServer`.
#[derive(Clone)]
pub struct Server {
    serving: Rc<Serving>,
    address: Option<SocketAddr>,
}

impl Server {
    /// Listens on an address, and serves the connections.
    pub(super) fn tcp(serving: Serving, address: Address) -> Result<Self> {
        let listener = TcpListener::bind_with_backlog(address, serving.config.backlog)?;
        let address = listener.local_addr()?;
        let secure = serving.is_secure();
        let serving = Rc::new(serving);
        accept_all(serving.clone(), move |cx| {
            listener.poll_accept(cx).map_ok(|(stream, address)| {
                // Writes are responses or parts of them, so waiting to send them together with more would only delay
                // them.
                let _ = stream.set_nodelay(true);
                (Transport::Socket(stream.into()), Peer { address: Some(address), secure })
            })
        });
        Ok(Self { serving, address: Some(address) })
    }

    #[cfg(unix)]
    pub(super) fn unix(serving: Serving, path: &std::path::Path) -> Result<Self> {
        let listener = crate::net::UnixListener::bind(path)?;
        let serving = Rc::new(serving);
        accept_all(serving.clone(), move |cx| {
            let accepted = listener.poll_accept(cx);
            accepted.map_ok(|(stream, _)| {
                (Transport::Socket(stream.into()), Peer { address: None, secure: false })
            })
        });
        Ok(Self { serving, address: None })
    }

    /// Returns the address at which it listens, with the port that the system chose.
    ///
    /// # Errors
    /// If it listens on a Unix socket, which has no such address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                "a server on a Unix socket has no host and no port",
            )
        })
    }

    /// Returns how many connections are open.
    pub fn connections(&self) -> usize {
        self.serving.connections()
    }

    /// Stops listening at once. Connections between requests are closed at once, and others when their request is
    /// answered. After `grace`, those that are left are cut. The Future is done when no connection is left.
    ///
    /// A handler whose connection is cut runs on, and what it writes is dropped.
    ///
    /// Source: `tornado.httpserver.HTTPServer.stop` and `close_all_connections`.
    pub fn stop(&self, grace: Duration) -> Future<()> {
        let stopped = self.serving.stopped();
        self.serving.stop(grace);
        stopped
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

/// Starts the task that accepts connections until the server stops.
fn accept_all(
    serving: Rc<Serving>,
    mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(Transport, Peer)>> + 'static,
) {
    static ACCEPT: Coroutine = Coroutine::new("Server::accept", file!(), line!());

    let accepting = background(|| {
        start_internal(&ACCEPT, None, async move {
            let accepting = poll_fn(|cx| {
                while !serving.is_stopping() && serving.has_room() {
                    match poll_accept(cx) {
                        Poll::Ready(Ok((transport, peer))) => begin(&serving, transport, peer),
                        Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                        Poll::Pending => break,
                    }
                }
                if serving.is_stopping() {
                    return Poll::Ready(Ok(()));
                }
                serving.wake_to_accept(cx);
                Poll::Pending
            });
            if let Err(error) = accepting.await {
                log::error!(target: TARGET, "the server accepts no more connections: {error}");
            }
            Ok::<_, Exception>(())
        })
    });
    drop(accepting);
}

/// Starts the task of a connection.
fn begin(serving: &Rc<Serving>, transport: Transport, peer: Peer) {
    static CONNECTION: Coroutine = Coroutine::new("Server::connection", file!(), line!());

    let connection = Connection::new(serving.io_loop.clone(), transport, peer);
    let (serving, open) = (serving.clone(), serving.open(connection.clone()));
    let served = start_internal(&CONNECTION, None, async move {
        let _open = open;
        serve(serving, connection).await;
        Ok::<_, Exception>(())
    });
    drop(served);
}
