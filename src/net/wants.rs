//! The kinds of reads: some bytes, an exact number, up to a delimiter, a line, or everything.

use std::io::{self, ErrorKind};

use bytes::Bytes;

use super::buffer::Buffer;

/// How many bytes are read from a socket at once.
pub(super) const CHUNK: usize = 64 * 1024;

/// A kind of read. It holds no bytes: they stay in the stream's buffer until there are enough of them, so that a read
/// that is given up loses none.
pub(super) trait Want: 'static {
    type Output: 'static;
    /// The method that begins the read.
    const NAME: &'static str;

    /// Takes the bytes it wants, if they are there. `ended` says that nothing else will come.
    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Self::Output>>;

    /// Takes bytes that have just arrived and need not go through the buffer, which is empty.
    fn pass(&mut self, _chunk: &[u8]) -> Option<Self::Output> {
        None
    }

    /// Returns how many bytes to read from the socket at once.
    fn appetite(&self) -> usize {
        CHUNK
    }

    /// Returns the bytes of the stream in a result that was not taken.
    fn give_back(&self, output: Self::Output) -> Bytes;
}

/// At most this many bytes, as soon as there are some.
pub(super) struct AtMost(pub(super) usize);

impl Want for AtMost {
    type Output = Bytes;
    const NAME: &'static str = "read";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Bytes>> {
        let len = buffer.len().min(self.0);
        (len > 0 || ended || self.0 == 0).then(|| Ok(buffer.take(len)))
    }

    fn pass(&mut self, chunk: &[u8]) -> Option<Bytes> {
        Some(Bytes::copy_from_slice(chunk))
    }

    fn appetite(&self) -> usize {
        self.0.min(CHUNK)
    }

    fn give_back(&self, output: Bytes) -> Bytes {
        output
    }
}

/// As many bytes as the buffer's spare room holds.
pub(super) struct IntoVec(pub(super) Vec<u8>);

impl Want for IntoVec {
    type Output = (Vec<u8>, usize);
    const NAME: &'static str = "read_into";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Self::Output>> {
        if buffer.is_empty() && !ended {
            return None;
        }
        let len = buffer.len().min(self.appetite());
        let bytes = buffer.take(len);
        self.pass(&bytes).map(Ok)
    }

    fn pass(&mut self, chunk: &[u8]) -> Option<Self::Output> {
        self.0.extend_from_slice(chunk);
        Some((std::mem::take(&mut self.0), chunk.len()))
    }

    fn appetite(&self) -> usize {
        (self.0.capacity() - self.0.len()).min(CHUNK)
    }

    fn give_back(&self, (buffer, len): Self::Output) -> Bytes {
        Bytes::copy_from_slice(&buffer[buffer.len() - len..])
    }
}

/// Exactly this many bytes.
pub(super) struct Exactly(pub(super) usize);

impl Want for Exactly {
    type Output = Bytes;
    const NAME: &'static str = "read_exact";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Bytes>> {
        match buffer.len() {
            len if len >= self.0 => Some(Ok(buffer.take(self.0))),
            len => ended.then(|| {
                Err(early(format!(
                    "the connection ended after {len} of the {} bytes of a read_exact",
                    self.0
                )))
            }),
        }
    }

    fn give_back(&self, output: Bytes) -> Bytes {
        output
    }
}

/// Through the first delimiter, within a limit.
pub(super) struct Until {
    delimiter: Bytes,
    limit: usize,
    /// The number of bytes in which no delimiter was found.
    searched: usize,
}

impl Until {
    pub(super) fn new(delimiter: Bytes, limit: usize) -> Self {
        Self { delimiter, limit, searched: 0 }
    }

    /// Returns where the delimiter ends.
    fn find(&mut self, buffer: &Buffer) -> Option<io::Result<usize>> {
        // Another read may have given bytes back or taken them.
        let from = self.searched.min(buffer.len());
        let bytes = buffer.as_slice();
        let found = match &self.delimiter[..] {
            [] => Some(0),
            [byte] => bytes[from..].iter().position(|other| other == byte).map(|at| from + at + 1),
            delimiter => {
                let found = bytes[from..].windows(delimiter.len()).position(|window| window == delimiter);
                found.map(|at| from + at + delimiter.len())
            }
        };
        self.searched = (bytes.len() + 1).saturating_sub(self.delimiter.len());
        match found {
            Some(end) if end <= self.limit => Some(Ok(end)),
            None if bytes.len() < self.limit => None,
            _ => Some(Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("no delimiter within {} bytes; they stay in the stream", self.limit),
            ))),
        }
    }
}

impl Want for Until {
    type Output = Bytes;
    const NAME: &'static str = "read_until";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Bytes>> {
        match self.find(buffer) {
            Some(found) => Some(found.map(|end| buffer.take(end))),
            None => ended.then(|| {
                let len = buffer.len();
                Err(early(format!(
                    "the connection ended before the delimiter of a read_until, after {len} bytes"
                )))
            }),
        }
    }

    fn give_back(&self, output: Bytes) -> Bytes {
        output
    }
}

/// One line without its end; `None` at the end of the stream.
pub(super) struct Line {
    until: Until,
    /// The line end that was removed.
    end: &'static str,
}

impl Line {
    pub(super) fn new(limit: usize) -> Self {
        Self { until: Until::new(Bytes::from_static(b"\n"), limit), end: "" }
    }
}

impl Want for Line {
    type Output = Option<String>;
    const NAME: &'static str = "next_line";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Option<String>>> {
        let len = match self.until.find(buffer) {
            Some(Ok(end)) => end,
            Some(Err(error)) => return Some(Err(error)),
            None if ended && buffer.is_empty() => return Some(Ok(None)),
            None if ended => buffer.len(),
            None => return None,
        };
        let text = match std::str::from_utf8(&buffer.as_slice()[..len]) {
            Ok(text) => text,
            Err(error) => {
                let message =
                    format!("a line is not UTF-8 ({error}); it stays in the stream, for read_until");
                return Some(Err(io::Error::new(ErrorKind::InvalidData, message)));
            }
        };
        self.end = ["\r\n", "\n"].into_iter().find(|end| text.ends_with(end)).unwrap_or_default();
        let line = text[..text.len() - self.end.len()].to_owned();
        drop(buffer.take(len));
        Some(Ok(Some(line)))
    }

    fn give_back(&self, output: Option<String>) -> Bytes {
        output.map_or_else(Bytes::new, |line| (line + self.end).into())
    }
}

/// Everything until the end, at most this many bytes.
pub(super) struct ToEnd(pub(super) usize);

impl Want for ToEnd {
    type Output = Bytes;
    const NAME: &'static str = "read_to_end";

    fn take(&mut self, buffer: &mut Buffer, ended: bool) -> Option<io::Result<Bytes>> {
        if buffer.len() > self.0 {
            let message = format!("more than {} bytes come before the end; they stay in the stream", self.0);
            return Some(Err(io::Error::new(ErrorKind::InvalidData, message)));
        }
        ended.then(|| Ok(buffer.take(buffer.len())))
    }

    fn give_back(&self, output: Bytes) -> Bytes {
        output
    }
}

fn early(message: String) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, message)
}
