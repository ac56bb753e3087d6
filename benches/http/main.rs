//! Web servers that answer `/hello` and `/json` with the same bytes and the same headers, and clients that fetch from
//! them. The first line of a server is its port. `scripts/http_rows.py` compares them.
//!
//! | command | what |
//! |---|---|
//! | `squall`, `squall-native` | `Application` with yield-style or native handlers |
//! | `squall-bare` | hyper on squall's sockets, without `Application` |
//! | `hyper`, `hyper-timeout` | hyper on tokio's current-thread runtime, without and with its limit for the head |
//! | `fetch-squall URL N` | N fetches, 100 at a time |
//! | `fetch-hyper URL N`, `fetch-hyper-limited URL N` | the same by hyper-util, without and with what squall's client does for each |

mod bare;
mod fetching;
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
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("squall"), None, None) => served::serve(&served::Style::Yield),
        (Some("squall-native"), None, None) => served::serve(&served::Style::Native),
        (Some("squall-bare"), None, None) => bare::serve(),
        (Some("hyper"), None, None) => peer::serve(false),
        (Some("hyper-timeout"), None, None) => peer::serve(true),
        (Some("fetch-squall"), Some(url), Some(fetches)) => fetching::squall(&url, fetches.parse()?),
        (Some("fetch-hyper"), Some(url), Some(fetches)) => fetching::hyper(&url, fetches.parse()?),
        (Some("fetch-hyper-limited"), Some(url), Some(fetches)) => {
            fetching::hyper_limited(&url, fetches.parse()?)
        }
        _ => Err("say which: see benches/http/main.rs".into()),
    }
}
