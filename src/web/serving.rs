//! [`Serving`]: what the connections of a server share, and how it stops.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use hyper::server::conn::http1;
use slab::Slab;
use squall_runner::{Context as Variables, Future, Promise};

use super::config::HttpServerConfig;
use super::connection::Connection;
use super::routes::Routes;
use crate::ioloop::{IoLoop, Timeout};

/// The state that the connections of a server share.
pub(crate) struct Serving {
    pub(super) routes: Rc<Routes>,
    pub(super) config: HttpServerConfig,
    pub(super) io_loop: IoLoop,
    /// The context in which the server was created, and in which handlers run.
    pub(super) context: Variables,
    pub(super) http: http1::Builder,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<super::tls::TlsConfig>,
    stage: Cell<Stage>,
    connections: RefCell<Slab<Rc<Connection>>>,
    /// How many of the connections have hyper's side.
    pub(super) protocols: Cell<usize>,
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
    pub(super) fn new(routes: Rc<Routes>, config: HttpServerConfig) -> Self {
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
            routes,
            config,
            io_loop: IoLoop::current(),
            context: Variables::current(),
            http,
            #[cfg(feature = "tls")]
            tls: None,
            stage: Cell::new(Stage::Serving),
            connections: RefCell::default(),
            protocols: Cell::default(),
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
    pub(super) fn is_secure(&self) -> bool {
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Returns how many connections are open.
    pub(super) fn connections(&self) -> usize {
        self.connections.borrow().len()
    }

    /// Returns whether another connection may be opened.
    pub(super) fn has_room(&self) -> bool {
        self.connections() < self.config.max_connections
    }

    /// Counts a connection as open until the result is dropped.
    pub(super) fn open(self: &Rc<Self>, connection: Rc<Connection>) -> Open {
        let place = self.connections.borrow_mut().insert(connection);
        Open { serving: self.clone(), place }
    }

    /// Wakes the task that polls with `cx` when a connection may be accepted again, or when the server stops.
    pub(super) fn wake_to_accept(&self, cx: &Context<'_>) {
        self.acceptor.set(Some(cx.waker().clone()));
    }

    /// Returns a Future that is done when no connection is left.
    pub(super) fn stopped(&self) -> Future<()> {
        let stopped = Future::new();
        self.stopped.borrow_mut().push(stopped.promise());
        stopped
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stage.get() != Stage::Serving
    }

    pub(super) fn is_cut(&self) -> bool {
        self.stage.get() == Stage::Cut
    }

    pub(super) fn stop(self: &Rc<Self>, grace: Duration) {
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
pub(super) struct Open {
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
