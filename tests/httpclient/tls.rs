//! HTTPS, with a certificate of its own for `localhost` (made by `openssl req -x509`, valid for a hundred years).

use std::sync::Arc;
use std::time::Duration;

use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::ServerConfig;
use futures_rustls::TlsAcceptor;
use squall::httpclient::{AsyncHttpClient, ClientTls, HttpClientConfig, HttpClientError, Request, Stage};
use squall::net::{IoStream, TcpListener};
use squall::{Exception, IoLoop, Result};

use crate::error;
use crate::server::run;

const CERTIFICATE: &[u8] = include_bytes!("tls/cert.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

fn acceptor() -> Result<TlsAcceptor> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE)?],
            PrivateKeyDer::from_pem_slice(KEY)?,
        )?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Answers each request of each connection with "secret". Returns its port.
fn serve() -> Result<u16> {
    let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0")?, acceptor()?);
    let port = listener.local_addr()?.port();
    IoLoop::current().spawn_callback(move || async move {
        loop {
            let stream: IoStream = listener.accept().await?.0.into();
            let handshake = acceptor.accept(stream);
            IoLoop::current().spawn_callback(move || async move {
                // A client that does not trust the certificate leaves.
                if let Ok(mut stream) = handshake.await {
                    converse(&mut stream).await?;
                }
                Ok::<_, Exception>(())
            });
        }
        #[allow(unreachable_code)]
        Ok::<_, Exception>(())
    });
    Ok(port)
}

async fn converse(stream: &mut futures_rustls::server::TlsStream<IoStream>) -> Result<()> {
    use futures_io::{AsyncRead, AsyncWrite};
    use std::future::poll_fn;
    use std::pin::Pin;

    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let n = poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buffer)).await.unwrap_or(0);
        if n == 0 {
            return Ok(());
        }
        seen.extend(&buffer[..n]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
            poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, answer)).await?;
            poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await?;
        }
    }
}

fn client(tls: ClientTls) -> AsyncHttpClient {
    AsyncHttpClient::with_config(HttpClientConfig { tls, ..HttpClientConfig::default() })
}

#[test]
fn certificate_that_is_given_is_trusted_by_name_and_by_address() {
    run(|| async {
        let port = serve()?;
        let client = client(ClientTls::from_ca_pem(CERTIFICATE)?);
        for host in ["localhost", "127.0.0.1", "localhost"] {
            let url = format!("https://{host}:{port}/");
            let response = client.fetch(&url).await?;
            assert_eq!((response.text()?.as_str(), response.url()), ("secret", url.as_str()));
        }
        Ok(())
    });
}

#[test]
fn untrusted_certificate_or_one_of_another_name_fails() {
    run(|| async {
        let port = serve()?;
        let failed =
            client(ClientTls::default()).fetch(format!("https://localhost:{port}/")).await.unwrap_err();
        assert!(matches!(error(&failed), HttpClientError::Tls { .. }), "{failed:?}");
        let trusting = client(ClientTls::from_ca_pem(CERTIFICATE)?);
        let failed = trusting.fetch(format!("https://127.0.0.2:{port}/")).await;
        // Not every system has this address.
        if let Err(failed) = failed {
            let unreachable = matches!(error(&failed), HttpClientError::Connect { .. });
            assert!(unreachable || matches!(error(&failed), HttpClientError::Tls { .. }), "{failed:?}");
        }
        Ok(())
    });
}

#[test]
fn server_without_tls_or_without_an_answer_fails_in_that_stage() {
    run(|| async {
        let plain = crate::server::serve(|_| crate::server::ok("x"));
        let client = client(ClientTls::from_ca_pem(CERTIFICATE)?);
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://{}/", listener.local_addr()?);
        let request = Request::get(url).connect_timeout(Duration::from_millis(30));
        let failed = client.fetch(request).await.unwrap_err();
        let late = matches!(
            error(&failed),
            HttpClientError::Timeout { setting: "connect_timeout", stage: Stage::Tls, .. }
        );
        assert!(late, "{failed:?}");
        drop(plain);
        Ok(())
    });
}

#[test]
fn text_without_a_certificate_is_refused() {
    assert!(ClientTls::from_ca_pem(b"no PEM").is_err());
}
