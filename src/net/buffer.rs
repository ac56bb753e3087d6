//! [`Buffer`]: bytes that were read from a connection and not taken yet.

use bytes::{Buf, Bytes, BytesMut};

/// The bytes that have arrived and were not taken, in order.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: BytesMut,
    /// The position in the stream of the first byte in `bytes` that was not given back.
    position: u64,
    /// The parts at the front of `bytes` that were given back: the position and length of each, by position.
    returned: Vec<(u64, usize)>,
}

impl Buffer {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the position in the stream of the next byte to be taken.
    pub(super) fn position(&self) -> u64 {
        self.returned.first().map_or(self.position, |(position, _)| *position)
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Counts bytes that were taken without passing through the buffer.
    pub(super) fn pass(&mut self, len: usize) {
        self.position += len as u64;
    }

    /// Takes the first `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Bytes {
        self.count(len);
        let taken = self.bytes.split_to(len);
        if self.bytes.is_empty() {
            // Frees the allocation, since nothing more may ever come.
            self.bytes = BytesMut::new();
        }
        taken.freeze()
    }

    /// Copies the first bytes into `buffer`, and returns their number.
    pub(super) fn copy_to(&mut self, buffer: &mut [u8]) -> usize {
        let len = buffer.len().min(self.len());
        buffer[..len].copy_from_slice(&self.bytes[..len]);
        self.count(len);
        self.bytes.advance(len);
        len
    }

    fn count(&mut self, mut len: usize) {
        while len > 0 {
            match self.returned.first_mut() {
                None => {
                    self.position += len as u64;
                    return;
                }
                Some((_, there)) if *there <= len => {
                    len -= *there;
                    self.returned.remove(0);
                }
                Some((position, there)) => {
                    *position += len as u64;
                    *there -= len;
                    return;
                }
            }
        }
    }

    /// Puts back bytes that were taken and not used, at their position in the stream.
    pub(super) fn give_back(&mut self, position: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let index = self.returned.partition_point(|(other, _)| *other < position);
        let before: usize = self.returned[..index].iter().map(|(_, len)| len).sum();
        let mut joined = BytesMut::with_capacity(self.len() + bytes.len());
        joined.extend_from_slice(&self.bytes[..before]);
        joined.extend_from_slice(bytes);
        joined.extend_from_slice(&self.bytes[before..]);
        self.bytes = joined;
        self.returned.insert(index, (position, bytes.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(bytes: &[u8]) -> Buffer {
        let mut buffer = Buffer::default();
        buffer.push(bytes);
        buffer
    }

    #[test]
    fn what_is_given_back_comes_first_in_the_order_of_the_stream() {
        for order in [[0, 1], [1, 0]] {
            let mut buffer = filled(b"abcdef");
            let taken = [(buffer.position(), buffer.take(2)), (buffer.position(), buffer.take(2))];
            for n in order {
                buffer.give_back(taken[n].0, &taken[n].1);
            }
            assert_eq!((buffer.position(), buffer.as_slice()), (0, &b"abcdef"[..]));
            assert_eq!((&buffer.take(3)[..], buffer.position()), (&b"abc"[..], 3));
            assert_eq!((&buffer.take(3)[..], buffer.position()), (&b"def"[..], 6));
        }
    }

    #[test]
    fn what_is_taken_again_can_be_given_back_again() {
        let mut buffer = filled(b"abcd");
        let first = buffer.take(3);
        buffer.give_back(0, &first);
        let again = buffer.take(1);
        assert_eq!(buffer.position(), 1);
        buffer.give_back(0, &again);
        let mut out = [0; 8];
        assert_eq!((buffer.copy_to(&mut out), &out[..4]), (4, &b"abcd"[..]));
        assert_eq!((buffer.position(), buffer.is_empty()), (4, true));
    }

    #[test]
    fn bytes_that_passed_by_are_counted() {
        let mut buffer = Buffer::default();
        buffer.pass(10);
        buffer.push(b"k");
        buffer.give_back(8, b"ij");
        assert_eq!((buffer.position(), buffer.as_slice()), (8, &b"ijk"[..]));
    }
}
