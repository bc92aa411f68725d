//! A broker that answers at once: nothing it waits for takes time.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;
use vestibule_core::platform::{Crypto, CryptoError, HttpClient, HttpError, NoQueue, Platform, PrivateKey};
use vestibule_core::secret::Secret;
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::{Broker, Config};
use vestibule_protocol::jose::{Algorithm, PublicKey};
use vestibule_protocol::saml::OaepHash;
use vestibule_testkit::{SeededRandom, TestClock};

pub(crate) const ISSUER: &str = "https://sso.example";
pub(crate) const CALLBACK: &str = "https://app.example/callback";
pub(crate) const PROVIDER: &str = "https://idp.example";
const ADMIN: &str = "admin-token-of-the-fuzz-targets-0123456789";

/// The router of the one broker.
static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let router = router();
    let connection = json!({
        "name": "Acme login", "protocol": "oidc", "issuer": PROVIDER, "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    let app = json!({ "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "none" });
    let console = json!({
        "name": "Console", "redirect_uris": ["https://console.example/callback"], "client_auth": "none",
        "relay": { "control_plane_url": "https://console.example" },
    });
    for (path, body) in [
        ("/tenants/acme", &json!({ "name": "Acme" })),
        ("/tenants/acme/connections/idp", &connection),
        ("/clients/app", &app),
        ("/clients/console", &console),
    ] {
        let request = Request::put(format!("/admin/v1{path}")).header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()));
        let reply = answer(&router, request.expect("a request"));
        assert_eq!(reply.status(), StatusCode::CREATED, "{path}: {:?}", reply.body());
    }
    router
});

fn router() -> Router {
    let config = Config::from_vars(|name| match name {
        "VESTIBULE_ISSUER" => Some(ISSUER.to_owned()),
        "VESTIBULE_SEALING_KEYS" => Some(format!("k1:{}", BASE64URL.encode([7; 32]))),
        "VESTIBULE_ADMIN_TOKEN" => Some(ADMIN.to_owned()),
        _ => None,
    });
    let clock = Arc::new(TestClock::default());
    let platform = Platform {
        store: Arc::new(MemoryStore::new(clock.clone())),
        random: Arc::new(SeededRandom::new(1)),
        http: Arc::new(Provider),
        crypto: Arc::new(NoSignature),
        clock,
        queue: Arc::new(NoQueue),
    };
    vestibule_web::router(Arc::new(Broker::new(config.expect("a configuration"), platform)))
}

/// Sends a request and gives the answer, which is never an error of ours.
pub(crate) fn send(request: Request<Body>) -> Response<Bytes> {
    let about = format!("{} {}", request.method(), request.uri());
    let reply = answer(&ROUTER, request);
    let status = reply.status();
    // 502 is the provider's fault, which here knows no token endpoint.
    assert!(!status.is_server_error() || status == StatusCode::BAD_GATEWAY, "{about}: {status} {:?}", reply.body());
    reply
}

fn answer(router: &Router, request: Request<Body>) -> Response<Bytes> {
    let reply = router.clone().call(request).now_or_never().expect("nothing is waited for");
    let (parts, body) = reply.unwrap_or_else(|never| match never {}).into_parts();
    let body = body.collect().now_or_never().expect("nothing is waited for").expect("a body").to_bytes();
    Response::from_parts(parts, body)
}

/// A public key that is no secret of anybody's: the example of RFC 7517 appendix A.1.
fn public_jwk() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "kid": "1", "alg": "ES256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

/// An identity provider that publishes what it must and answers nothing else.
struct Provider;

#[async_trait]
impl HttpClient for Provider {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let document = match request.uri().path() {
            "/.well-known/openid-configuration" => json!({
                "issuer": PROVIDER, "authorization_endpoint": format!("{PROVIDER}/authorize"),
                "token_endpoint": format!("{PROVIDER}/token"), "jwks_uri": format!("{PROVIDER}/jwks"),
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }),
            "/jwks" => json!({ "keys": [public_jwk()] }),
            _ => return Err(HttpError::Timeout),
        };
        Ok(Response::new(Bytes::from(document.to_string())))
    }
}

/// Keys that sign nothing and verify nothing.
struct NoSignature;

#[async_trait]
impl Crypto for NoSignature {
    async fn generate(&self, algorithm: Algorithm) -> Result<PrivateKey, CryptoError> {
        let jwk = serde_json::from_value(public_jwk()).map_err(|_| CryptoError::BadKey("no key"))?;
        let public = PublicKey::from_jwk(&jwk).map_err(|_| CryptoError::BadKey("no key"))?;
        Ok(PrivateKey { algorithm, pkcs8: Secret::new(vec![0]), public })
    }

    async fn sign(&self, _: &PrivateKey, _: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(vec![0; 64])
    }

    async fn verify(&self, _: &PublicKey, _: Algorithm, _: &[u8], _: &[u8]) -> Result<(), CryptoError> {
        Err(CryptoError::BadSignature)
    }

    async fn decrypt(&self, _: &PrivateKey, _: OaepHash, _: &[u8]) -> Result<Secret<Vec<u8>>, CryptoError> {
        Err(CryptoError::BadCiphertext)
    }
}
