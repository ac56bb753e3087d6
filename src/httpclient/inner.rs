//! [`Inner`]: what the handles of a client share.

use std::rc::Rc;

use hyper::header::HeaderValue;

use super::config::HttpClientConfig;
use super::pool::Pool;
#[cfg(feature = "http-client")]
use super::tls::Tls;
use crate::locks::Semaphore;

/// The state that the handles of a client share.
pub(super) struct Inner {
    pub(super) config: HttpClientConfig,
    pub(super) user_agent: HeaderValue,
    pub(super) pool: Rc<Pool>,
    /// Permits for concurrent fetches.
    pub(super) places: Semaphore,
    #[cfg(feature = "http-client")]
    pub(super) tls: Tls,
}
