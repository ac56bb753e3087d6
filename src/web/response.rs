//! The response, as a handler writes it: the other part of [`Request`].

use bytes::Bytes;
use hyper::header::{HeaderName, HeaderValue, CONTENT_TYPE, LOCATION};
use hyper::StatusCode;
use serde::Serialize;
use squall_runner::{Exception, Future, Result};

use super::error::HeadersSent;
use super::request::Request;

impl Request {
    /// Returns the current status of the response; 200 at first.
    pub fn status(&self) -> u16 {
        self.0.status.get().as_u16()
    }

    /// Sets the status.
    ///
    /// # Errors
    /// If the status is already sent, or is not a number from 200 to 599.
    pub fn set_status(&self, status: u16) -> Result<()> {
        self.check_unsent()?;
        match StatusCode::from_u16(status) {
            Ok(code) if (200..600).contains(&status) => self.0.status.set(code),
            _ => return Err(Exception::msg(format!("{status} is not the status of a response"))),
        }
        Ok(())
    }

    /// Sets a header, replacing those of the same name.
    ///
    /// ```
    /// # use squall::{Result, web::Request};
    /// fn never_stored(req: &Request) -> Result<()> {
    ///     req.set_header("Cache-Control", "no-store")
    /// }
    /// ```
    ///
    /// # Errors
    /// If the headers are already sent, or if the name or the value contains characters that a header cannot have, such
    /// as a line end.
    pub fn set_header<N, V>(&self, name: N, value: V) -> Result<()>
    where
        N: TryInto<HeaderName, Error: Into<Exception>>,
        V: TryInto<HeaderValue, Error: Into<Exception>>,
    {
        self.check_unsent()?;
        let (name, value) = (name.try_into().map_err(Into::into)?, value.try_into().map_err(Into::into)?);
        self.0.length.note(&name);
        self.0.headers.borrow_mut().insert(name, value);
        Ok(())
    }

    /// Adds a header, keeping those of the same name.
    ///
    /// # Errors
    /// The errors of [`set_header`](Self::set_header).
    pub fn add_header<N, V>(&self, name: N, value: V) -> Result<()>
    where
        N: TryInto<HeaderName, Error: Into<Exception>>,
        V: TryInto<HeaderValue, Error: Into<Exception>>,
    {
        self.check_unsent()?;
        let (name, value) = (name.try_into().map_err(Into::into)?, value.try_into().map_err(Into::into)?);
        self.0.length.note(&name);
        self.0.headers.borrow_mut().append(name, value);
        Ok(())
    }

    /// Removes the headers of that name.
    ///
    /// # Errors
    /// If the headers are already sent.
    pub fn clear_header(&self, name: &str) -> Result<()> {
        self.check_unsent()?;
        self.0.headers.borrow_mut().remove(name);
        Ok(())
    }

    pub(super) fn check_unsent(&self) -> Result<()> {
        if self.0.is_sent() {
            Err(HeadersSent)?;
        }
        Ok(())
    }

    /// Adds text or bytes to the response. They are sent by the next [`flush`](Self::flush) or at the end. Without a
    /// `Content-Type` the response is `text/html; charset=UTF-8`.
    ///
    /// # Panics
    /// Panics if the response is finished.
    #[track_caller]
    pub fn write(&self, chunk: impl Into<Bytes>) {
        assert!(!self.0.is_finished(), "the response is finished: write before `finish` and `redirect`");
        self.0.write(chunk.into());
    }

    /// Adds a value as JSON, and sets the `Content-Type` to `application/json` if the headers are not sent yet.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    ///
    /// # Panics
    /// Panics if the response is finished.
    #[track_caller]
    pub fn write_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        let json = serde_json::to_vec(value)?;
        if !self.0.is_sent() {
            let json = HeaderValue::from_static("application/json; charset=UTF-8");
            self.0.headers.borrow_mut().insert(CONTENT_TYPE, json);
        }
        self.write(json);
        Ok(())
    }

    /// Sends what was written so far; the first call also sends the status and the headers. The Future is done when the
    /// system has accepted all of it, so a handler that waits for it goes at the pace of its client.
    ///
    /// ```
    /// # use std::rc::Rc;
    /// # use squall::{Result, web::{Request, RequestHandler}};
    /// struct Count;
    ///
    /// impl RequestHandler for Count {
    ///     #[squall::coroutine]
    ///     fn get(self: Rc<Self>, req: Request) -> Result<()> {
    ///         for n in 0..1000 {
    ///             req.write(format!("{n}\n"));
    ///             yield_!(req.flush())?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # squall::web::Application::new().route("/", Count);
    /// ```
    ///
    /// # Errors
    /// The Future fails with [`ConnectionClosed`](super::ConnectionClosed) if the connection is lost. A handler need
    /// not wait for it: this failure is not logged.
    ///
    /// Source: `tornado.web.RequestHandler.flush`.
    pub fn flush(&self) -> Future<()> {
        self.0.flush()
    }

    /// Finishes the response: sends what was written, after which nothing can be added. Does nothing if the response is
    /// already finished. Without this call, the response is finished when the handler's method is done.
    pub fn finish(&self) {
        self.0.finish();
    }

    /// Finishes the response as a redirect to a URL, with status 302.
    ///
    /// # Errors
    /// If the headers are already sent, or the URL contains characters that a header cannot have.
    pub fn redirect(&self, url: &str) -> Result<()> {
        self.redirect_with(302, url)
    }

    /// Finishes the response as a redirect to a URL, with a status such as 301, 303, 307 or 308.
    ///
    /// # Errors
    /// The errors of [`redirect`](Self::redirect), and an error if the status is not one of 300 to 399.
    pub fn redirect_with(&self, status: u16, url: &str) -> Result<()> {
        if !(300..400).contains(&status) {
            return Err(Exception::msg(format!("{status} is not the status of a redirection")));
        }
        self.set_status(status)?;
        self.set_header(LOCATION, url)?;
        self.finish();
        Ok(())
    }
}
