//! Routes, yield-style and native handlers, and their answers.

use std::rc::Rc;
use std::time::Duration;

use squall::net::TcpStream;
use squall::web::{Application, Cookie, HttpError, Request, RequestHandler};
use squall::{moment, sleep, Exception, Result};

use crate::client::{ask, get, response, serve, talk, Notes};

/// Defines a handler with one method.
macro_rules! handler {
    ($name:ident, |$req:ident| $body:block) => {
        struct $name;
        impl RequestHandler for $name {
            #[squall::coroutine]
            fn get(self: Rc<Self>, $req: Request) -> Result<()> {
                yield_!(())?;
                $body
            }
        }
    };
}

struct Both;

impl RequestHandler for Both {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        yield_!(moment())?;
        req.write("yield-style");
        Ok(())
    }

    async fn post(self: Rc<Self>, req: Request) -> Result<()> {
        moment().await?;
        req.write("native");
        Ok(())
    }
}

#[test]
fn methods_are_coroutines_of_either_style() {
    serve(&Application::new().route("/", Both), |address| async move {
        assert_eq!(get(address, "/").await?.text(), "yield-style");
        assert_eq!(ask(address, "POST / HTTP/1.1\r\nHost: a\r\n\r\n").await?.text(), "native");
        Ok(())
    });
}

#[test]
fn missing_method_is_405_with_those_that_exist() {
    serve(&Application::new().route("/", Both), |address| async move {
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "FOO", "get"] {
            let answer = ask(address, &format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("GET, HEAD, POST, OPTIONS")),
                "{method}"
            );
        }
        let options = ask(address, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, POST, OPTIONS")));
        let all = ask(address, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!((all.status, all.body.len()), (204, 0));
        Ok(())
    });
}

