//! Cookies of requests and responses.

use cookie::Cookie;
use hyper::header::{HeaderValue, COOKIE, SET_COOKIE};
use squall_runner::Result;

use super::request::Request;

impl Request {
    /// Returns the value of a cookie that the client sent, decoded and without quotes around it. Of several with the name,
    /// it is the first, whose path is the longest. Invalid UTF-8 is replaced with U+FFFD.
    pub fn cookie(&self, name: &str) -> Option<String> {
        // One cookie with odd characters, which any page of the site can set, must not hide the others.
        let mut lines =
            self.headers().get_all(COOKIE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
        lines.find_map(|line| {
            line.split(';').find_map(|pair| {
                let cookie = Cookie::parse_encoded(pair).or_else(|_| Cookie::parse(pair)).ok()?;
                (cookie.name() == name).then(|| cookie.value_trimmed().to_owned())
            })
        })
    }

    /// Sets a cookie at the client: a pair of name and value, or a [`Cookie`] with a lifetime, a domain and so on. Its
    /// path is `/` by default.
    ///
    /// ```
    /// # use squall::{Result, web::{Cookie, Request}};
    /// fn remember(req: &Request) -> Result<()> {
    ///     req.set_cookie(("language", "en"))?;
    ///     req.set_cookie(Cookie::build(("session", "7f3a")).http_only(true).secure(true))
    /// }
    /// ```
    ///
    /// # Errors
    /// If the headers are already sent, or the name contains characters that a header cannot have.
    ///
    /// Source: `tornado.web.RequestHandler.set_cookie`.
    pub fn set_cookie<'c>(&self, cookie: impl Into<Cookie<'c>>) -> Result<()> {
        self.check_unsent()?;
        let mut cookie = cookie.into();
        if cookie.path().is_none() {
            cookie.set_path("/");
        }
        let line = HeaderValue::try_from(cookie.encoded().to_string())?;
        self.0.headers.borrow_mut().append(SET_COOKIE, line);
        Ok(())
    }

    /// Removes a cookie from the client.
    ///
    /// # Errors
    /// The errors of [`set_cookie`](Self::set_cookie).
    pub fn clear_cookie(&self, name: &str) -> Result<()> {
        let mut cookie = Cookie::from(name.to_owned());
        cookie.make_removal();
        self.set_cookie(cookie)
    }
}
