//! [`Server`]: an application that listens at an address.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::server::conn::http1;
use slab::Slab;
use squall_runner::native::start_internal;
use squall_runner::{Context as Variables, Coroutine, Exception, Future, Promise, Result};

use super::access_log::TARGET;
use super::application::Application;
use super::config::HttpServerConfig;
use super::connection::Connection;
use super::peer::Peer;
use crate::background::background;
use crate::http::transport::Transport;
use crate::ioloop::{IoLoop, Timeout};
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
        serving.accept_all(move |cx| {
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
        serving.accept_all(move |cx| {
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
        self.serving.connections.borrow().len()
    }

    /// Stops listening at once. Connections between requests are closed at once, and others when their request is
    /// answered. After `grace`, those that are left are cut. The Future is done when no connection is left.
    ///
    /// A handler whose connection is cut runs on, and what it writes is dropped.
    ///
    /// Source: `tornado.httpserver.HTTPServer.stop` and `close_all_connections`.
    pub fn stop(&self, grace: Duration) -> Future<()> {
        let stopped = Future::new();
        self.serving.stopped.borrow_mut().push(stopped.promise());
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

/// The state that the connections of a server share.
pub(crate) struct Serving {
    pub(super) application: Application,
    pub(super) config: HttpServerConfig,
    pub(super) io_loop: IoLoop,
    /// The context in which the server was created, and in which handlers run.
    pub(super) context: Variables,
    pub(super) http: http1::Builder,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::tls::TlsConfig>,
    stage: Cell<Stage>,
    connections: RefCell<Slab<Rc<Connection>>>,
    /// Wakes the task that accepts connections, while it waits.
    acceptor: Cell<Option<Waker>>,
    /// The Futures of `stop` that are pending.
    stopped: RefCell<Vec<Promise<()>>>,
    /// The timer of the grace period.
    grace: RefCell<Option<Timeout>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    /// Requests that have begun are answered.
    Stopping,
    /// All connections are cut.
    Cut,
}

impl Serving {
    pub(super) fn new(application: Application, config: HttpServerConfig) -> Self {
        /// hyper keeps this many headers on the stack, and allocates for any other number.
        const HEADERS: usize = 100;

        let mut http = http1::Builder::new();
        let max_header_size = config.max_header_size.max(8192);
        // A client that has closed its half of the connection still gets its response.
        http.half_close(true).max_header_size(max_header_size).max_buf_size(max_header_size);
        if config.max_headers != HEADERS {
            http.max_headers(config.max_headers);
        }
        Self {
            application,
            config,
            io_loop: IoLoop::current(),
            context: Variables::current(),
            http,
            #[cfg(feature = "tls")]
            tls: None,
            stage: Cell::new(Stage::Serving),
            connections: RefCell::default(),
            acceptor: Cell::default(),
            stopped: RefCell::default(),
            grace: RefCell::default(),
        }
    }

    /// Makes the server encrypt its connections.
    #[cfg(feature = "tls")]
    pub(super) fn with_tls(mut self, tls: super::tls::TlsConfig) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Returns whether its connections are encrypted.
    fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stage.get() != Stage::Serving
    }

    pub(super) fn is_cut(&self) -> bool {
        self.stage.get() == Stage::Cut
    }

    /// Starts the task that accepts connections until the server stops.
    fn accept_all(
        self: &Rc<Self>,
        mut poll_accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<(Transport, Peer)>> + 'static,
    ) {
        static ACCEPT: Coroutine = Coroutine::new("Server::accept", file!(), line!());

        let this = self.clone();
        let accepting = background(|| {
            start_internal(&ACCEPT, None, async move {
                let accepting = poll_fn(|cx| {
                    while !this.is_stopping() && this.connections.borrow().len() < this.config.max_connections
                    {
                        match poll_accept(cx) {
                            Poll::Ready(Ok((transport, peer))) => this.begin(transport, peer),
                            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                            Poll::Pending => break,
                        }
                    }
                    if this.is_stopping() {
                        return Poll::Ready(Ok(()));
                    }
                    this.acceptor.set(Some(cx.waker().clone()));
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
    fn begin(self: &Rc<Self>, transport: Transport, peer: Peer) {
        static CONNECTION: Coroutine = Coroutine::new("Server::connection", file!(), line!());

        let connection = Connection::new(self.clone(), transport, peer);
        let place = self.connections.borrow_mut().insert(connection.clone());
        let open = Open { serving: self.clone(), place };
        let served = start_internal(&CONNECTION, None, async move {
            let _open = open;
            connection.serve().await;
            Ok::<_, Exception>(())
        });
        drop(served);
    }

    fn stop(self: &Rc<Self>, grace: Duration) {
        if self.stage.get() == Stage::Serving {
            self.stage.set(Stage::Stopping);
        }
        if self.connections.borrow().is_empty() {
            return self.end();
        }
        let this = Rc::downgrade(self);
        let timer = self.io_loop.call_later(grace, move || {
            if let Some(this) = this.upgrade() {
                this.stage.set(Stage::Cut);
                this.wake_all();
            }
        });
        if let Some(before) = self.grace.replace(Some(timer)) {
            self.io_loop.remove_timeout(&before);
        }
        self.wake_all();
    }

    fn wake_all(&self) {
        self.wake_acceptor();
        let connections: Vec<_> = self.connections.borrow().iter().map(|(_, one)| one.clone()).collect();
        for connection in connections {
            connection.wake_task();
        }
    }

    fn wake_acceptor(&self) {
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.wake();
        }
    }

    /// Called when the last connection of a stopping server is gone.
    fn end(&self) {
        self.wake_acceptor();
        if let Some(grace) = self.grace.take() {
            self.io_loop.remove_timeout(&grace);
        }
        for stopped in self.stopped.take() {
            stopped.set_result(());
        }
    }
}

/// Counts an open connection of a server.
struct Open {
    serving: Rc<Serving>,
    place: usize,
}

impl Drop for Open {
    fn drop(&mut self) {
        let gone = self.serving.connections.borrow_mut().remove(self.place);
        drop(gone);
        let left = self.serving.connections.borrow().len();
        if self.serving.is_stopping() {
            if left == 0 {
                self.serving.end();
            }
        } else if left + 1 == self.serving.config.max_connections {
            self.serving.wake_acceptor();
        }
    }
}
