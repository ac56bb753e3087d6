//! [`Receiving`]: the body of a response while it arrives, with its connection.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use url::Url;

use super::connection::Connection;
use super::error::{HttpClientError, WithReasons};
use super::pool::Pool;
use crate::locks::Guard;

/// A raw body that is being received.
pub(super) struct Receiving {
    body: Incoming,
    /// The pool to which the connection returns at the end of the body.
    pool: Rc<Pool>,
    url: Arc<Url>,
    /// `None` after the end of the body.
    in_use: Option<InUse>,
    /// How many bytes were skipped.
    skipped: usize,
}

/// The connection and the place that are given back at the end of the body, and dropped if the body is dropped before.
struct InUse {
    connection: Box<Connection>,
    /// The fetch's place among `max_clients`.
    place: Guard,
}

impl Receiving {
    pub(super) fn new(
        body: Incoming,
        pool: Rc<Pool>,
        url: Arc<Url>,
        (connection, place): (Box<Connection>, Guard),
    ) -> Self {
        Self { body, pool, url, in_use: Some(InUse { connection, place }), skipped: 0 }
    }

    /// Returns the length of the rest of the body, if it is known.
    pub(super) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Polls for the next bytes; empty at the end.
    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, HttpClientError>> {
        loop {
            match ready!(self.poll_data(cx)) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => return Poll::Ready(Ok(bytes)),
                Some(Err(error)) => {
                    self.in_use = None;
                    let (url, cause) = (self.url.to_string(), WithReasons(error).into());
                    return Poll::Ready(Err(HttpClientError::Receive { url, cause }));
                }
                None => {
                    drop(self.finish());
                    return Poll::Ready(Ok(Bytes::new()));
                }
            }
        }
    }

    /// Polls until the rest of the body was skipped, or closes the connection if that would be too much. Returns the
    /// fetch's place among `max_clients`.
    pub(super) fn poll_skip(&mut self, cx: &mut Context<'_>) -> Poll<Option<Guard>> {
        const MUCH: usize = 64 * 1024;

        loop {
            match ready!(self.poll_data(cx)) {
                Some(Ok(bytes)) if self.skipped + bytes.len() <= MUCH => self.skipped += bytes.len(),
                None => return Poll::Ready(self.finish()),
                Some(_) => return Poll::Ready(self.in_use.take().map(|in_use| in_use.place)),
            }
        }
    }

    /// Returns the connection to the pool.
    fn finish(&mut self) -> Option<Guard> {
        let InUse { connection, place } = self.in_use.take()?;
        self.pool.put(connection);
        Some(place)
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        let Some(in_use) = &mut self.in_use else { return Poll::Ready(None) };
        let frame = in_use.connection.poll_frame(&mut self.body, cx);
        // Trailers contain no bytes.
        frame.map(|frame| Some(frame?.map(|frame| frame.into_data().unwrap_or_default())))
    }
}
