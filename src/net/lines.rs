//! [`Lines`]: the lines of text in a stream.

use squall_runner::Future;

use super::stream::IoStream;
use super::wants::Line;

/// The lines of text in a stream; see [`IoStream::lines`].
#[derive(Debug, Clone)]
pub struct Lines {
    stream: IoStream,
    limit: usize,
}

/// The default limit for the length of a line, in bytes.
const LIMIT: usize = 1024 * 1024;

impl IoStream {
    /// Returns the lines of text in the stream.
    pub fn lines(&self) -> Lines {
        Lines { stream: self.clone(), limit: LIMIT }
    }
}

impl Lines {
    /// Sets the longest line, in bytes with its end; 1 MiB by default.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Reads the next line, without its `\n` or `\r\n`; `None` at the end of the stream. The last line may lack an end.
    ///
    /// # Errors
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) if the line is too long or not UTF-8; it stays in the stream.
    #[track_caller]
    pub fn next_line(&self) -> Future<Option<String>> {
        self.stream.connection.begin_read(Line::new(self.limit))
    }
}
