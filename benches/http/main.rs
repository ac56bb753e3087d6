//! A web server, by squall or by hyper on tokio's current-thread runtime: `http squall` or `http hyper`. Its first line
//! is its port. `scripts/http_rows.py` compares the two.
//!
//! Both answer `/hello` and `/json` with the same bytes and the same headers.

mod peer;
mod served;

use bytes::Bytes;

/// The body of `/hello`.
const HELLO: Bytes = Bytes::from_static(b"Hello, world!");

/// The headers that name the type of each body.
const HTML: &str = "text/html; charset=UTF-8";
const JSON: &str = "application/json; charset=UTF-8";

/// The body of `/json`: 16 KiB.
fn json() -> Bytes {
    const SIZE: usize = 16 * 1024;

    let mut text = String::from("[");
    while text.len() < SIZE - 1 {
        text.push_str("1,");
    }
    text.truncate(SIZE - 2);
    text.push_str("0]");
    text.into()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("squall") => served::serve(),
        Some("hyper") => peer::serve(),
        _ => Err("say which: squall or hyper".into()),
    }
}
