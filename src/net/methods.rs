//! The methods of [`IoStream`], defined on each type that contains one.
//!
//! They are methods of the types themselves, because methods that are reached only by `Deref` are shadowed by those of
//! a trait in scope, such as `futures::AsyncReadExt`.

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
            /// Reads at most `max` bytes, as soon as there are some; see [`IoStream::read`]. Empty at the end.
            #[track_caller]
            pub fn read(&self, max: usize) -> Future<Bytes> {
                self.0.read(max)
            }

            /// Reads into the spare room of a buffer, as soon as there are bytes; see [`IoStream::read_into`].
            #[track_caller]
            pub fn read_into(&self, buffer: Vec<u8>) -> Future<(Vec<u8>, usize)> {
                self.0.read_into(buffer)
            }

            /// Reads exactly `len` bytes; see [`IoStream::read_exact`].
            #[track_caller]
            pub fn read_exact(&self, len: usize) -> Future<Bytes> {
                self.0.read_exact(len)
            }

            /// Reads through the first `delimiter`, at most `max` bytes; see [`IoStream::read_until`].
            #[track_caller]
            pub fn read_until(&self, delimiter: impl Into<Bytes>, max: usize) -> Future<Bytes> {
                self.0.read_until(delimiter, max)
            }

            /// Reads everything until the end, at most `max` bytes; see [`IoStream::read_to_end`].
            #[track_caller]
            pub fn read_to_end(&self, max: usize) -> Future<Bytes> {
                self.0.read_to_end(max)
            }

            /// Returns the lines of text in the stream; see [`IoStream::lines`].
            pub fn lines(&self) -> Lines {
                self.0.lines()
            }
        }
    };
}

macro_rules! writes {
    ($stream:ty) => {
        impl $stream {
            /// Writes all of `bytes`; see [`IoStream::write_all`].
            #[track_caller]
            pub fn write_all(&self, bytes: impl Into<Bytes>) -> Future<()> {
                self.0.write_all(bytes)
            }

            /// Writes as many bytes as there is room for, and returns their number; see [`IoStream::write`].
            #[track_caller]
            pub fn write(&self, bytes: impl Into<Bytes>) -> Future<usize> {
                self.0.write(bytes)
            }

            /// Waits until everything handed in is written; see [`IoStream::flush`].
            #[track_caller]
            pub fn flush(&self) -> Future<()> {
                self.0.flush()
            }

            /// Ends the stream for the other end; see [`IoStream::shutdown`].
            #[track_caller]
            pub fn shutdown(&self) -> Future<()> {
                self.0.shutdown()
            }
        }
    };
}

macro_rules! splits {
    ($stream:ty) => {
        impl $stream {
            /// Splits the stream into two halves; see [`IoStream::into_split`].
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
