//! squall's server: an `Application` whose handlers are coroutines. They send no entity tags, since the peer sends none.

use std::error::Error;
use std::rc::Rc;

use bytes::Bytes;
use squall::locks::Event;
use squall::web::{Application, Request, RequestHandler};
use squall::{IoLoop, Result};

use crate::{json, HELLO, JSON};

struct Hello;

impl RequestHandler for Hello {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(HELLO);
        Ok(())
    }

    fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
        None
    }
}

struct Json(Bytes);

impl RequestHandler for Json {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.set_header("content-type", JSON)?;
        req.write(self.0.clone());
        Ok(())
    }

    fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
        None
    }
}

struct NativeHello;

impl RequestHandler for NativeHello {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(HELLO);
        Ok(())
    }

    fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
        None
    }
}

struct NativeJson(Bytes);

impl RequestHandler for NativeJson {
    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.set_header("content-type", JSON)?;
        req.write(self.0.clone());
        Ok(())
    }

    fn compute_etag(&self, _: &Request, _: &[u8]) -> Option<String> {
        None
    }
}

/// How the handlers are written.
pub(crate) enum Style {
    Yield,
    Native,
}

/// Serves until the process is ended.
pub(crate) fn serve(style: &Style) -> Result<(), Box<dyn Error>> {
    let app = Application::new();
    let app = match style {
        Style::Yield => app.route("/hello", Hello).route("/json", Json(json())),
        Style::Native => app.route("/hello", NativeHello).route("/json", NativeJson(json())),
    };
    IoLoop::new().run_sync(move || {
        squall::coroutine(|co| async move {
            let server = app.listen("127.0.0.1:0")?;
            println!("{}", server.local_addr().map_or(0, |address| address.port()));
            co.yield_(Event::new().wait()).await
        })
    })?;
    Ok(())
}