#[test]
fn head_is_answered_by_get_without_its_body() {
    serve(&Application::new().route("/", Both), |address| async move {
        let answer = talk(address, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(answer.contains("content-length: 11\r\n"), "{answer}");
        Ok(())
    });
}

handler!(Params, |req| {
    req.write(format!("{:?} {:?}", req.path_param("id"), req.path_param("rest")));
    Ok(())
});

#[test]
fn parameters_of_routes_are_decoded() {
    let app = Application::new()
        .route("/users/{id}", Params)
        .route("/files/{*rest}", Params)
        .route("/users/me", Both);
    serve(&app, |address| async move {
        assert_eq!(get(address, "/users/5").await?.text(), "Some(\"5\") None");
        assert_eq!(get(address, "/users/a%2Fb%20%C3%A9").await?.text(), "Some(\"a/b é\") None");
        assert_eq!(get(address, "/files/a/b").await?.text(), "None Some(\"a/b\")");
        assert_eq!(get(address, "/users/me").await?.text(), "yield-style");
        assert_eq!(get(address, "/users/%ff").await?.status, 400);
        for unknown in ["/users", "/users/", "/users/5/", "/users/5/6", "/", "//users/5", "/Users/5"] {
            assert_eq!(get(address, unknown).await?.status, 404, "{unknown}");
        }
        Ok(())
    });
}

#[test]
#[should_panic(expected = "the route \"/{a}\": ")]
fn routes_that_match_the_same_paths_panic() {
    let _ = Application::new().route("/{b}", Both).route("/{a}", Both);
}

handler!(Query, |req| {
    req.write(format!("{:?} {:?}", req.query_argument("a"), req.query_arguments("b")));
    Ok(())
});

#[test]
fn arguments_of_the_query_are_decoded_and_the_last_one_counts() {
    serve(&Application::new().route("/", Query), |address| async move {
        let answer = get(address, "/?a=1&a=x+y%26&b=1&b=%C3%A9&b").await?;
        assert_eq!(answer.text(), "Some(\"x y&\") [\"1\", \"é\", \"\"]");
        assert_eq!(get(address, "/").await?.text(), "None []");
        assert_eq!(get(address, "/?a=%zz%ff").await?.text(), "Some(\"%zz\u{fffd}\") []");
        Ok(())
    });
}

handler!(Sets, |req| {
    req.set_status(201)?;
    req.set_header("X-One", "1")?;
    req.set_header("x-one", 2)?;
    req.add_header("X-Many", "a")?;
    req.add_header("X-Many", "b")?;
    req.set_header("X-None", "x")?;
    req.clear_header("x-none")?;
    assert!(req.set_header("X-Bad", "a\r\nX-Injected: b").is_err());
    assert!(req.set_header("X Bad", "a").is_err());
    assert!(req.set_status(100).is_err() && req.set_status(600).is_err() && req.set_status(0).is_err());
    req.write_json(&serde_json::json!({ "a": [1, null] }))?;
    Ok(())
});

#[test]
fn status_headers_and_json() {
    serve(&Application::new().route("/", Sets), |address| async move {
        let answer = get(address, "/").await?;
        assert_eq!((answer.status, answer.text()), (201, "{\"a\":[1,null]}"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=UTF-8"));
        assert_eq!(answer.header("x-one"), Some("2"));
        assert_eq!(answer.head.matches("x-many: ").count(), 2);
        assert!(!answer.head.to_lowercase().contains("injected") && !answer.head.contains("x-none"));
        Ok(())
    });
}

handler!(Cookies, |req| {
    let seen = req.cookie("a");
    req.set_cookie(("plain", "x y;"))?;
    req.set_cookie(Cookie::build(("sharp", "1")).http_only(true).path("/deep"))?;
    req.clear_cookie("gone")?;
    req.write(format!("{seen:?} {:?}", req.cookie("none")));
    Ok(())
});

#[test]
fn cookies_come_and_go() {
    serve(&Application::new().route("/", Cookies), |address| async move {
        let answer =
            ask(address, "GET / HTTP/1.1\r\nHost: a\r\nCookie: b=1; a=x%20y\r\nCookie: c=2\r\n\r\n").await?;
        assert_eq!(answer.text(), "Some(\"x y\") None");
        assert!(answer.head.contains("set-cookie: plain=x%20y%3B; Path=/\r\n"), "{}", answer.head);
        assert!(answer.head.contains("set-cookie: sharp=1; HttpOnly; Path=/deep\r\n"), "{}", answer.head);
        assert!(answer.head.contains("set-cookie: gone=; Path=/; Max-Age=0; Expires="), "{}", answer.head);
        // Odd cookies hide no others, and each is what it is.
        for (cookies, a) in [
            ("b=\u{e9}; a=1", "1"),
            ("a=\u{e9}; c=1", "\u{e9}"),
            ("b=%ff; a=1", "1"),
            ("a=%ff", "%ff"),
            ("a=100%", "100%"),
            ("b; =c; ;a=1", "1"),
            ("a=\"x y\"; b=1", "x y"),
            ("a=1; a=2", "1"),
            ("a=b==", "b=="),
        ] {
            let answer =
                ask(address, &format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {cookies}\r\n\r\n")).await?;
            assert_eq!(answer.text(), format!("Some({a:?}) None"), "{cookies}");
        }
        Ok(())
    });
}

handler!(Moved, |req| {
    req.write("dropped? no: sent");
    req.redirect_with(303, "/there?a=1")
});

#[test]
fn redirection_finishes_the_response() {
    serve(&Application::new().route("/", Moved), |address| async move {
        let answer = get(address, "/").await?;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/there?a=1")));
        Ok(())
    });
}

struct Fails;

impl RequestHandler for Fails {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        yield_!(())?;
        req.set_header("X-Lost", "1")?;
        req.set_cookie(("lost", "1"))?;
        req.write("a secret that is not to be seen");
        match req.query_argument("how").as_deref() {
            Some("panic") => panic!("secret"),
            Some("status") => Err(HttpError(418))?,
            Some("nonsense") => Err(HttpError(9999))?,
            _ => Err(Exception::msg("secret")),
        }
    }

    async fn post(self: Rc<Self>, _: Request) -> Result<()> {
        panic!("secret")
    }
}

#[test]
fn failure_of_a_handler_is_the_answer_of_its_request_alone() {
    serve(&Application::new().route("/", Fails).route("/ok", Both), |address| async move {
        let stream = TcpStream::connect(address).await?;
        for (path, status) in
            [("/?how=panic", 500), ("/?how=status", 418), ("/?how=nonsense", 500), ("/", 500)]
        {
            stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
            let answer = response(&stream).await?;
            assert_eq!(answer.status, status, "{path}");
            assert!(!answer.text().contains("secret") && !answer.head.contains("lost"), "{path}");
        }
        stream.write_all("POST / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(response(&stream).await?.status, 500);
        stream.write_all("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert_eq!(response(&stream).await?.text(), "yield-style");
        Ok(())
    });
}

handler!(FailsLate, |req| {
    req.write("first");
    yield_!(req.flush())?;
    Err(Exception::msg("secret"))
});

#[test]
fn failure_after_a_flush_cuts_the_response_off() {
    serve(&Application::new().route("/", FailsLate), |address| async move {
        let answer = talk(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await?;
        assert!(answer.ends_with("\r\n\r\n5\r\nfirst\r\n"), "{answer}");
        Ok(())
    });
}

struct Streams(Notes);

impl RequestHandler for Streams {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        for n in 0..3 {
            req.write(format!("{n}"));
            req.write(",");
            yield_!(req.flush())?;
            assert!(req.set_status(404).is_err() && req.set_header("X-Late", "1").is_err());
        }
        req.write("end");
        Ok(())
    }

    fn on_finish(&self, req: &Request) {
        self.0.add(format!("finished {}", req.status()));
    }
}

#[test]
fn each_flush_is_a_chunk() {
    let notes = Notes::default();
    serve(&Application::new().route("/", Streams(notes.clone())), |address| async move {
        let answer = talk(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(answer.ends_with("2\r\n0,\r\n2\r\n1,\r\n2\r\n2,\r\n3\r\nend\r\n0\r\n\r\n"), "{answer}");
        // HTTP/1.0 has no chunks: the end of the connection is the end of the body.
        let answer = talk(address, "GET / HTTP/1.0\r\n\r\n").await?;
        assert!(answer.ends_with("\r\n\r\n0,1,2,end") && !answer.contains("chunked"), "{answer}");
        let head = talk(address, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        assert_eq!(notes.take(), ["finished 200", "finished 200", "finished 200"]);
        Ok(())
    });
}

struct Prepared(Notes);

impl RequestHandler for Prepared {
    async fn prepare(self: Rc<Self>, req: Request) -> Result<()> {
        self.0.add("prepare");
        moment().await?;
        match req.query_argument("how").as_deref() {
            Some("finish") => req.finish(),
            Some("raise") => Err(HttpError(403))?,
            _ => {}
        }
        Ok(())
    }

    #[squall::coroutine]
    fn get(self: Rc<Self>, _req: Request) -> Result<()> {
        self.0.add("get");
        Ok(())
    }

    fn on_finish(&self, req: &Request) {
        self.0.add(format!("on_finish {}", req.status()));
    }

    fn write_error(&self, req: &Request, status: u16, exception: &Exception) {
        req.write(format!("{status}, for {exception}"));
    }
}

#[test]
fn prepare_comes_first_and_may_be_all() {
    let notes = Notes::default();
    serve(&Application::new().route("/", Prepared(notes.clone())), |address| async move {
        assert_eq!(get(address, "/").await?.status, 200);
        assert_eq!(notes.take(), ["prepare", "get", "on_finish 200"]);
        assert_eq!(get(address, "/?how=finish").await?.status, 200);
        assert_eq!(notes.take(), ["prepare", "on_finish 200"]);
        let raised = get(address, "/?how=raise").await?;
        assert_eq!((raised.status, raised.text()), (403, "403, for HTTP 403: Forbidden"));
        assert_eq!(notes.take(), ["prepare", "on_finish 403"]);
        Ok(())
    });
}

struct Paused;

impl RequestHandler for Paused {
    #[squall::coroutine]
    fn get(self: Rc<Self>, req: Request) -> Result<()> {
        yield_!(sleep(Duration::from_millis(5)))?;
        req.write(format!("{}\n", req.path()));
        Ok(())
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let app = Application::new().route("/slow/{n}", Paused).route("/fast", Both);
    serve(&app, |address| async move {
        let paths = ["/slow/1", "/fast", "/nope", "/slow/2", "/fast"];
        let requests = paths.map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).concat();
        let stream = TcpStream::connect(address).await?;
        stream.write_all(requests).await?;
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(response(&stream).await?.status);
        }
        assert_eq!(answers, [200, 200, 404, 200, 200]);
        Ok(())
    });
}

#[test]
fn connection_stays_open_unless_one_side_says_otherwise() {
    serve(&Application::new().route("/", Both), |address| async move {
        for (request, stays) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            let stream = TcpStream::connect(address).await?;
            for _ in 0..=usize::from(stays) {
                stream.write_all(request).await?;
                assert_eq!(response(&stream).await?.text(), "yield-style", "{request}");
            }
            if !stays {
                assert!(stream.read(1).await?.is_empty(), "{request}");
            }
        }
        Ok(())
    });
}

handler!(WritesLate, |req| {
    req.write("all");
    req.finish();
    req.finish();
    req.write("more");
    Ok(())
});

#[test]
fn write_after_finish_is_a_mistake_that_the_client_does_not_see() {
    serve(&Application::new().route("/", WritesLate), |address| async move {
        let answer = get(address, "/").await?;
        assert_eq!((answer.status, answer.text()), (200, "all"));
        Ok(())
    });
}

handler!(NoContent, |req| {
    req.write("never sent");
    req.set_status(if req.query_argument("304").is_some() { 304 } else { 204 })
});

#[test]
fn statuses_without_a_body_have_none() {
    serve(&Application::new().route("/", NoContent), |address| async move {
        for path in ["/", "/?304"] {
            let raw = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let answer = talk(address, raw).await?;
            assert!(answer.ends_with("\r\n\r\n") && !answer.contains("content-length"), "{answer}");
        }
        Ok(())
    });
}

handler!(Unassigned, |req| {
    req.write("odd");
    req.set_status(299)
});

#[test]
fn status_without_a_standard_reason_is_unknown() {
    serve(&Application::new().route("/", Unassigned), |address| async move {
        let answer = talk(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
        assert!(answer.starts_with("HTTP/1.1 299 Unknown\r\n") && answer.ends_with("odd"), "{answer}");
        Ok(())
    });
}

#[test]
fn default_handler_answers_what_no_route_matches() {
    serve(&Application::new().default_handler(Paused), |address| async move {
        assert_eq!(get(address, "/anything").await?.text(), "/anything\n");
        Ok(())
    });
}

/// Answers with what `prepare` and an earlier request have kept.
struct Keeping;

impl RequestHandler for Keeping {
    async fn prepare(self: Rc<Self>, req: Request) -> Result<()> {
        if let Some(name) = req.query_argument("name") {
            req.set_extension(0_u32);
            req.set_extension(format!("not {name}"));
            req.set_extension(name);
        }
        Ok(())
    }

    async fn get(self: Rc<Self>, req: Request) -> Result<()> {
        req.write(format!("{:?} {:?}", req.extension::<String>(), req.extension::<u32>()));
        Ok(())
    }
}

#[test]
fn extension_is_kept_for_its_own_request_alone() {
    serve(&Application::new().route("/", Keeping), |address| async move {
        let stream = TcpStream::connect(address).await?;
        for (path, kept) in [("/?name=ann", "Some(\"ann\") Some(0)"), ("/", "None None")] {
            stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await?;
            assert_eq!(response(&stream).await?.text(), kept);
        }
        Ok(())
    });
}
