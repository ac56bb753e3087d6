//! A handler that asks another server, tests the status, and answers with indented JSON.
//!
//! ```python
//! import json, logging
//! from tornado import gen, web
//! from tornado.httpclient import AsyncHTTPClient
//!
//! class GetUser(web.RequestHandler):
//!     def initialize(self, api):
//!         self.api = api
//!
//!     @gen.coroutine
//!     def post(self):
//!         response = yield AsyncHTTPClient().fetch(self.api, raise_error=False)
//!         if response.code == 200:
//!             users = json.loads(response.body)
//!             self.write(json.dumps(users, indent=2))
//!         else:
//!             logging.error("code %d, message %s", response.code, response.reason)
//!             self.write(json.dumps({"error": response.reason}, indent=2))
//!         self.finish()
//! ```
//!
//! `cargo run --package squall-guide --bin get_user` serves the handler and the API that it asks, and posts to the handler
//! twice: the first time the API answers, the second time it is unavailable.

use std::rc::Rc;

use serde_json::{json, Value};
use squall::httpclient::{self, AsyncHttpClient};
use squall::web::{Application, HttpError, Request, RequestHandler};
use squall::{IoLoop, Result};

struct GetUser {
    api: String,
}

impl RequestHandler for GetUser {
    #[squall::coroutine]
    fn post(self: Rc<Self>, req: Request) -> Result<()> {
        let request = httpclient::Request::get(&self.api).raise_error(false);
        let response = yield_!(AsyncHttpClient::new().fetch(request))?;
        req.set_header("content-type", "application/json; charset=UTF-8")?;
        if response.status() == 200 {
            let users: Value = response.json()?;
            req.write(serde_json::to_string_pretty(&users)?);
        } else {
            log::error!("code {}, message {}", response.status().as_u16(), response.reason());
            req.write(serde_json::to_string_pretty(&json!({ "error": response.reason() }))?);
        }
        req.finish();
        Ok(())
    }
}

/// The API: its pages list two users, but for one page, which is broken.
struct Api;

impl RequestHandler for Api {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        if req.path_param("page") == Some("broken") {
            Err(HttpError(503))?;
        }
        req.write_json(&json!([{ "id": 1, "name": "Ann" }, { "id": 2, "name": "Ben" }]))
    }
}

#[squall::coroutine]
fn post(url: String) -> Result<()> {
    let response = yield_!(AsyncHttpClient::new().fetch(httpclient::Request::post(url)))?;
    println!("{} {}", response.status().as_u16(), response.text()?);
    Ok(())
}

/// Serves the API and the handler at two addresses, and posts to the handler twice.
#[squall::coroutine]
fn program(api: &'static str, front: &'static str) -> Result<()> {
    let api = Application::new().route("/{page}", Api).listen(api)?.local_addr()?;
    let get_user = |page| GetUser { api: format!("http://{api}/{page}") };
    let app = Application::new().route("/users", get_user("users")).route("/broken", get_user("broken"));
    let front = app.listen(front)?.local_addr()?;
    yield_!(post(format!("http://{front}/users")))?;
    yield_!(post(format!("http://{front}/broken")))
}

fn main() -> Result<()> {
    env_logger::builder().filter_module("get_user", log::LevelFilter::Error).format_timestamp(None).init();
    IoLoop::current().run_sync(|| program("127.0.0.1:0", "127.0.0.1:0"))
}

#[cfg(test)]
mod tests {
    use squall::testing;

    use super::*;

    #[squall::test]
    fn each_answer_of_the_api_becomes_one_of_the_handler() -> Result<()> {
        let net = testing::net();
        let api = net.host("api", || Application::new().route("/{page}", Api).listen("api:80"))?;
        let ask = |page: &str| {
            let api = format!("http://api/{page}");
            let get_user = Application::new().route("/", GetUser { api });
            let server = net.host("front", || get_user.listen("front:0"))?;
            let url = format!("http://front:{}/", server.local_addr()?.port());
            Ok::<_, squall::Exception>(
                net.host("client", || AsyncHttpClient::new().fetch(httpclient::Request::post(url))),
            )
        };
        let users = yield_!(ask("users")?)?;
        assert_eq!(users.json::<Value>()?[1]["name"], "Ben");
        assert!(users.text()?.starts_with("[\n  {\n    \"id\": 1,"), "{}", users.text()?);
        let broken = yield_!(ask("broken")?)?;
        assert_eq!(broken.text()?, "{\n  \"error\": \"Service Unavailable\"\n}");
        drop(api);
        Ok(())
    }
}
