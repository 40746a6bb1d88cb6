//! One GET over https: a connection for each, since there are few. What comes back is bounded; redirections are not followed.

use std::io;

use barnabas_auth::jwt::keys::KEY_SET_BYTES_MAX;
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsConnector;

use crate::limits::HTTP_HEAD_BYTES_MAX;
use crate::seam;
use crate::tls::{ClientTls, remedy};

const HTTPS_PORT: u16 = 443;

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpsError {
    /// No connection.
    #[error("connect: {0}")]
    Connect(#[source] io::Error),
    /// TLS did not come about.
    #[error("TLS: {0}")]
    Tls(String),
    /// What answers does not speak HTTP, or its answer is too long or breaks off.
    #[error("HTTP: {0}")]
    Http(String),
    /// Another answer than 200.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// It takes too long.
    #[error("no answer in time")]
    TimedOut,
}

/// What is asked.
pub(super) struct Endpoint {
    uri: Uri,
    tls: ClientTls,
}

impl Endpoint {
    /// An URL with a host.
    pub(super) fn new(uri: Uri, tls: ClientTls) -> Self {
        Self { uri, tls }
    }

    /// For messages: without a query, which may hold a secret.
    pub(super) fn url(&self) -> String {
        format!("https://{}{}", self.authority(), self.uri.path())
    }

    /// Host and port, without user and password.
    fn authority(&self) -> String {
        let (host, port) = (self.uri.host().unwrap_or_default(), self.uri.port_u16());
        port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The body of the answer. The caller bounds the time.
    pub(super) async fn get(&self) -> Result<Bytes, HttpsError> {
        let host = self.uri.host().unwrap_or_default();
        let address = format!("{host}:{}", self.uri.port_u16().unwrap_or(HTTPS_PORT));
        let name = ClientTls::name_of(&address).ok_or_else(|| HttpsError::Tls(format!("{host} is no host")))?;
        let stream = seam::connect(&address).await.map_err(HttpsError::Connect)?;
        let secured = TlsConnector::from(self.tls.config()).connect(name, stream).await;
        let secured = secured.map_err(|error| HttpsError::Tls(told(&error)))?;
        let http = |error: hyper::Error| HttpsError::Http(error.to_string());
        let mut client = hyper::client::conn::http1::Builder::new();
        client.max_buf_size(HTTP_HEAD_BYTES_MAX);
        let (mut sender, connection) = client.handshake(TokioIo::new(secured)).await.map_err(http)?;
        let request = self.request()?;
        let exchange = Box::pin(async move {
            let answer = sender.send_request(request).await.map_err(http)?;
            if answer.status() != StatusCode::OK {
                return Err(HttpsError::Status(answer.status()));
            }
            let body = Limited::new(answer.into_body(), KEY_SET_BYTES_MAX).collect().await;
            Ok(body.map_err(|error| HttpsError::Http(error.to_string()))?.to_bytes())
        });
        // The connection does the work; when it ends first, the exchange has all that there will be.
        match select(exchange, connection).await {
            Either::Left((body, _)) => body,
            Either::Right((_, exchange)) => exchange.await,
        }
    }

    fn request(&self) -> Result<Request<Empty<Bytes>>, HttpsError> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        Request::get(path)
            .header(HOST, self.authority())
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, concat!("barnabas/", env!("CARGO_PKG_VERSION")))
            .body(Empty::new())
            .map_err(|error| HttpsError::Http(error.to_string()))
    }
}

/// What TLS says, with what to do.
fn told(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    tls.map_or_else(|| error.to_string(), |tls| format!("{tls}; {}", remedy(tls)))
}
