//! The HTTP client against servers that send the bytes that a test chooses.

mod bad_servers;
mod cancelling;
mod decoding;
mod fetching;
mod in_memory;
mod keeping_alive;
mod limits;
mod redirecting;
mod server;
mod streaming;
mod tls;

use squall::httpclient::HttpClientError;
use squall::Exception;

/// Returns the client's error in an exception.
fn error(exception: &Exception) -> &HttpClientError {
    exception.downcast_ref().unwrap_or_else(|| panic!("not an error of the client: {exception:?}"))
}
