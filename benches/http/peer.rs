//! The peer: hyper on tokio's current-thread runtime, one task for each connection.

use std::convert::Infallible;
use std::error::Error;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{HeaderValue, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::{json, HELLO, HTML, JSON};

/// Answers a request.
pub(crate) fn answer(request: &Request<Incoming>, json: &Bytes) -> Response<Full<Bytes>> {
    let (body, content_type) = match request.uri().path() {
        "/hello" => (HELLO, HTML),
        "/json" => (json.clone(), JSON),
        _ => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
    };
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Serves until the process is ended; with a limit of 30 seconds for the head of a request, or without any limit.
pub(crate) fn serve(limited: bool) -> Result<(), Box<dyn Error>> {
    let json = json();
    let mut builder = runtime::Builder::new_current_thread();
    builder.enable_io();
    if limited {
        builder.enable_time();
    }
    let runtime = builder.build()?;
    LocalSet::new().block_on(&runtime, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let json = json.clone();
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| {
                    let response = answer(&request, &json);
                    async move { Ok::<_, Infallible>(response) }
                });
                // A client that leaves ends its connection: nothing is to be done.
                let mut http = http1::Builder::new();
                if limited {
                    http.timer(TokioTimer::new());
                }
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}
