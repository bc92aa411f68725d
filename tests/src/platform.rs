//! The world of the tests themselves: real time, real randomness, real signatures, plain HTTP to loopback.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::HeaderMap;
use serde_json::{Value, json};
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_core::platform::{Clock, Crypto, HttpClient, PrivateKey, Random};
use vestibule_core::secret::Secret;
use vestibule_protocol::jose::{Algorithm, KeyMaterial, PublicKey};

/// A client that follows no redirects and keeps no cookies.
pub fn http_client() -> reqwest::Client {
    client_builder().build().expect("a client without settings can be built")
}

/// The same, on another machine as far as the broker can see, and with these headers in each request.
pub fn http_client_at(address: IpAddr, headers: HeaderMap) -> reqwest::Client {
    let builder = client_builder().local_address(address).default_headers(headers);
    builder.build().expect("a client with an address can be built")
}

fn client_builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy()
}

/// The way of a relying party to the broker.
pub fn outbound() -> Arc<dyn HttpClient> {
    Arc::new(OutboundHttp::new(true).expect("a client can be built"))
}

/// The system's clock.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The system's generator.
pub fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

/// Real signatures.
pub fn crypto() -> Arc<dyn Crypto> {
    Arc::new(AwsLc::default())
}

/// A name that no other test and no earlier run has used: 1 to 40 characters of `[a-z0-9-]`.
pub fn unique(kind: &str) -> String {
    format!("{kind}-{:016x}", RandomState::new().build_hasher().finish())
}

/// A new client secret.
pub fn unique_secret() -> String {
    unique(&unique("client-secret"))
}

/// A new RSA key, for providers that sign with one.
pub fn rsa_key() -> PrivateKey {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let public = pair.public_key();
    let material = KeyMaterial::Rsa {
        n: public.modulus().big_endian_without_leading_zero().to_vec(),
        e: public.exponent().big_endian_without_leading_zero().to_vec(),
    };
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("its encoding");
    PrivateKey {
        algorithm: Algorithm::RS256,
        pkcs8: Secret::new(pkcs8.as_ref().to_vec()),
        public: PublicKey::new(material, None, Some(Algorithm::RS256)),
    }
}

/// A new ES256 key as a private JSON Web Key. Its private number stands at a fixed place in PKCS #8 (RFC 5915 §3).
pub fn ec_private_jwk(key: &PrivateKey, kid: &str) -> Value {
    let KeyMaterial::Ec { x, y, .. } = key.public.material() else { panic!("an ES256 key is a point") };
    let text = |bytes: &[u8]| BASE64URL.encode(bytes);
    let d = text(&key.pkcs8.expose()[36..68]);
    json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "d": d, "kid": kid })
}
