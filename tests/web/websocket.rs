//! WebSockets. The client is tungstenite's protocol on a plain socket, or bytes by hand.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::web::{Application, HttpServerConfig, Message, Request, RequestHandler, WebSocketConfig};
use squall::Result;

use crate::client::{response, serve, serve_with, Notes, Response};

struct Echo(Notes, WebSocketConfig);

impl RequestHandler for Echo {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        let socket = yield_!(req.upgrade_with(&self.1))?;
        while let Some(message) = yield_!(socket.receive())? {
            if message == Message::from("bye") {
                socket.close(4000, "as you like");
                continue;
            }
            yield_!(socket.send(message))?;
        }
        self.0.add(format!("closed {:?}", socket.close_code()));
        Ok(())
    }
}

fn app(config: WebSocketConfig) -> (Application, Notes) {
    let notes = Notes::default();
    (Application::new().route("/", Echo(notes.clone(), config)), notes)
}

pub(crate) const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
pub(crate) const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
pub(crate) const UPGRADE: &str = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n";

async fn handshake(address: std::net::SocketAddr, headers: &str) -> Result<(TcpStream, Response)> {
    let stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: a:1\r\n{headers}\r\n")).await?;
    let answer = response(&stream).await?;
    Ok((stream, answer))
}

async fn open(address: std::net::SocketAddr) -> Result<TcpStream> {
    let (stream, answer) = handshake(address, &format!("{KEY}{VERSION}{UPGRADE}")).await?;
    assert_eq!(answer.status, 101);
    Ok(stream)
}

