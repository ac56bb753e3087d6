//! [`Body`]: a body to send, whole or as a stream; [`Pipe`]: the other end of the stream.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use squall_runner::{Exception, Future, Promise};

/// A body that hyper sends.
#[derive(Debug, Default)]
pub(crate) enum Body {
    /// Nothing to send, or nothing left.
    #[default]
    Empty,
    /// Bytes that are known from the beginning; never empty.
    Whole(Bytes),
    /// The chunks that come through a pipe.
    Stream(Streamed),
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() {
            Self::Empty
        } else {
            Self::Whole(bytes)
        }
    }
}

impl Body {
    /// Creates a body that sends the chunks pushed into `pipe`.
    pub(crate) fn stream(pipe: &Rc<Pipe>) -> Self {
        Self::Stream(Streamed(pipe.clone()))
    }
}

#[cfg(feature = "web")]
impl Body {
    /// Returns whether to copy it costs less than to hand it over.
    pub(crate) fn is_small(&self) -> bool {
        const SMALL: usize = 4096;

        match self {
            Self::Empty => true,
            Self::Whole(bytes) => bytes.len() <= SMALL,
            Self::Stream(_) => false,
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Stream(Streamed(pipe)) => pipe.poll_chunk(cx).map(|chunk| Some(chunk?.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole(_) => false,
            Self::Stream(Streamed(pipe)) => pipe.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// The end of a pipe that hyper reads. Dropping it closes the pipe.
pub(crate) struct Streamed(Rc<Pipe>);

impl fmt::Debug for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.0.closed.set(true);
        // What was taken may still be on its way to the socket.
        if !self.0.chunks.borrow().is_empty() {
            self.0.lose();
        }
    }
}

/// The chunks of a body on their way to hyper, in order. It has no limit: await [`drained`](Self::drained) to wait for
/// the connection.
pub(crate) struct Pipe {
    chunks: RefCell<VecDeque<Bytes>>,
    /// Set once, when the body ends after the chunks in the pipe: well, or with this error.
    end: RefCell<Option<io::Result<()>>>,
    /// `true` if hyper has dropped its end, so that further chunks are useless.
    closed: Cell<bool>,
    /// Wakes the connection, which waits for a chunk.
    reader: Cell<Option<Waker>>,
    /// The Futures of `drained` that are pending.
    draining: RefCell<Vec<(Promise<()>, Future<()>)>>,
    /// Creates the exception of those Futures if the pipe is lost.
    lost: fn() -> Exception,
}

impl Pipe {
    /// Creates an empty pipe. `lost` creates the exception that says that its bytes will not be sent.
    pub(crate) fn new(lost: fn() -> Exception) -> Rc<Self> {
        Rc::new(Self {
            chunks: RefCell::default(),
            end: RefCell::default(),
            closed: Cell::default(),
            reader: Cell::default(),
            draining: RefCell::default(),
            lost,
        })
    }

    /// Adds a chunk to the end. Chunks for a closed pipe are dropped.
    pub(crate) fn push(&self, chunk: Bytes) {
        if !chunk.is_empty() && !self.closed.get() {
            self.chunks.borrow_mut().push_back(chunk);
            self.wake();
        }
    }

    /// Ends the body. With an error, the peer sees a body that was cut off.
    pub(crate) fn end(&self, result: io::Result<()>) {
        self.end.borrow_mut().get_or_insert(result);
        self.wake();
    }

    /// Returns whether hyper has dropped its end.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Returns whether the body has ended well, and all of it was taken.
    pub(crate) fn is_over(&self) -> bool {
        self.chunks.borrow().is_empty() && matches!(*self.end.borrow(), Some(Ok(())))
    }

    /// Returns a Future that is done when a call of [`settle`](Self::settle) finds the pipe empty. It fails if the pipe
    /// is lost before.
    pub(crate) fn drained(&self) -> Future<()> {
        let future = Future::new();
        let waiting = (future.promise(), future.clone());
        self.draining.borrow_mut().push(waiting);
        if self.closed.get() {
            self.lose();
        }
        future
    }

    /// Resolves the Futures of [`drained`](Self::drained) if everything was taken.
    pub(crate) fn settle(&self) {
        if self.chunks.borrow().is_empty() {
            for (promise, _) in self.draining.take() {
                promise.set_result(());
            }
        }
    }

    /// Drops what is in the pipe and what will be pushed, since the connection is lost.
    pub(crate) fn lose(&self) {
        self.closed.set(true);
        self.chunks.take();
        for (promise, future) in self.draining.take() {
            promise.set_exception((self.lost)());
            // The exception counts as retrieved, since code that does not wait need not learn of it.
            drop(future.exception());
        }
    }

    fn wake(&self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Some(chunk) = self.chunks.borrow_mut().pop_front() {
            return Poll::Ready(Some(Ok(chunk)));
        }
        let mut end = self.end.borrow_mut();
        match &mut *end {
            None => {
                self.reader.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            Some(Ok(())) => Poll::Ready(None),
            failed => Poll::Ready(failed.replace(Ok(())).map(|result| result.map(|()| Bytes::new()))),
        }
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("chunks", &self.chunks.borrow().len())
            .field("closed", &self.closed.get())
            .finish_non_exhaustive()
    }
}
