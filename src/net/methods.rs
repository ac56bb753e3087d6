//! The methods of [`IoStream`], on the types that hold one.
//!
//! They are methods of each type itself. By `Deref` alone, a trait that is in scope, as `futures::AsyncReadExt`, would
//! come before them.

use bytes::Bytes;
use squall_runner::Future;

use super::lines::Lines;
use super::split::{ReadHalf, WriteHalf};
use super::stream::IoStream;
use super::tcp::TcpStream;
#[cfg(unix)]
use super::unix::UnixStream;

macro_rules! reads {
    ($stream:ty) => {
        impl $stream {
            /// Reads what is there, at most `max` bytes, as [`IoStream::read`] does. It is empty at the end.
            pub fn read(&self, max: usize) -> Future<Bytes> {
                self.0.read(max)
            }

            /// Reads what is there into the room of a buffer, as [`IoStream::read_into`] does.
            pub fn read_into(&self, buffer: Vec<u8>) -> Future<(Vec<u8>, usize)> {
                self.0.read_into(buffer)
            }

            /// Reads `len` bytes, as [`IoStream::read_exact`] does.
            pub fn read_exact(&self, len: usize) -> Future<Bytes> {
                self.0.read_exact(len)
            }

            /// Reads up to and with the first `delimiter`, at most `max` bytes, as [`IoStream::read_until`] does.
            pub fn read_until(&self, delimiter: impl Into<Bytes>, max: usize) -> Future<Bytes> {
                self.0.read_until(delimiter, max)
            }

            /// Reads all that comes until the end, at most `max` bytes, as [`IoStream::read_to_end`] does.
            pub fn read_to_end(&self, max: usize) -> Future<Bytes> {
                self.0.read_to_end(max)
            }

            /// Returns the lines of text that come, as [`IoStream::lines`] does.
            pub fn lines(&self) -> Lines {
                self.0.lines()
            }
        }
    };
}

macro_rules! writes {
    ($stream:ty) => {
        impl $stream {
            /// Writes all of `bytes`, as [`IoStream::write_all`] does.
            pub fn write_all(&self, bytes: impl Into<Bytes>) -> Future<()> {
                self.0.write_all(bytes)
            }

            /// Writes what there is room for, as [`IoStream::write`] does, and returns how much that was.
            #[track_caller]
            pub fn write(&self, bytes: impl Into<Bytes>) -> Future<usize> {
                self.0.write(bytes)
            }

            /// Waits until all that was handed in is written, as [`IoStream::flush`] does.
            pub fn flush(&self) -> Future<()> {
                self.0.flush()
            }

            /// Ends the stream for the other end, as [`IoStream::shutdown`] does.
            pub fn shutdown(&self) -> Future<()> {
                self.0.shutdown()
            }
        }
    };
}

macro_rules! splits {
    ($stream:ty) => {
        impl $stream {
            /// Splits the stream in two, as [`IoStream::into_split`] does.
            pub fn into_split(self) -> (ReadHalf, WriteHalf) {
                IoStream::from(self).into_split()
            }
        }
    };
}

reads!(TcpStream);
writes!(TcpStream);
splits!(TcpStream);
reads!(ReadHalf);
writes!(WriteHalf);
#[cfg(unix)]
reads!(UnixStream);
#[cfg(unix)]
writes!(UnixStream);
#[cfg(unix)]
splits!(UnixStream);
