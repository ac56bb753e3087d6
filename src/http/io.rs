//! Reading into hyper's buffers.

use std::cell::RefCell;
use std::io;
use std::task::Poll;

use hyper::rt::ReadBufCursor;

/// How many bytes are read at once at most.
const SCRATCH: usize = 64 * 1024;

thread_local! {
    /// A buffer into which all reads of this thread go first, because safe code cannot write to hyper's buffer, which
    /// may be uninitialized.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Calls `read` with a buffer as large as the room of `cursor`, and moves the bytes there. Returns their number.
#[inline]
pub(crate) fn read_into(
    mut cursor: ReadBufCursor<'_>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    BUFFER.with_borrow_mut(|buffer| {
        if buffer.is_empty() {
            buffer.resize(SCRATCH, 0);
        }
        let room = cursor.remaining().min(SCRATCH);
        let read = read(&mut buffer[..room]);
        if let Poll::Ready(Ok(n)) = read {
            cursor.put_slice(&buffer[..n]);
        }
        read
    })
}
