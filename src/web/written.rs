//! [`Written`]: what a handler has written and not flushed yet.

use bytes::{Bytes, BytesMut};

/// The part of the response that was written since the last flush.
#[derive(Debug, Default)]
pub(super) enum Written {
    #[default]
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Written {
    pub(super) fn push(&mut self, chunk: Bytes) {
        match self {
            Self::Nothing => *self = Self::One(chunk),
            Self::One(first) => {
                let mut both = BytesMut::with_capacity((first.len() + chunk.len()).max(1024));
                both.extend_from_slice(first);
                both.extend_from_slice(&chunk);
                *self = Self::Many(both);
            }
            Self::Many(all) => all.extend_from_slice(&chunk),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(chunk) => chunk.len(),
            Self::Many(all) => all.len(),
        }
    }

    pub(super) fn take(&mut self) -> Bytes {
        match std::mem::take(self) {
            Self::Nothing => Bytes::new(),
            Self::One(chunk) => chunk,
            Self::Many(all) => all.freeze(),
        }
    }
}
