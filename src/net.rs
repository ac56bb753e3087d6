//! Sockets: TCP and Unix streams and listeners, whose operations are yielded or awaited.
//!
//! ```
//! use squall::net::{TcpListener, TcpStream};
//! use squall::{IoLoop, Result};
//!
//! #[squall::coroutine]
//! fn echo(listener: TcpListener) -> Result<()> {
//!     let (stream, _peer) = yield_!(listener.accept())?;
//!     loop {
//!         let bytes = yield_!(stream.read(4096))?;           // at most 4,096 bytes, none at the end
//!         if bytes.is_empty() {
//!             return Ok(());
//!         }
//!         yield_!(stream.write_all(bytes))?;
//!     }
//! }
//!
//! async fn ask(address: std::net::SocketAddr) -> Result<String> {
//!     let stream = TcpStream::connect(address).await?;
//!     stream.write_all("hello\n").await?;
//!     Ok(stream.lines().next_line().await?.unwrap_or_default())
//! }
//!
//! let answer = IoLoop::current().run_sync(|| async {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     let served = echo(listener);
//!     let answer = ask(address).await?;
//!     served.await?;
//!     Ok::<_, squall::Exception>(answer)
//! })?;
//! assert_eq!(answer, "hello");
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! A socket belongs to the loop that was current when the socket was created. Once that loop is closed, operations
//! fail.

/// A guide to sockets: servers and clients, addresses, reading and writing, and the words of other libraries.
///
#[doc = include_str!("../docs/sockets.md")]
pub mod guide {}

mod accepting;
pub(crate) mod address;
mod buffer;
mod connect;
mod connection;
mod futures_traits;
mod io;
mod line;
mod lines;
mod listen;
mod lookup;
mod methods;
mod named;
pub(crate) mod network;
mod reading;
mod split;
mod stream;
mod tcp;
#[cfg(unix)]
mod unix;
mod wakers;
mod wants;
mod writing;

pub use address::Address;
pub use lines::Lines;
pub use lookup::lookup_host;
pub use split::{ReadHalf, WriteHalf};
pub use stream::IoStream;
pub use tcp::{TcpListener, TcpStream};
#[cfg(unix)]
pub use unix::{UnixListener, UnixStream};
