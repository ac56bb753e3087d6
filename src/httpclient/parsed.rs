//! The body of a [`Response`] as text or JSON, and the statuses that are errors.

use hyper::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use squall_runner::{Exception, Result};

use super::error::HttpClientError;
use super::response::Response;

impl Response {
    /// Returns the body as text, decoded by the charset in `Content-Type`.
    ///
    /// Without a charset, and for `utf-8` and `us-ascii`, the body is decoded as UTF-8, and invalid bytes become
    /// U+FFFD. A byte order mark is left out. For `iso-8859-1` each byte is a character.
    ///
    /// # Errors
    /// [`HttpClientError::Decode`] for another charset; [`body`](Self::body) returns the bytes then.
    pub fn text(&self) -> Result<String> {
        let charset = self.header(CONTENT_TYPE).and_then(charset).unwrap_or_default().to_ascii_lowercase();
        match charset.as_str() {
            "" | "utf-8" | "utf8" | "us-ascii" | "ascii" => {
                Ok(String::from_utf8_lossy(self.unmarked()).into_owned())
            }
            "iso-8859-1" | "latin1" | "latin-1" => {
                Ok(self.body().iter().map(|byte| char::from(*byte)).collect())
            }
            _ => Err(self.undecodable(Exception::msg(format!("its charset {charset:?} is not supported")))),
        }
    }

    /// Returns the body, parsed as JSON. A byte order mark before it is skipped.
    ///
    /// # Errors
    /// [`HttpClientError::Decode`] if the body is not the JSON of a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(self.unmarked()).map_err(|error| self.undecodable(error.into()))
    }

    /// Returns the body without the byte order mark that some programs put before UTF-8.
    fn unmarked(&self) -> &[u8] {
        self.body().strip_prefix(b"\xef\xbb\xbf").unwrap_or(self.body())
    }

    fn undecodable(&self, cause: Exception) -> Exception {
        HttpClientError::Decode { url: self.url().to_owned(), cause }.into()
    }

    /// Returns this response, or raises its status if `raise_error` is set and the status is not one of 200 to 299.
    pub(super) fn checked(self, raise_error: bool) -> Result<Self> {
        if self.status().is_success() || !raise_error {
            return Ok(self);
        }
        let url = self.url().to_owned();
        Err(HttpClientError::Status { url, response: Box::new(self) }.into())
    }
}

/// Returns the charset in a `Content-Type`.
fn charset(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}
