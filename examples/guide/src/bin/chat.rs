//! A chat over WebSocket.
//!
//! ```python
//! from tornado import websocket
//!
//! class Chat(websocket.WebSocketHandler):
//!     members = set()
//!
//!     def open(self):
//!         Chat.members.add(self)
//!
//!     def on_message(self, message):
//!         for member in Chat.members:
//!             member.write_message(message)
//!
//!     def on_close(self):
//!         Chat.members.remove(self)
//! ```
//!
//! Tornado calls a method for each message; here a coroutine receives them one after the other.
//! `cargo run --package squall-guide --bin chat` lets two clients talk and ends. With `--serve 127.0.0.1:8888` it serves
//! until Ctrl-C: open the address that it prints in a browser, or `websocat ws://127.0.0.1:8888/chat?name=me`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use async_tungstenite::tungstenite::Message as Frame;
use async_tungstenite::{client_async, WebSocketStream};
use futures_util::StreamExt;
use squall::ioloop::signal::SIGINT;
use squall::net::TcpStream;
use squall::web::{Application, Message, Request, RequestHandler, WebSocket};
use squall::{Exception, IoLoop, Result};

/// A chat room: its members by number, and the number of the next member.
#[derive(Default)]
struct Room {
    members: RefCell<BTreeMap<u64, WebSocket>>,
    entered: std::cell::Cell<u64>,
}

impl Room {
    /// Sends a line to all members. A slow member does not slow the others down: each socket has its own backlog.
    fn say(&self, line: &str) {
        for member in self.members.borrow().values() {
            drop(member.send(line));
        }
    }
}

/// A member of a room. It leaves the room when it is dropped, however its coroutine ends.
struct Member<'a> {
    room: &'a Room,
    number: u64,
    name: String,
}

impl<'a> Member<'a> {
    fn enter(room: &'a Room, name: String, socket: WebSocket) -> Self {
        let number = room.entered.get();
        room.entered.set(number + 1);
        room.members.borrow_mut().insert(number, socket);
        room.say(&format!("{name} has come"));
        Self { room, number, name }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let left = self.room.members.borrow_mut().remove(&self.number);
        drop(left);
        self.room.say(&format!("{} has left", self.name));
    }
}

struct Chat(Rc<Room>);

impl RequestHandler for Chat {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let name = req.query_argument("name").unwrap_or_else(|| "somebody".to_owned());
        let socket = yield_!(req.upgrade())?;
        let member = Member::enter(&self.0, name, socket.clone());
        while let Some(message) = yield_!(socket.receive())? {
            if let Message::Text(text) = message {
                self.0.say(&format!("{}: {text}", member.name));
            }
        }
        Ok(())
    }
}

/// The page for a browser.
struct Page;

impl RequestHandler for Page {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(include_str!("chat.html"));
        Ok(())
    }
}

fn app() -> Application {
    Application::new().route("/", Page).route("/chat", Chat(Rc::default()))
}

/// A client of the chat: tungstenite's WebSocket on squall's TCP stream.
struct Client {
    name: &'static str,
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    async fn enter(site: &str, name: &'static str) -> Result<Self> {
        let stream = TcpStream::connect(site).await?;
        let (socket, _) = client_async(format!("ws://{site}/chat?name={name}"), stream).await?;
        Ok(Self { name, socket })
    }

    async fn say(&mut self, text: &str) -> Result<()> {
        Ok(self.socket.send(Frame::text(text)).await?)
    }

    /// Prints the next line that the client receives.
    async fn see(&mut self) -> Result<()> {
        match self.socket.next().await {
            Some(frame) => println!("{} sees: {}", self.name, frame?.to_text()?),
            None => Err(Exception::msg("the server has gone"))?,
        }
        Ok(())
    }
}

/// Lets two clients talk to each other.
async fn program(site: String) -> Result<()> {
    let mut ann = Client::enter(&site, "ann").await?;
    ann.see().await?;
    let mut ben = Client::enter(&site, "ben").await?;
    ann.see().await?;
    ben.see().await?;
    ann.say("hello, ben").await?;
    ben.see().await?;
    ben.say("hello, ann").await?;
    for _ in 0..2 {
        ann.see().await?;
    }
    ben.see().await?;
    ben.socket.close(None).await?;
    ann.see().await?;
    Ok(ann.socket.close(None).await?)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let io_loop = IoLoop::current();
    if arguments.next().as_deref() != Some("--serve") {
        let site = app().listen("127.0.0.1:0")?.local_addr()?;
        return io_loop.run_sync(|| program(site.to_string()));
    }
    let server = app().listen(arguments.next().unwrap_or_else(|| "127.0.0.1:8888".to_owned()))?;
    println!("http://{}", server.local_addr()?);
    let inner = io_loop.clone();
    io_loop.add_signal_handler(SIGINT, move || {
        let (stopped, io_loop) = (server.stop(Duration::from_secs(1)), inner.clone());
        inner.add_future(stopped, move |_| io_loop.stop());
    })?;
    io_loop.start();
    Ok(())
}

#[cfg(test)]
mod tests {
    use squall::testing;

    use super::*;

    #[squall::test]
    async fn member_whose_connection_is_cut_off_has_left_for_the_others() -> Result<()> {
        let net = testing::net();
        net.host("site", || app().listen("site:80"))?;
        let seen = net.spawn("client", || async {
            let mut ann = Client::enter("site:80", "ann").await?;
            let ben = Client::enter("site:80", "ben").await?;
            drop(ben);
            let mut seen = Vec::new();
            while seen.len() < 3 {
                let Some(frame) = ann.socket.next().await else { break };
                seen.push(frame?.to_text()?.to_owned());
            }
            Ok::<_, Exception>(seen)
        });
        assert_eq!(seen.await?, ["ann has come", "ben has come", "ben has left"]);
        Ok(())
    }
}
