//! hyper on squall's sockets, without squall's web: what the peer is on tokio's. The difference to `served` is what
//! `Application` costs.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use squall::net::{TcpListener, TcpStream};
use squall::{native, Exception, IoLoop};

use crate::{json, peer};

/// A stream of squall, to hyper.
struct Io {
    stream: TcpStream,
    /// Safe code cannot read into hyper's buffer, which is uninitialized.
    buffer: Vec<u8>,
}

impl Read for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, buffer } = self.get_mut();
        let room = cursor.remaining().min(buffer.len());
        Pin::new(stream).poll_read(cx, &mut buffer[..room]).map_ok(|read| cursor.put_slice(&buffer[..read]))
    }
}

impl Write for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }
}

/// Serves until the process is ended.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    const BUFFER: usize = 64 * 1024;

    let json = json();
    IoLoop::new().run_sync(move || async move {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let json = json.clone();
            IoLoop::current().spawn_callback(move || {
                native(async move {
                    let service = service_fn(|request| {
                        let response = peer::answer(&request, &json);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let io = Io { stream, buffer: vec![0; BUFFER] };
                    // A client that leaves ends its connection: nothing is to be done.
                    let _ = http1::Builder::new().serve_connection(io, service).await;
                })
            });
        }
        #[allow(unreachable_code)] // It says what the loop's errors are.
        Ok::<(), Exception>(())
    })?;
    Ok(())
}
