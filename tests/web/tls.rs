//! HTTPS. The certificate in this directory is for `localhost` and of use for nothing else.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use futures_rustls::TlsConnector;
use squall::net::{IoStream, TcpStream};
use squall::web::{Application, HttpServerConfig, Request, RequestHandler, TlsConfig};
use squall::{IoLoop, Result};

use crate::client::talk;

const CERTIFICATE: &[u8] = include_bytes!("localhost.pem");
const KEY: &[u8] = include_bytes!("localhost.key");

struct Secure;

impl RequestHandler for Secure {
    async fn get(self: std::rc::Rc<Self>, req: Request) -> Result<()> {
        req.write(format!("secure: {}", req.is_secure()));
        req.flush().await?;
        req.write(vec![b'x'; 300_000]);
        Ok(())
    }
}

fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERTIFICATE).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config).into()
}

#[test]
fn https_is_http_on_an_encrypted_stream() {
    let tls = TlsConfig::from_pem(CERTIFICATE, KEY).unwrap();
    let app = Application::new().route("/", Secure);
    let server = app.listen_tls("127.0.0.1:0", tls, HttpServerConfig::default()).unwrap();
    let ran = IoLoop::current().run_sync(|| async move {
        let address = server.local_addr()?;
        let stream = IoStream::from(TcpStream::connect(address).await?);
        let mut stream = connector().connect(ServerName::try_from("localhost")?, stream).await?;
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let written = poll_fn(|cx| Pin::new(&mut stream).poll_write(cx, request)).await?;
        assert_eq!(written, request.len());
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match poll_fn(|cx| Pin::new(&mut stream).poll_read(cx, &mut buffer)).await? {
                0 => break,
                n => answer.extend_from_slice(&buffer[..n]),
            }
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("secure: true"), "{answer}");
        assert_eq!(answer.matches('x').count(), 300_000 + answer.matches("text/").count());
        // What is not TLS gets no HTTP, and the server goes on.
        assert!(!talk(address, "GET / HTTP/1.1\r\n\r\n").await?.contains("HTTP"));
        server.stop(std::time::Duration::from_secs(10)).await
    });
    ran.unwrap();
}

#[test]
fn pem_texts_that_are_none_are_refused() {
    assert!(TlsConfig::from_pem(b"", KEY).is_err());
    assert!(TlsConfig::from_pem(CERTIFICATE, b"").is_err());
}

#[test]
fn missing_part_of_a_configuration_is_named() {
    let why = |certificate, key| TlsConfig::from_pem(certificate, key).unwrap_err().to_string();
    assert_eq!(why(b"", KEY), "the PEM text has no certificate");
    assert_eq!(why(KEY, KEY), "the PEM text has no certificate");
    assert_eq!(why(CERTIFICATE, b""), "the PEM text has no private key");
    assert_eq!(why(CERTIFICATE, CERTIFICATE), "the PEM text has no private key");
}
