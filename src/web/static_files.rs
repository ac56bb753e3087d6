//! [`StaticFiles`]: serves the files of a directory.

mod conditions;
mod file;

use std::path::PathBuf;
use std::rc::Rc;

use hyper::header::{
    HeaderValue, ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
};
use hyper::Method;
use squall_runner::Result;

use conditions::{Condition, Selected};
use file::OpenFile;

use super::error::HttpError;
use super::handler::RequestHandler;
use super::request::Request;
use crate::ioloop::IoLoop;

/// Serves the files of a directory, at a route whose parameter `path` is the rest of the path:
///
/// ```
/// use squall::web::{Application, StaticFiles};
///
/// let app = Application::new().route("/static/{*path}", StaticFiles::new("examples"));
/// # drop(app);
/// ```
///
/// A response has a `Content-Type` by the file's name, a `Last-Modified` and an `ETag`. `If-None-Match`,
/// `If-Modified-Since`, `If-Match` and `If-Unmodified-Since` are answered with 304 and 412, a `Range` with 206 or 416.
/// Several ranges in one request are answered with the whole file, as RFC 9110 allows.
///
/// Only regular files within the directory are served. A path whose `..` leads out of the directory, a symbolic link that
/// does, and a directory are answered with 404.
///
/// Files are read on the loop's executor, 64 KiB at a time, at the pace of the client.
///
/// Source: `tornado.web.StaticFileHandler`.
#[derive(Debug)]
pub struct StaticFiles {
    root: PathBuf,
}

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;

impl StaticFiles {
    /// Creates a handler that serves the files of the directory `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    async fn send(self: Rc<Self>, req: Request) -> Result<()> {
        let io_loop = IoLoop::current();
        let (root, path) = (self.root.clone(), req.path_param("path").unwrap_or_default().to_owned());
        let Some(file) = io_loop.run_in_executor(move || OpenFile::find(&root, &path)).await?? else {
            return Err(HttpError(404).into());
        };
        let etag = file.etag();
        req.set_header(ETAG, etag.as_str())?;
        if let Some(modified) = file.modified() {
            req.set_header(LAST_MODIFIED, httpdate::fmt_http_date(modified))?;
        }
        req.set_header(ACCEPT_RANGES, "bytes")?;
        match conditions::check(req.headers(), &etag, file.modified()) {
            Condition::Holds => {}
            Condition::NotModified => return req.set_status(304),
            Condition::Failed => {
                return req.set_status(412);
            }
        }
        let mime = mime_guess::from_path(file.path()).first_raw().unwrap_or("application/octet-stream");
        let mime = match mime.starts_with("text/") {
            true => HeaderValue::try_from(format!("{mime}; charset=UTF-8"))?,
            false => HeaderValue::from_static(mime),
        };
        req.set_header(CONTENT_TYPE, mime)?;
        let range = req.headers().get(RANGE).filter(|_| *req.method() == Method::GET);
        let asked = range.filter(|_| conditions::range_applies(req.headers(), &etag, file.modified()));
        let selected = conditions::select(asked, file.len());
        let (start, len) = match selected {
            Selected::All => (0, file.len()),
            Selected::Part(start, len) => {
                req.set_status(206)?;
                let last = start + len - 1;
                req.set_header(CONTENT_RANGE, format!("bytes {start}-{last}/{}", file.len()))?;
                (start, len)
            }
            Selected::Nothing => {
                req.set_status(416)?;
                req.clear_header(CONTENT_TYPE.as_str())?;
                return req.set_header(CONTENT_RANGE, format!("bytes */{}", file.len()));
            }
        };
        req.set_header(CONTENT_LENGTH, len)?;
        if *req.method() == Method::HEAD || len == 0 {
            return Ok(());
        }
        self.send_part(&req, file, start, len).await
    }

    async fn send_part(&self, req: &Request, file: OpenFile, start: u64, len: u64) -> Result<()> {
        let io_loop = IoLoop::current();
        let file = std::sync::Arc::new(file);
        let (mut at, mut left) = (start, len);
        while left > 0 {
            let size = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
            let reader = file.clone();
            let chunk = io_loop.run_in_executor(move || reader.read_at(at, size)).await??;
            (at, left) = (at + chunk.len() as u64, left - chunk.len() as u64);
            req.write(chunk);
            if left > 0 {
                req.flush().await?;
            }
        }
        Ok(())
    }
}

impl RequestHandler for StaticFiles {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        self.send(req).await
    }

    async fn head(self: Rc<Self>, req: Request) -> Result<()> {
        self.send(req).await
    }
}
