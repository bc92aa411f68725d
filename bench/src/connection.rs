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
    origin: String,
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
        Ok(Self { origin: origin.to_owned(), sender, host: HeaderValue::from_str(authority)? })
    }

    /// Sends a request with a path for an address, and reads the whole answer. A connection that was closed without an
    /// answer is opened again, once: workerd takes one for idle when its only thread was too busy to read it for 5 s.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        request.headers_mut().insert(HOST, self.host.clone());
        match self.attempt(request.clone()).await {
            Err(error) if !error.is_parse() => {
                eprintln!("opening a connection again: {error}");
                *self = Self::open(&self.origin.clone()).await?;
                Ok(self.attempt(request).await?)
            }
            answer => Ok(answer?),
        }
    }

    async fn attempt(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Bytes>> {
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }
}
