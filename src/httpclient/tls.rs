//! HTTPS: [`ClientTls`], which certificates are trusted, and the handshake.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use futures_rustls::TlsConnector;
use rustls_platform_verifier::BuilderVerifierExt;
use squall_runner::{Exception, Result};

use crate::http::transport::Transport;
use crate::ioloop::IoLoop;
use crate::net::IoStream;

/// The certificates that a client trusts: those of the operating system by default.
///
/// ```no_run
/// use squall::httpclient::{AsyncHttpClient, ClientTls, HttpClientConfig};
///
/// let tls = ClientTls::from_ca_pem(&std::fs::read("ca.pem")?)?;
/// let client = AsyncHttpClient::with_config(HttpClientConfig { tls, ..HttpClientConfig::default() });
/// # Ok::<(), squall::Exception>(())
/// ```
#[derive(Clone, Default)]
pub struct ClientTls(Option<Arc<ClientConfig>>);

impl ClientTls {
    /// Trusts only the certificates in a PEM text.
    ///
    /// # Errors
    /// If the text contains no certificate, or one that cannot be read.
    pub fn from_ca_pem(certificates: &[u8]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(certificates) {
            roots.add(certificate?)?;
        }
        if roots.is_empty() {
            return Err(Exception::msg("the PEM text has no certificate"));
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Some(Arc::new(config))))
    }
}

/// Uses a configuration of rustls as it is. Its `alpn_protocols` must not name anything but `http/1.1`.
impl From<Arc<ClientConfig>> for ClientTls {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self(Some(config))
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ClientTls(given)" } else { "ClientTls(system)" })
    }
}

/// Returns a configuration with the certificates of the operating system. Reading them takes a while.
fn of_system() -> Result<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?;
    Ok(config.with_no_client_auth())
}

/// Creates encrypted connections.
pub(super) struct Tls(RefCell<ClientTls>);

impl Tls {
    pub(super) fn new(tls: ClientTls) -> Self {
        Self(RefCell::new(tls))
    }

    /// Performs the TLS handshake with `host`.
    pub(super) async fn connect(&self, host: &str, stream: IoStream) -> Result<Transport> {
        let unbracketed = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(unbracketed.to_owned())?;
        let stream = TlsConnector::from(self.config().await?).connect(name, stream).await?;
        Ok(Transport::Other(Box::pin(stream)))
    }

    async fn config(&self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = &self.0.borrow().0 {
            return Ok(config.clone());
        }
        let config = Arc::new(IoLoop::current().run_result_in_executor(of_system).await?);
        *self.0.borrow_mut() = ClientTls(Some(config.clone()));
        Ok(config)
    }
}
