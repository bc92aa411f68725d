//! An issuer in process: keys, tokens and lists made as a test wants them, and what it was asked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde_json::{Value, json};
use vestibule_verify::{Fetch, FetchError, Verifier};

/// The issuer.
pub(super) const ISSUER: &str = "https://sso.example";
/// The list of every token unless a test says otherwise.
pub(super) const LIST: &str = "https://sso.example/oauth2/status/acme.0";
/// Where the issuer's keys are.
pub(super) const JWKS: &str = "https://sso.example/oauth2/jwks";
/// When tests begin.
pub(super) const NOW: i64 = 1_750_000_000;

/// A key pair with a name.
pub(super) struct TestKey {
    pair: EcdsaKeyPair,
    /// Its name.
    pub(super) kid: &'static str,
}

impl TestKey {
    pub(super) fn new(kid: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { pair, kid }
    }

    /// The public half as published.
    pub(super) fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let text = |half| BASE64URL.encode(half);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid, "x": text(x), "y": text(y) })
    }

    /// A token with this header, signed.
    pub(super) fn sign_with(&self, header: &Value, claims: &Value) -> String {
        let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
        format!("{input}.{}", BASE64URL.encode(signature))
    }

    /// A token of this type, signed.
    pub(super) fn sign(&self, typ: &str, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "ES256", "typ": typ, "kid": self.kid }), claims)
    }
}

/// What is served, and who asked.
#[derive(Default)]
struct Served {
    documents: HashMap<String, String>,
    asked: Vec<String>,
}

/// An issuer with one key and one list.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) key: Arc<TestKey>,
    clock: Arc<AtomicI64>,
    served: Arc<Mutex<Served>>,
}

#[async_trait]
impl Fetch for Issuer {
    async fn get(&self, url: &str) -> Result<String, FetchError> {
        tokio::task::yield_now().await;
        let mut served = self.served.lock().expect("nobody panicked");
        served.asked.push(url.to_owned());
        served.documents.get(url).cloned().ok_or_else(|| FetchError(format!("{url}: 503")))
    }
}

impl Issuer {
    pub(super) fn new() -> Self {
        let key = Arc::new(TestKey::new("k1"));
        let issuer = Self { key, clock: Arc::new(AtomicI64::new(NOW)), served: Arc::default() };
        issuer.publish(&[&issuer.key]);
        issuer.list(LIST, &[]);
        issuer
    }

    /// An application's verifier, on the issuer's time.
    pub(super) fn verifier(&self) -> Verifier {
        let clock = Arc::clone(&self.clock);
        Verifier::new(ISSUER, "crm", self.clone()).with_clock(move || clock.load(Ordering::SeqCst))
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Serves a document; `None` for an outage.
    pub(super) fn serve(&self, url: &str, document: Option<String>) {
        let mut served = self.served.lock().expect("nobody panicked");
        match document {
            Some(document) => served.documents.insert(url.to_owned(), document),
            None => served.documents.remove(url),
        };
    }

    pub(super) fn publish(&self, keys: &[&TestKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.jwk()).collect();
        self.serve(JWKS, Some(json!({ "keys": keys }).to_string()));
    }

    /// Serves a list, made now, with these places marked.
    pub(super) fn list(&self, url: &str, marked: &[usize]) {
        let list = self.key.sign("statuslist+jwt", &self.list_claims(url, marked));
        self.serve(url, Some(list));
    }

    /// The claims of such a list.
    pub(super) fn list_claims(&self, url: &str, marked: &[usize]) -> Value {
        let mut bytes = vec![0_u8; 128];
        for place in marked {
            bytes[place / 8] |= 1 << (place % 8);
        }
        let lst = BASE64URL.encode(compress_to_vec_zlib(&bytes, 6));
        let now = self.now();
        json!({
            "iss": ISSUER, "sub": url, "iat": now, "exp": now + 300, "ttl": 60, "status_list": { "bits": 1, "lst": lst },
        })
    }

    /// The claims of a good access token, made now.
    pub(super) fn claims(&self) -> Value {
        let now = self.now();
        json!({
            "iss": ISSUER, "sub": "alice", "aud": "crm", "client_id": "crm", "iat": now, "exp": now + 3_600,
            "jti": "grant.1", "scope": "openid email", "tenant": "acme", "sid": "s1", "roles": ["ops"],
            "status": { "status_list": { "idx": 9, "uri": LIST } },
        })
    }

    /// A good access token.
    pub(super) fn token(&self) -> String {
        self.key.sign("at+jwt", &self.claims())
    }

    /// An access token in which these claims are others; null leaves one out.
    pub(super) fn token_with(&self, others: &Value) -> String {
        let mut claims = self.claims();
        let members = claims.as_object_mut().expect("an object");
        members.extend(others.as_object().expect("an object").clone());
        members.retain(|_, value| !value.is_null());
        self.key.sign("at+jwt", &claims)
    }

    /// Who was asked since the last look.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.served.lock().expect("nobody panicked").asked)
    }
}
