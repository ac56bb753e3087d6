//! Compressed bodies: which codings are accepted, and how they are decoded.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{ready, Context, Poll};

use async_compression::futures::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder};
use bytes::{Buf, Bytes};
use futures_io::{AsyncBufRead, AsyncRead};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use hyper::HeaderMap;
use url::Url;

use super::error::HttpClientError;
use super::receiving::Receiving;

/// The value of `Accept-Encoding`.
pub(super) const ACCEPTED: &str = "gzip, deflate, br";

/// A compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    /// Removes the coding from a response's headers and returns it, if it is an accepted one.
    pub(super) fn take(headers: &mut HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let (value, None) = (values.next()?, values.next()) else { return None };
        let coding = match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            _ => return None,
        };
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        Some(coding)
    }

    fn decoder(self, raw: Raw) -> Pin<Box<dyn AsyncRead>> {
        match self {
            Self::Gzip => {
                let mut gzip = GzipDecoder::new(raw);
                gzip.multiple_members(true);
                Box::pin(gzip)
            }
            // "deflate" means zlib's format, but some servers send it bare.
            Self::Deflate if is_zlib(&raw.bytes) => Box::pin(ZlibDecoder::new(raw)),
            Self::Deflate => Box::pin(DeflateDecoder::new(raw)),
            Self::Brotli => Box::pin(BrotliDecoder::new(raw)),
        }
    }
}

/// A body that is decoded while it arrives.
pub(super) struct Decoded {
    receiving: Rc<RefCell<Receiving>>,
    coding: Coding,
    /// Created when the first bytes have arrived.
    decoder: Option<Pin<Box<dyn AsyncRead>>>,
    url: Arc<Url>,
}

impl Decoded {
    pub(super) fn new(receiving: Receiving, coding: Coding, url: Arc<Url>) -> Self {
        Self { receiving: Rc::new(RefCell::new(receiving)), coding, decoder: None, url }
    }

    /// Polls for the next bytes; empty at the end.
    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, HttpClientError>> {
        /// How many bytes are decoded at once.
        const ROOM: usize = 16 * 1024;

        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let first = ready!(self.receiving.borrow_mut().poll_bytes(cx))?;
                // A response without a body may name a coding, as one to HEAD or one with status 304.
                if first.is_empty() {
                    return Poll::Ready(Ok(first));
                }
                let raw = Raw { receiving: self.receiving.clone(), bytes: first };
                self.decoder.insert(self.coding.decoder(raw))
            }
        };
        let mut buffer = vec![0; ROOM];
        match ready!(decoder.as_mut().poll_read(cx, &mut buffer)) {
            Ok(0) => {
                // The connection returns to the pool only at the end of the raw body.
                ready!(self.receiving.borrow_mut().poll_skip(cx));
                Poll::Ready(Ok(Bytes::new()))
            }
            Ok(n) => {
                buffer.truncate(n);
                Poll::Ready(Ok(buffer.into()))
            }
            Err(error) => Poll::Ready(Err(match error.downcast::<HttpClientError>() {
                Ok(error) => error,
                Err(error) => HttpClientError::Decode { url: self.url.to_string(), cause: error.into() },
            })),
        }
    }
}

/// Returns whether these bytes begin a stream of zlib. Source: RFC 1950, section 2.2.
fn is_zlib(first: &[u8]) -> bool {
    match first {
        [method, flags, ..] => method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0,
        [method] => *method == 0x78,
        [] => false,
    }
}

/// The compressed bytes, as a decoder reads them.
struct Raw {
    receiving: Rc<RefCell<Receiving>>,
    /// Bytes that have arrived and were not decoded yet.
    bytes: Bytes,
}

impl AsyncBufRead for Raw {
    fn poll_fill_buf(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.bytes.is_empty() {
            let bytes = ready!(self.receiving.borrow_mut().poll_bytes(cx)).map_err(io::Error::other)?;
            self.bytes = bytes;
        }
        Poll::Ready(Ok(self.get_mut().bytes.as_ref()))
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.bytes.advance(n);
    }
}

impl AsyncRead for Raw {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Poll::Ready(Ok(n))
    }
}
