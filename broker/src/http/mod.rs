//! What monitors see over HTTP: `/metrics` and `/metrics/clients` as Prometheus reads them, `/livez`, `/startupz`, `/readyz` and
//! `/v1/health`, and a page for people at `/`.
//! Read-only, closed unless `barnabas.http.listener` says where to listen.
//!
//! Must not know: the Kafka protocol.
//!
//! 1. Nothing is sampled between requests: an idle broker is not woken. Of earlier requests only a few looks at counters are
//!    kept: [`Looks`](crate::metrics::Looks).
//! 2. It is served before the broker is, and tells how far the start has come.
//! 3. One request a connection, at most [`HTTP_CONNECTIONS_MAX`] at once, each within [`HTTP_DEADLINE`].

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use barnabas_storage::advice::RAISE_FILE_LIMIT;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use self::exposition::Earlier;
use crate::broker::Broker;
use crate::limits::{ACCEPT_RETRY_PAUSE, HTTP_CONNECTIONS_MAX, HTTP_DEADLINE, HTTP_HEAD_BYTES_MAX};
use crate::seam::{Listener, Tasks};

mod clients;
mod exposition;
mod health;
mod lag;
mod page;
mod startup;

pub use startup::Startup;

const TEXT: &str = "text/plain; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "text/html; charset=utf-8";
/// The page brings its own style and script and asks nobody else.
const POLICY: &str = "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// Where to listen: a port alone is of the loopback address.
///
/// # Errors
/// What the setting should look like.
pub fn address(setting: &str) -> Result<Option<SocketAddr>, String> {
    let setting = setting.trim();
    if setting.is_empty() {
        return Ok(None);
    }
    if let Ok(port) = setting.parse() {
        return Ok(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
    }
    let named = setting.replacen("localhost:", "127.0.0.1:", 1);
    let wrong = |_| format!("barnabas.http.listener={setting}: it is a port, or address:port as 127.0.0.1:9644");
    named.parse().map(Some).map_err(wrong)
}

/// What requests are answered from.
struct Shown {
    startup: Arc<Startup>,
    earlier: Earlier,
}

/// Answers until the broker stops.
pub async fn serve<L: Listener>(startup: Arc<Startup>, tasks: Tasks, listener: L) {
    let mut stopping = tasks.stopping();
    let room = Arc::new(Semaphore::new(HTTP_CONNECTIONS_MAX));
    let shown = Arc::new(Shown { startup, earlier: Earlier::default() });
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.wait() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // Beyond the bound a connection is closed: whoever asks comes again.
                let Ok(slot) = Arc::clone(&room).try_acquire_owned() else { continue };
                let (shown, tasks_of_task) = (Arc::clone(&shown), tasks.clone());
                tasks.spawn("http", async move {
                    connection(shown, tasks_of_task, stream).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!("no HTTP connection could be accepted: {error}: it is tried again; {RAISE_FILE_LIMIT}");
                tasks.sleep(ACCEPT_RETRY_PAUSE).await;
            }
        }
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(shown: Arc<Shown>, tasks: Tasks, stream: S) {
    let service = service_fn(move |request| {
        let shown = Arc::clone(&shown);
        async move { Ok::<_, Infallible>(answer(shown, &request).await) }
    });
    let mut http = http1::Builder::new();
    http.keep_alive(false).half_close(false).max_buf_size(HTTP_HEAD_BYTES_MAX);
    let served = http.serve_connection(TokioIo::new(stream), service);
    if let Some(Err(error)) = tasks.within(HTTP_DEADLINE, served).await {
        tracing::debug!("an HTTP connection ended early: {error}");
    }
}

async fn answer(shown: Arc<Shown>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let startup = &*shown.startup;
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is served\n".to_owned());
    }
    let path = request.uri().path();
    if path == "/healthz" || path == "/livez" {
        return response(StatusCode::OK, TEXT, "ok\n".to_owned());
    }
    let Some(broker) = startup.broker().map(Arc::clone) else { return while_it_starts(startup, path) };
    let tasks = broker.tasks.clone();
    match path {
        "/startupz" => response(StatusCode::OK, TEXT, format!("started: {startup}\n")),
        "/v1/health" => response(StatusCode::OK, JSON, format!("{}\n", health::of_broker(&broker, startup))),
        "/readyz" => match not_ready(&broker) {
            None => response(StatusCode::OK, TEXT, "ready\n".to_owned()),
            Some(reason) => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{reason}\n")),
        },
        // Both read headers of batches from disk.
        "/metrics" => {
            let text = tasks.blocking(move || exposition::text(&broker, &shown.earlier)).await;
            response(StatusCode::OK, PROMETHEUS, text)
        }
        "/metrics/clients" => {
            response(StatusCode::OK, PROMETHEUS, tasks.blocking(move || clients::text(&broker)).await)
        }
        "/" => response(StatusCode::OK, HTML, tasks.blocking(move || page::html(&broker)).await),
        _ => response(
            StatusCode::NOT_FOUND,
            TEXT,
            "there are /, /metrics, /metrics/clients, /livez, /startupz, /readyz and /v1/health\n".to_owned(),
        ),
    }
}

/// The same paths, before there is a broker to ask.
fn while_it_starts(startup: &Startup, path: &str) -> Response<Full<Bytes>> {
    match path {
        "/v1/health" => response(StatusCode::OK, JSON, format!("{}\n", health::of_start(startup))),
        _ => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("the broker starts: {startup}\n")),
    }
}

/// Why clients should not be sent here; `None` when all is well.
fn not_ready(broker: &Broker) -> Option<&'static str> {
    match broker.controller.image().broker(broker.id) {
        None => Some("the broker is not registered"),
        Some(this) if this.fenced => Some("the broker is fenced"),
        Some(_) => None,
    }
}

fn response(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, hyper::header::HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, hyper::header::HeaderValue::from_static(POLICY));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn before_the_broker_serves_the_start_is_told_and_nothing_else() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let (startup, tasks) = (Startup::of(2), Tasks::new());
        startup.opened_directory();
        startup.found_partition();
        let shown = Arc::new(Shown { startup: Arc::new(startup), earlier: Earlier::default() });
        for (path, status, told) in [
            ("/livez", "200", "ok"),
            ("/startupz", "503", "1 of 2 log directories are open, 1 partitions were found"),
            ("/readyz", "503", "the broker starts"),
            ("/metrics", "503", "the broker starts"),
            ("/v1/health", "200", r#""status":"starting""#),
        ] {
            let (mut monitor, stream) = tokio::io::duplex(1 << 16);
            tasks.spawn("http", connection(Arc::clone(&shown), tasks.clone(), stream));
            monitor.write_all(format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            monitor.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(told), "{path}: {answer}");
        }
    }

    #[test]
    fn a_port_alone_is_of_this_machine() {
        assert_eq!(address(" "), Ok(None));
        assert_eq!(address("9644"), Ok(Some(SocketAddr::from(([127, 0, 0, 1], 9644)))));
        assert_eq!(address("localhost:1"), Ok(Some(SocketAddr::from(([127, 0, 0, 1], 1)))));
        assert_eq!(address("0.0.0.0:9644").unwrap().unwrap().to_string(), "0.0.0.0:9644");
        assert!(address("here").is_err());
    }
}
