//! [`Receiving`]: the body of a response on its way, and the connection that it comes from.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{ready, Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use url::Url;

use super::connection::Connection;
use super::error::{HttpClientError, WithReasons};
use super::pool::{Key, Pool};
use crate::locks::Guard;

/// A body that is being received, as it was sent.
pub(super) struct Receiving {
    body: Incoming,
    /// Where the connection goes at the end of the body.
    pool: Rc<Pool>,
    key: Key,
    url: Url,
    /// `None` after the end.
    in_use: Option<InUse>,
    /// How many bytes nobody wanted.
    skipped: usize,
}

/// What is given back at the end of the body, and is dropped if the body is.
struct InUse {
    connection: Box<Connection>,
    /// The place among `max_clients`.
    place: Guard,
}

impl Receiving {
    pub(super) fn new(
        body: Incoming,
        (pool, key): (Rc<Pool>, Key),
        url: Url,
        (connection, place): (Box<Connection>, Guard),
    ) -> Self {
        Self { body, pool, key, url, in_use: Some(InUse { connection, place }), skipped: 0 }
    }

    /// Returns how long the rest of it is, if that is known.
    pub(super) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    /// Polls for the next bytes: none at the end.
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

    /// Polls until the rest of the body has passed by. A connection with much left to come is closed instead. Returns
    /// the place of the fetch.
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

    /// Gives the connection back.
    fn finish(&mut self) -> Option<Guard> {
        let InUse { connection, place } = self.in_use.take()?;
        self.pool.put(&self.key, connection);
        Some(place)
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Bytes>>> {
        let Some(in_use) = &mut self.in_use else { return Poll::Ready(None) };
        let mut frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() {
            in_use.connection.poll(cx);
            frame = Pin::new(&mut self.body).poll_frame(cx);
        }
        // Trailers are no bytes.
        frame.map(|frame| Some(frame?.map(|frame| frame.into_data().unwrap_or_default())))
    }
}
