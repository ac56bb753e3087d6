//! HTTPS: [`TlsConfig`], and the server's side of the handshake.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::{self, PemObject};
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::ServerConfig;
use futures_rustls::TlsAcceptor;
use squall_runner::{Exception, Result};

use crate::http::transport::Transport;
use crate::net::IoStream;

/// A server's certificate and key, for [`Application::listen_tls`](super::Application::listen_tls).
///
/// ```no_run
/// use squall::web::{Application, HttpServerConfig, TlsConfig};
///
/// let tls = TlsConfig::from_pem(&std::fs::read("server.pem")?, &std::fs::read("server.key")?)?;
/// let server = Application::new().listen_tls("0.0.0.0:443", tls, HttpServerConfig::default())?;
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Clone)]
pub struct TlsConfig(Arc<ServerConfig>);

impl TlsConfig {
    /// Creates a configuration from PEM texts: the certificate with its chain, and the key.
    ///
    /// # Errors
    /// If one of them cannot be read, or the key does not belong to the certificate.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self> {
        let certificates = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>()?;
        if certificates.is_empty() {
            return Err(Exception::msg("the PEM text has no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => Exception::msg("the PEM text has no private key"),
            error => error.into(),
        })?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth();
        let mut config = config.with_single_cert(certificates, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Begins the handshake of a connection.
    pub(super) fn accept(&self, stream: IoStream) -> Handshake {
        Handshake(TlsAcceptor::from(self.0.clone()).accept(stream))
    }
}

/// Uses a configuration of rustls as it is. Its `alpn_protocols` must not name anything but `http/1.1`.
impl From<Arc<ServerConfig>> for TlsConfig {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config)
    }
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig").finish_non_exhaustive()
    }
}

/// A handshake that is under way. Its result is the encrypted stream.
pub(super) struct Handshake(futures_rustls::Accept<IoStream>);

impl Future for Handshake {
    type Output = std::io::Result<Transport>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map_ok(|stream| Transport::Other(Box::pin(stream)))
    }
}
