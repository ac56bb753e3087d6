//! The site that some lessons visit: a web server on an in-memory network, which traces leave out.

use std::time::Duration;

use squall::net::{TcpListener, TcpStream};
use squall::{convert_yielded, sleep, testing, trace, Result};

/// The pages of the site, each with the time that it takes, in milliseconds.
pub(crate) type Pages = &'static [(&'static str, u64)];

/// Runs a program on a host from which `http://site/` can be fetched.
pub(crate) fn visit<R>(pages: Pages, program: impl FnOnce() -> R) -> R {
    let net = testing::net();
    trace::internal(|| drop(net.spawn("site", move || serve(pages))));
    net.host("client", program)
}

async fn serve(pages: Pages) -> Result<()> {
    let listener = TcpListener::bind("site:80")?;
    loop {
        let (stream, _) = listener.accept().await?;
        drop(convert_yielded(answer(stream, pages)));
    }
}

/// Answers one request after the other, until the client leaves.
async fn answer(stream: TcpStream, pages: Pages) -> Result<()> {
    while let Ok(head) = stream.read_until("\r\n\r\n", 4096).await {
        let head = String::from_utf8_lossy(&head);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let page = pages.iter().find(|(page, _)| *page == path);
        let (status, body) = match page {
            Some((page, _)) => ("200 OK", format!("page {page}")),
            None => ("404 Not Found", format!("no page {path}")),
        };
        sleep(Duration::from_millis(page.map_or(0, |(_, ms)| *ms))).await?;
        let length = body.len();
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(response).await?;
    }
    Ok(())
}