/// Returns a frame of a client, which is masked.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let len = u16::try_from(payload.len()).unwrap();
    match u8::try_from(len) {
        Ok(len @ 0..126) => frame.push(0x80 | len),
        _ => {
            frame.push(0xfe);
            frame.extend(len.to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Reads a frame of the server, which is not masked.
pub(crate) async fn read(stream: &TcpStream) -> Result<(u8, Vec<u8>)> {
    let head = stream.read_exact(2).await?;
    let len = match head[1] {
        126 => {
            let len = stream.read_exact(2).await?;
            usize::from(u16::from_be_bytes([len[0], len[1]]))
        }
        len => usize::from(len),
    };
    Ok((head[0], stream.read_exact(len).await?.to_vec()))
}

pub(crate) const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

#[test]
fn handshake_is_that_of_the_rfc() {
    let config = WebSocketConfig { subprotocols: vec!["chat".into()], ..WebSocketConfig::default() };
    serve(&app(config).0, |address| async move {
        let all =
            format!("{KEY}{VERSION}{UPGRADE}Sec-WebSocket-Protocol: super, chat\r\nOrigin: http://a:1\r\n");
        let (_, answer) = handshake(address, &all).await?;
        assert_eq!(answer.status, 101);
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(answer.header("sec-websocket-protocol"), Some("chat"));
        for (headers, status) in [
            (format!("{KEY}{VERSION}"), 400),
            (format!("{VERSION}{UPGRADE}"), 400),
            (format!("Sec-WebSocket-Key: short\r\n{VERSION}{UPGRADE}"), 400),
            (format!("{KEY}Sec-WebSocket-Version: 8\r\n{UPGRADE}"), 426),
            (format!("{KEY}{UPGRADE}"), 426),
            (format!("{KEY}{VERSION}{UPGRADE}Origin: http://evil:1\r\n"), 403),
            (format!("{KEY}{VERSION}{UPGRADE}Origin: null\r\n"), 403),
            (format!("{KEY}{KEY}{VERSION}{UPGRADE}"), 400),
            (format!("{KEY}{VERSION}{VERSION}{UPGRADE}"), 426),
            (format!("{KEY}{VERSION}{UPGRADE}Origin: http://a:1\r\nOrigin: http://evil:1\r\n"), 403),
            (format!("{KEY}{VERSION}{UPGRADE}Content-Length: 3\r\n"), 400),
            (format!("{KEY}{VERSION}{UPGRADE}Transfer-Encoding: chunked\r\n"), 400),
        ] {
            let (_, answer) = handshake(address, &headers).await?;
            assert_eq!(answer.status, status, "{headers}");
            assert_eq!(answer.header("sec-websocket-version"), (status == 426).then_some("13"), "{headers}");
        }
        Ok(())
    });
}

#[test]
fn messages_come_back_and_pings_are_answered() {
    let (app, notes) = app(WebSocketConfig::default());
    serve(&app, |address| async move {
        let stream = open(address).await?;
        stream.write_all(frame(TEXT, "é".as_bytes())).await?;
        assert_eq!(read(&stream).await?, (TEXT, "é".as_bytes().to_vec()));
        stream.write_all(frame(BINARY, &[0xff; 1000])).await?;
        assert_eq!(read(&stream).await?, (BINARY, vec![0xff; 1000]));
        // In three fragments, with a ping between them.
        stream
            .write_all([frame(0x01, b"a"), frame(PING, b"p"), frame(0x00, b"b"), frame(0x80, b"c")].concat())
            .await?;
        assert_eq!(read(&stream).await?, (PONG, b"p".to_vec()));
        assert_eq!(read(&stream).await?, (TEXT, b"abc".to_vec()));
        stream.write_all(frame(CLOSE, &[0x0f, 0xa1, b'x'])).await?;
        assert_eq!(read(&stream).await?.0, CLOSE);
        assert!(stream.read(1).await?.is_empty());
        assert_eq!(notes.take(), ["closed Some(4001)"]);
        Ok(())
    });
}

#[test]
fn server_closes_with_a_code_and_waits_for_the_answer() {
    let (app, notes) = app(WebSocketConfig::default());
    serve(&app, |address| async move {
        let stream = open(address).await?;
        stream.write_all(frame(TEXT, b"bye")).await?;
        assert_eq!(read(&stream).await?, (CLOSE, [&[0x0f, 0xa0][..], b"as you like"].concat()));
        stream.write_all(frame(CLOSE, &[0x0f, 0xa0])).await?;
        assert!(stream.read(1).await?.is_empty());
        assert_eq!(notes.take(), ["closed Some(4000)"]);
        Ok(())
    });
}

#[test]
fn client_that_breaks_the_protocol_is_told_by_a_code() {
    let config = WebSocketConfig { max_message_size: 100, ..WebSocketConfig::default() };
    let (app, notes) = app(config);
    serve(&app, |address| async move {
        let unmasked = vec![TEXT, 1, b'a'];
        for (name, bytes, code) in [
            ("not masked", unmasked, 1002_u16),
            ("reserved bits", frame(0xf1, b"a"), 1002),
            ("unknown opcode", frame(0x83, b"a"), 1002),
            ("continuation of nothing", frame(0x80, b"a"), 1002),
            ("fragmented ping", frame(0x09, b"a"), 1002),
            ("text that is not UTF-8", frame(TEXT, &[0xff]), 1007),
            ("message too large", frame(TEXT, &[b'a'; 101]), 1009),
            ("fragments too large", [frame(0x01, &[b'a'; 60]), frame(0x80, &[b'a'; 60])].concat(), 1009),
        ] {
            let stream = open(address).await?;
            stream.write_all(bytes).await?;
            let (kind, payload) = read(&stream).await?;
            assert_eq!((kind, &payload[..2]), (CLOSE, &code.to_be_bytes()[..]), "{name}");
            assert!(stream.read(1).await?.is_empty(), "{name}");
            assert_eq!(notes.take(), [format!("closed Some({code})")], "{name}");
        }
        Ok(())
    });
}

#[test]
fn client_that_is_gone_closes_the_socket_without_a_code() {
    let (app, notes) = app(WebSocketConfig::default());
    serve(&app, |address| async move {
        drop(open(address).await?);
        while notes.len() == 0 {
            squall::moment().await?;
        }
        assert_eq!(notes.take(), ["closed Some(1006)"]);
        Ok(())
    });
}

#[test]
fn server_that_stops_closes_its_sockets() {
    let (app, notes) = app(WebSocketConfig::default());
    serve_with(&app, HttpServerConfig::default(), |server| async move {
        let stream = open(server.local_addr()?).await?;
        let stopped = server.stop(Duration::from_secs(60));
        let (kind, payload) = read(&stream).await?;
        assert_eq!((kind, &payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
        stream.write_all(frame(CLOSE, &payload[..2])).await?;
        stopped.await?;
        assert_eq!(notes.take(), ["closed Some(1001)"]);
        Ok(())
    });
}

#[test]
fn frames_that_come_with_the_handshake_are_not_lost() {
    serve(&app(WebSocketConfig::default()).0, |address| async move {
        let stream = TcpStream::connect(address).await?;
        let mut bytes = format!("GET / HTTP/1.1\r\nHost: a\r\n{KEY}{VERSION}{UPGRADE}\r\n").into_bytes();
        bytes.extend(frame(TEXT, b"early"));
        stream.write_all(bytes).await?;
        assert_eq!(response(&stream).await?.status, 101);
        assert_eq!(read(&stream).await?, (TEXT, b"early".to_vec()));
        Ok(())
    });
}
