//! Reading into hyper's buffers.

use std::cell::Cell;
use std::io;
use std::task::Poll;

use hyper::rt::ReadBufCursor;

/// How much is read at once at most, in bytes.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    /// Where all reads of this thread go first. hyper's buffer may be uninitialized, which safe code cannot write to.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Calls `read` with room for what `cursor` can take, and moves the bytes there. Returns how many they were.
pub(crate) fn read_into(
    mut cursor: ReadBufCursor<'_>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let mut buffer = BUFFER.take();
    if buffer.is_empty() {
        buffer.resize(SCRATCH, 0);
    }
    let room = cursor.remaining().min(buffer.len());
    let read = read(&mut buffer[..room]);
    if let Poll::Ready(Ok(n)) = read {
        cursor.put_slice(&buffer[..n]);
    }
    BUFFER.set(buffer);
    read
}
