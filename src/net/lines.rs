//! [`Lines`]: the lines of text that a stream brings.

use squall_runner::Future;

use super::stream::IoStream;
use super::wants::Line;

/// The lines of text that come over a stream; see [`IoStream::lines`].
#[derive(Debug, Clone)]
pub struct Lines {
    stream: IoStream,
    limit: usize,
}

/// How long a line may be, in bytes, if nothing else is said.
const LIMIT: usize = 1024 * 1024;

impl Lines {
    pub(super) fn new(stream: IoStream) -> Self {
        Self { stream, limit: LIMIT }
    }

    /// Takes lines of at most `limit` bytes, with their ends. It is 1 MiB if nothing is said.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Reads the next line, without its `\n` or `\r\n`; `None` at the end of the stream. The last line needs no end.
    ///
    /// # Errors
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) if the line is not UTF-8, or too long; it is left to be read.
    pub fn next_line(&self) -> Future<Option<String>> {
        self.stream.connection.begin_read(Line::new(self.limit))
    }
}
