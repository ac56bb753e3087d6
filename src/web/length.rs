//! [`Length`]: the `Content-Length` that a handler sets, which what it writes has to agree with.

use std::cell::Cell;

use hyper::header::{HeaderName, CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::HeaderMap;

/// What a handler has said about the length of its response. Without a word from it, the server says what is right.
#[derive(Debug, Default)]
pub(super) struct Length {
    /// `true` if the handler may have set `Content-Length`.
    is_set: Cell<bool>,
    /// How many bytes may follow in chunks; `None` if the handler has not said.
    left: Cell<Option<u64>>,
}

/// A `Content-Length` that is not that of the response: sent as it is, it would spoil the connection for what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum WrongLength {
    #[error("the header `Content-Length` is set to what is not one number")]
    NotANumber,
    #[error("the headers `Content-Length` and `Transfer-Encoding` exclude each other: set neither")]
    Encoded,
    #[error("`Content-Length` is {said}, but the response has {len} bytes")]
    Differs { said: u64, len: u64 },
    #[error("the response has more bytes than its `Content-Length` says")]
    TooMany,
    #[error("the response is finished, but {0} bytes of its `Content-Length` are missing")]
    TooFew(u64),
}

impl Length {
    /// Called when the handler sets a header.
    pub(super) fn note(&self, name: &HeaderName) {
        if *name == CONTENT_LENGTH {
            self.is_set.set(true);
        }
    }

    /// Checks the headers of a response whose body is whole.
    pub(super) fn check(&self, headers: &HeaderMap, len: usize) -> Result<(), WrongLength> {
        let len = len as u64;
        match self.said(headers)? {
            Some(said) if said != len => Err(WrongLength::Differs { said, len }),
            _ => Ok(()),
        }
    }

    /// Checks the headers of a response whose body will come in chunks.
    pub(super) fn begin(&self, headers: &HeaderMap) -> Result<(), WrongLength> {
        self.left.set(self.said(headers)?);
        Ok(())
    }

    /// Checks a chunk. After a wrong one, none is right.
    pub(super) fn take(&self, len: usize) -> Result<(), WrongLength> {
        let Some(left) = self.left.get() else { return Ok(()) };
        let rest = left.checked_sub(len as u64);
        self.left.set(Some(rest.unwrap_or_default()));
        rest.map(drop).ok_or(WrongLength::TooMany)
    }

    /// Checks the last chunk.
    pub(super) fn end(&self, len: usize) -> Result<(), WrongLength> {
        self.take(len)?;
        match self.left.get() {
            Some(missing @ 1..) => Err(WrongLength::TooFew(missing)),
            _ => Ok(()),
        }
    }

    fn said(&self, headers: &HeaderMap) -> Result<Option<u64>, WrongLength> {
        if !self.is_set.get() {
            return Ok(None);
        }
        let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
        let Some(said) = lengths.next() else { return Ok(None) };
        if headers.contains_key(TRANSFER_ENCODING) {
            return Err(WrongLength::Encoded);
        }
        let said = said.to_str().ok().filter(|said| said.bytes().all(|digit| digit.is_ascii_digit()));
        let said = said.and_then(|said| said.parse().ok()).filter(|_| lengths.next().is_none());
        said.map(Some).ok_or(WrongLength::NotANumber)
    }
}
