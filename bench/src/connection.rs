//! One kept-alive HTTP/1.1 connection to the broker.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Sends one request after the other.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

impl Connection {
    /// Connects to an origin such as `http://localhost:8787`, on the IPv4 loopback.
    pub(crate) async fn open(origin: &str) -> Result<Self> {
        let authority = origin.strip_prefix("http://").context("the broker's origin is not plain http")?;
        let (_, port) = authority.split_once(':').context("the broker's origin has no port")?;
        let stream = TcpStream::connect(("127.0.0.1", port.parse()?)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; a request that it cuts off fails by itself.
        tokio::spawn(connection);
        Ok(Self { sender, host: HeaderValue::from_str(authority)? })
    }

    /// Sends a request with a path for an address, and reads the whole answer.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        request.headers_mut().insert(HOST, self.host.clone());
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }
}
