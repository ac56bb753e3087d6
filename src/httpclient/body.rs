//! [`Body`]: the body of a request; [`Outgoing`]: the body on its way through hyper.

use std::cell::Cell;
use std::fmt;
use std::mem::take;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use squall_runner::{Exception, Future};

/// The body of a request.
pub(super) enum Body {
    Whole(Bytes),
    /// A stream, which can be sent once. `None` while it is being sent.
    Stream(Option<Chunks>),
}

impl Default for Body {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Body {
    pub(super) fn stream(next: impl FnMut() -> Future<Option<Bytes>> + 'static) -> Self {
        Self::Stream(Some(Chunks { next: Box::new(next), current: None }))
    }

    /// Returns whether the body is there to be sent, or sent again.
    pub(super) fn is_complete(&self) -> bool {
        !matches!(self, Self::Stream(None))
    }

    /// Returns whether the body has no bytes.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    /// Returns the body to send now. `sent` is set when hyper has taken all of it.
    pub(super) fn outgoing(&mut self, sent: Rc<Cell<bool>>) -> Outgoing {
        let content = match self {
            Self::Whole(bytes) => Content::Whole(bytes.clone()),
            Self::Stream(chunks) => chunks.take().map_or(Content::Whole(Bytes::new()), Content::Stream),
        };
        let outgoing = Outgoing { content, sent };
        outgoing.note();
        outgoing
    }

    /// Takes back the part that was not sent.
    pub(super) fn restore(&mut self, outgoing: Outgoing) {
        if let Content::Stream(chunks) = outgoing.content {
            *self = Self::Stream(Some(chunks));
        }
    }
}

/// The chunks of a stream, produced one after the other.
pub(super) struct Chunks {
    next: Box<dyn FnMut() -> Future<Option<Bytes>>>,
    /// The chunk that is being produced.
    current: Option<Future<Option<Bytes>>>,
}

impl Chunks {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Exception>> {
        loop {
            let current = self.current.get_or_insert_with(|| (self.next)());
            let Poll::Ready(chunk) = std::future::Future::poll(Pin::new(current), cx) else {
                return Poll::Pending;
            };
            self.current = None;
            // An empty chunk would end the body.
            if !matches!(&chunk, Ok(Some(bytes)) if bytes.is_empty()) {
                return Poll::Ready(chunk);
            }
        }
    }
}

/// A body on its way to hyper.
pub(super) struct Outgoing {
    content: Content,
    sent: Rc<Cell<bool>>,
}

enum Content {
    Whole(Bytes),
    Stream(Chunks),
}

impl Outgoing {
    /// Sets `sent` if nothing is left.
    fn note(&self) {
        if matches!(&self.content, Content::Whole(bytes) if bytes.is_empty()) {
            self.sent.set(true);
        }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = BodyFailed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailed>>> {
        let frame = match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(take(bytes))))),
            Content::Stream(chunks) => match chunks.poll(cx) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Err(exception)) => Poll::Ready(Some(Err(BodyFailed(exception)))),
                Poll::Ready(Ok(Some(chunk))) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
                Poll::Ready(Ok(None)) => {
                    self.content = Content::Whole(Bytes::new());
                    Poll::Ready(None)
                }
            },
        };
        self.note();
        frame
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Stream(_) => SizeHint::default(),
        }
    }
}

/// The error of a request whose body stream raised an exception.
#[derive(Debug, thiserror::Error)]
#[error("the stream of its body has failed: {0}")]
pub(super) struct BodyFailed(pub(super) Exception);

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("sent", &self.sent.get()).finish_non_exhaustive()
    }
}
