//! [`Content`]: the decoded body of a response, as its reader sees it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::HeaderMap;
use squall_runner::Result;
use url::Url;

#[cfg(feature = "http-client")]
use super::decode::{Coding, Decoded};
use super::error::{HttpClientError, Part};
use super::receiving::Receiving;

/// A body that is being read.
pub(super) enum Content {
    Plain(Receiving),
    #[cfg(feature = "http-client")]
    Decoded(Decoded),
}

impl Content {
    /// Makes the body of a response readable. If it will be decoded, the fields about its coding are removed from
    /// `headers`.
    #[cfg_attr(not(feature = "http-client"), allow(unused_variables))]
    pub(super) fn new(receiving: Receiving, headers: &mut HeaderMap, decode: bool, url: &Arc<Url>) -> Self {
        #[cfg(feature = "http-client")]
        if let Some(coding) = decode.then(|| Coding::take(headers)).flatten() {
            return Self::Decoded(Decoded::new(receiving, coding, url.clone()));
        }
        Self::Plain(receiving)
    }

    /// Polls for the next bytes; empty at the end.
    pub(super) fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, HttpClientError>> {
        match self {
            Self::Plain(receiving) => receiving.poll_bytes(cx),
            #[cfg(feature = "http-client")]
            Self::Decoded(decoded) => decoded.poll_bytes(cx),
        }
    }

    /// Returns the length of the body, if it is known in advance.
    fn announced(&self) -> Option<u64> {
        match self {
            Self::Plain(receiving) => receiving.announced(),
            #[cfg(feature = "http-client")]
            Self::Decoded(_) => None,
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    /// If the body has more than `max` bytes, or ends early.
    pub(super) async fn collect(&mut self, max: usize, url: &Url) -> Result<Bytes> {
        let too_large = || HttpClientError::TooLarge { url: url.to_string(), part: Part::Body, limit: max };
        if self.announced().is_some_and(|length| length > max as u64) {
            return Err(too_large().into());
        }
        let mut collected = Collected::default();
        loop {
            let bytes = poll_fn(|cx| self.poll_bytes(cx)).await?;
            if bytes.is_empty() {
                return Ok(collected.finish());
            }
            if collected.len() + bytes.len() > max {
                return Err(too_large().into());
            }
            collected.push(bytes);
        }
    }
}

/// The bytes so far. A body of a single chunk is not copied.
#[derive(Default)]
struct Collected {
    first: Bytes,
    all: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn push(&mut self, bytes: Bytes) {
        if self.len() == 0 {
            self.first = bytes;
            return;
        }
        if !self.first.is_empty() {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.all.extend_from_slice(&bytes);
    }

    fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}
