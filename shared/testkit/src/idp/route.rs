//! The provider's addresses, and its two doors: in process as the broker's `HttpClient`, and over HTTP.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::platform::{HttpClient, HttpError};

use super::people::PEOPLE;
use super::{Demand, Document, FakeOidcIdp, Lie};
use crate::html::{self, PAGE_HEADERS};

/// Where a relying party's server may ask.
const BACK_CHANNEL: [&str; 6] = [DISCOVERY, "/jwks", "/token", "/userinfo", "/par", "/introspect"];
const DISCOVERY: &str = "/.well-known/openid-configuration";

impl FakeOidcIdp {
    /// Answers one request, of a browser or of a relying party.
    pub async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        self.state().requests.push(path.clone());
        if let Some(canned) = self.canned(&path) {
            return canned.response();
        }
        // Entra keeps the metadata of several directories under a path.
        let path = if path.ends_with(DISCOVERY) { DISCOVERY.to_owned() } else { path };
        let method = request.method().clone();
        match (method, path.as_str()) {
            (Method::GET, DISCOVERY) => self.discovery(),
            (Method::GET, "/jwks") => self.jwks(),
            (Method::POST, "/token") => self.token(&request).await,
            (Method::GET | Method::POST, "/userinfo") => self.userinfo(&request).await,
            (Method::GET, path) if path.starts_with(PEOPLE) => self.person(&request),
            (Method::POST, "/introspect") => self.introspect(&request).await,
            (Method::POST, "/par") => self.take_pushed(&request).await,
            (Method::GET | Method::POST, "/authorize") => self.authorize(&request).await,
            (Method::POST, "/login") => self.login(&request),
            (Method::GET | Method::POST, "/logout") => self.logout(&request),
            (Method::GET, "/") => page(StatusCode::OK, "Identity provider", &self.front_page()),
            (Method::GET, "/style.css") => style_sheet(),
            _ => page(StatusCode::NOT_FOUND, "Not found", "<h1>Not found</h1>"),
        }
    }

    fn front_page(&self) -> String {
        format!(
            "<h1>Identity provider</h1><p>Stands in for a company's own sign-in, for tests and demonstrations. \
             It keeps nothing.</p><p class=\"soft\">Issuer: <code>{}</code></p>",
            html::escape(&self.issuer)
        )
    }

    fn discovery(&self) -> Response<Bytes> {
        if self.lies(Lie::DiscoveryDown) {
            return json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }));
        }
        let at = |path: &str| format!("{}{path}", self.issuer);
        let issuer = if self.lies(Lie::DiscoveryOtherIssuer) { "https://other.example" } else { &self.issuer };
        let algorithm = self.state().signing.key.algorithm.name();
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "userinfo_endpoint": at("/userinfo"),
            "jwks_uri": at("/jwks"),
            "end_session_endpoint": at("/logout"),
            "introspection_endpoint": at("/introspect"),
            "pushed_authorization_request_endpoint": at("/par"),
            "require_pushed_authorization_requests": self.demands(Demand::PushedRequests),
            "request_parameter_supported": true,
            "require_signed_request_object": self.demands(Demand::SignedRequests),
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [algorithm],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub", "email", "email_verified", "name"],
            "authorization_response_iss_parameter_supported": true,
        });
        let members = metadata.as_object().cloned().unwrap_or_default();
        json_response(StatusCode::OK, &Value::Object(self.as_said(Document::Metadata, members)))
    }

    fn jwks(&self) -> Response<Bytes> {
        if self.lies(Lie::JwksDown) {
            return json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }));
        }
        let mut response = json_response(StatusCode::OK, &Value::Null);
        *response.body_mut() = self.jwks_document();
        response
    }

    /// The key set as it is published.
    pub fn jwks_document(&self) -> Bytes {
        let state = self.state();
        let keys: Vec<Value> =
            std::iter::once(&state.signing).chain(&state.retired).map(super::NamedKey::jwk).collect();
        json!({ "keys": keys }).to_string().into()
    }
}

#[async_trait]
impl HttpClient for FakeOidcIdp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let here = request.uri().to_string().strip_prefix(&self.issuer).is_some_and(|rest| rest.starts_with('/'));
        let path = request.uri().path();
        let known = path.starts_with(PEOPLE) || BACK_CHANNEL.iter().any(|known| path.ends_with(known));
        if !here || !known {
            let seen = format!("{} {}", request.method(), request.uri());
            self.state().unexpected.push(seen.clone());
            return Err(HttpError::Network(format!("the test's provider was not asked to expect {seen}")));
        }
        if self.lies(Lie::TimesOut) {
            self.state().requests.push(request.uri().path().to_owned());
            return Err(HttpError::Timeout);
        }
        Ok(self.answer(request).await)
    }
}

/// The provider as a server.
#[cfg(feature = "server")]
pub fn router(idp: std::sync::Arc<FakeOidcIdp>) -> axum::Router {
    use axum::body::{Body, to_bytes};
    axum::Router::new().fallback(move |request: axum::extract::Request| {
        let idp = idp.clone();
        async move {
            let (parts, body) = request.into_parts();
            match to_bytes(body, 64 * 1024).await {
                Ok(body) => {
                    let pause = idp.canned(parts.uri.path()).map_or(0, |canned| canned.pause_milliseconds);
                    let reply = idp.answer(Request::from_parts(parts, body)).await;
                    if pause == 0 { reply.map(Body::from) } else { reply.map(|body| drip(body, pause)) }
                }
                Err(_) => page(StatusCode::PAYLOAD_TOO_LARGE, "Too large", "<h1>Too large</h1>").map(Body::from),
            }
        }
    })
}

/// The body a byte at a time.
#[cfg(feature = "server")]
fn drip(body: Bytes, pause_milliseconds: u64) -> axum::body::Body {
    let pause = std::time::Duration::from_millis(pause_milliseconds);
    let bytes = futures_util::stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        let first = rest.split_to(1);
        tokio::time::sleep(pause).await;
        Some((Ok::<_, std::convert::Infallible>(first), rest))
    });
    axum::body::Body::from_stream(bytes)
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn page(status: StatusCode, title: &str, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(html::page(title, body)));
    *response.status_mut() = status;
    response.headers_mut().extend(PAGE_HEADERS);
    response
}

pub(super) fn redirect(to: &str) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(to) else {
        return page(StatusCode::BAD_REQUEST, "Bad request", "<h1>This address cannot be sent</h1>");
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn style_sheet() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(html::STYLE.as_bytes()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response
}
