//! [`ResponseStream`] and [`Chunks`]: a response whose body is read while it arrives.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::ops::Deref;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use squall_runner::native::start_internal;
use squall_runner::trace::observed;
use squall_runner::{Coroutine, Exception, Future, Result};

use super::content::Content;
use super::error::{HttpClientError, Stage};
use super::limit::within;
use super::response::ResponseHead;
use crate::locks::Lock;

/// The response of [`fetch_stream`](super::AsyncHttpClient::fetch_stream), whose body is read while it arrives. It
/// dereferences to [`ResponseHead`].
///
/// No more is read from the server than the program asks for. At the end of the body the connection returns to the
/// pool; if the response and its [`Chunks`] are dropped before, the connection is closed.
pub struct ResponseStream {
    head: ResponseHead,
    chunks: Chunks,
}

impl ResponseStream {
    pub(super) fn new(head: ResponseHead, content: Content, limit: Duration) -> Self {
        let url = head.url.to_string();
        let body = RefCell::new(State::Reading(content));
        let chunks = Chunks(Rc::new(Inner { body, turn: Lock::new(), url, limit }));
        Self { head, chunks }
    }

    /// Returns a handle for reading the body. All handles read from the same body.
    pub fn chunks(&self) -> Chunks {
        self.chunks.clone()
    }
}

impl Deref for ResponseStream {
    type Target = ResponseHead;

    fn deref(&self) -> &ResponseHead {
        &self.head
    }
}

impl fmt::Debug for ResponseStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream").field("head", &self.head).finish_non_exhaustive()
    }
}

/// The body of a response, chunk by chunk. Clones refer to the same body.
///
/// ```no_run
/// use squall::httpclient::AsyncHttpClient;
///
/// #[squall::coroutine]
/// fn size(url: String) -> squall::Result<usize> {
///     let response = yield_!(AsyncHttpClient::new().fetch_stream(url))?;
///     let (chunks, mut size) = (response.chunks(), 0);
///     while let Some(chunk) = yield_!(chunks.next())? {
///         size += chunk.len();
///     }
///     Ok(size)
/// }
/// ```
#[derive(Clone)]
pub struct Chunks(Rc<Inner>);

struct Inner {
    body: RefCell<State>,
    /// Held while a chunk is read, so that chunks come in the order of the calls.
    turn: Lock,
    url: String,
    /// The time limit for one chunk.
    limit: Duration,
}

enum State {
    Reading(Content),
    Over,
    Failed(Exception),
}

impl Chunks {
    /// Returns a Future of the next chunk, or of `None` at the end of the body. The server decides on the size of
    /// chunks.
    ///
    /// Concurrent calls receive their chunks in the order of the calls. A cancelled `next` takes no chunk; if its
    /// Future is only dropped, the chunk is lost, since the read goes on.
    ///
    /// # Errors
    /// The Future, and that of each later call, fails with an [`HttpClientError`] if the rest of the body does not
    /// arrive, or if a chunk takes longer than the request's `request_timeout`.
    #[track_caller]
    pub fn next(&self) -> Future<Option<Bytes>> {
        static NEXT: Coroutine = Coroutine::new("Chunks::next", file!(), line!());

        let inner = self.0.clone();
        let name = observed().then(|| format!("next chunk of {}", inner.url));
        start_internal(&NEXT, name, async move { inner.next().await })
    }
}

impl Inner {
    async fn next(&self) -> Result<Option<Bytes>> {
        let _turn = self.turn.acquire().await?;
        let limit = self.limit;
        let chunk = pin!(poll_fn(|cx| self.poll_chunk(cx)));
        let late = || {
            let error = HttpClientError::Timeout {
                url: self.url.clone(),
                setting: "request_timeout",
                limit,
                stage: Stage::Receive,
            };
            self.fail(error.into())
        };
        within(limit, chunk, late).await
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>>> {
        let polled = match &mut *self.body.borrow_mut() {
            State::Reading(content) => content.poll_bytes(cx),
            State::Over => return Poll::Ready(Ok(None)),
            State::Failed(exception) => return Poll::Ready(Err(exception.clone())),
        };
        polled.map(|bytes| match bytes {
            Ok(bytes) if bytes.is_empty() => {
                self.become_state(State::Over);
                Ok(None)
            }
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => Err(self.fail(error.into())),
        })
    }

    /// Closes the connection. All later reads fail with the exception.
    fn fail(&self, exception: Exception) -> Exception {
        self.become_state(State::Failed(exception.clone()));
        exception
    }

    fn become_state(&self, state: State) {
        let before = self.body.replace(state);
        drop(before);
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.0.body.borrow() {
            State::Reading(_) => "reading",
            State::Over => "over",
            State::Failed(_) => "failed",
        };
        f.debug_struct("Chunks").field("url", &self.0.url).field("state", &state).finish()
    }
}
