//! A broker without a network: the router is called directly, time stands still until told, the store is the reference
//! in memory, the identity provider answers in process. For what a deployed broker cannot be made to show: the end of a
//! life, a crash at a certain point, two processes that start at once.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tower_service::Service;
use url::{Url, form_urlencoded};
use vestibule_core::config::SealingKey;
use vestibule_core::platform::{Clock, HttpClient, Platform, Random};
use vestibule_core::secret::Secret;
use vestibule_core::store::Store;
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::{Broker, Config};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Account, ClientAuth, FakeOidcIdp, Registration, SeededRandom, TestClock};

use crate::dns::Network;
use crate::platform::crypto;
use crate::reply::Reply;

/// The broker's address.
pub const ISSUER: &str = "https://sso.example";
/// The application's address.
pub const CALLBACK: &str = "https://app.example/callback";
/// Who signs in.
pub const ALICE: &str = "alice@corp.example";

/// The deployment's own administrator's token.
pub const ADMIN: &str = "admin-token-of-the-tests-0123456789";
const SECRET: &str = "secret-of-the-application-0123456789";
const VERIFIER: &str = "verifier-of-the-application-0123456789-0123456789";

/// The world around one or several brokers, and the first of them.
pub struct TestBroker {
    /// The broker itself, for the scheduled entry point.
    pub broker: Arc<Broker>,
    /// The broker's time.
    pub clock: Arc<TestClock>,
    /// The identity provider's time.
    pub idp_clock: Arc<TestClock>,
    /// The identity provider.
    pub idp: Arc<FakeOidcIdp>,
    /// What DNS says; and the way to the identity provider.
    pub network: Arc<Network>,
    /// What is kept.
    pub store: Arc<dyn Store>,
    random: Arc<dyn Random>,
    sealing: Vec<(&'static str, u8)>,
}

/// What a browser holds after a sign-in.
pub struct SignedIn {
    /// The application's code.
    pub code: String,
    /// The broker's session cookie, as `name=value`.
    pub cookie: String,
}

impl TestBroker {
    /// A broker with the tenant `acme`, its connection `idp` and the application `app`.
    pub async fn new() -> Self {
        let test = Self::empty().await;
        test.admin(Method::PUT, "/tenants/acme", &json!({"name": "Acme"})).await;
        test.connect(&json!({})).await;
        let client = json!({
            "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
            "client_secret": SECRET,
        });
        test.admin(Method::PUT, "/clients/app", &client).await;
        test
    }

    /// Sets the tenant's connection up, with these members in place of the usual ones; null leaves one out.
    pub async fn connect(&self, members: &Value) -> Value {
        let mut connection = json!({
            "name": "Acme login", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
            "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
        });
        if let (Some(usual), Some(members)) = (connection.as_object_mut(), members.as_object()) {
            usual.extend(members.clone());
            usual.retain(|_, value| !value.is_null());
        }
        self.admin(Method::PUT, "/tenants/acme/connections/idp", &connection).await
    }

    /// A broker that nobody has set up.
    pub async fn empty() -> Self {
        let clock = Arc::new(TestClock::default());
        let idp_clock = Arc::new(TestClock::default());
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(1));
        let time: Arc<dyn Clock> = Arc::clone(&idp_clock) as Arc<dyn Clock>;
        let idp = FakeOidcIdp::new("https://idp.example", crypto(), time, Arc::clone(&random)).await;
        let idp = Arc::new(idp.expect("a provider can be made"));
        idp.register(Registration {
            client_id: "broker".to_owned(),
            client_secret: "secret-at-the-provider".to_owned(),
            client_auth: ClientAuth::Basic,
            redirect_uris: vec![format!("{ISSUER}/oauth2/callback")],
            post_logout_redirect_uris: Vec::new(),
        });
        idp.add_account(Account::new(ALICE, "password", "alice-1", "Alice"));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let sealing = vec![("k1", 1)];
        let network = Arc::new(Network::new(&idp));
        let broker = broker(&clock, &random, &network, store.clone(), &sealing);
        Self { broker, clock, idp_clock, idp, network, store, random, sealing }
    }

    /// Another process over the same store, or over `store` in its place: nothing in its memory.
    #[must_use]
    pub fn another_process(&self, store: Option<Arc<dyn Store>>) -> Self {
        self.with(store.unwrap_or_else(|| Arc::clone(&self.store)), self.sealing.clone())
    }

    /// Another process with other sealing keys: names, and the byte that the key is made of.
    #[must_use]
    pub fn with_sealing_keys(&self, sealing: Vec<(&'static str, u8)>) -> Self {
        self.with(Arc::clone(&self.store), sealing)
    }

    /// Another process of a deployment with other settings.
    #[must_use]
    pub fn with_settings(&self, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = self.broker.config.clone();
        change(&mut config);
        let broker = Arc::new(Broker::new(config, self.broker.platform.clone()));
        Self { broker, ..self.another_process(None) }
    }

    fn with(&self, store: Arc<dyn Store>, sealing: Vec<(&'static str, u8)>) -> Self {
        Self {
            broker: broker(&self.clock, &self.random, &self.network, Arc::clone(&store), &sealing),
            clock: Arc::clone(&self.clock),
            idp_clock: Arc::clone(&self.idp_clock),
            idp: Arc::clone(&self.idp),
            network: Arc::clone(&self.network),
            store,
            random: Arc::clone(&self.random),
            sealing,
        }
    }

    /// Sends a request through the router.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let path = request.uri().to_string();
        let response = vestibule_web::router(Arc::clone(&self.broker)).call(request).await.expect("a router answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Reply {
            url: Url::parse(ISSUER).and_then(|issuer| issuer.join(&path)).expect("an address"),
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.into()).expect("text"),
        }
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// A browser's GET, with a `Cookie` header.
    pub async fn get(&self, target: &str, cookie: &str) -> Reply {
        let request = Request::get(target).header(header::COOKIE, cookie);
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// An administrator's request, which must succeed.
    pub async fn admin(&self, method: Method, path: &str, body: &Value) -> Value {
        let reply = self.try_admin(method, path, body).await;
        assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// An administrator's request, and what came of it.
    pub async fn try_admin(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/admin/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {ADMIN}"));
        self.send(request.body(Body::from(body.to_string())).expect("a request")).await
    }

    /// The first leg: where the browser is sent, and the login's cookie as `name=value`.
    pub async fn start(&self) -> (Url, String) {
        Self::started(&self.start_reply().await)
    }

    /// Where a first leg sent the browser, and the login's cookie as `name=value`.
    pub fn started(reply: &Reply) -> (Url, String) {
        let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
        let cookie = reply.headers.get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        (location, cookie.and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned())
    }

    /// The answer to the first leg.
    pub async fn start_reply(&self) -> Reply {
        self.authorize(&[], "").await
    }

    /// The answer to an authorization request with more parameters, in a browser with this cookie.
    pub async fn authorize(&self, more: &[(&str, &str)], cookie: &str) -> Reply {
        self.get(&authorization(more), cookie).await
    }

    /// The second leg.
    pub async fn finish(&self, authorization: &Url, cookie: &str) -> Reply {
        self.finish_as(ALICE, authorization, cookie).await
    }

    /// The second leg of somebody.
    pub async fn finish_as(&self, username: &str, authorization: &Url, cookie: &str) -> Reply {
        let back = self.idp.sign_in(authorization.as_str(), username).await.expect("the provider signs in");
        let back = back.strip_prefix(ISSUER).expect("it leads back").to_owned();
        self.get(&back, cookie).await
    }

    /// Both legs.
    pub async fn sign_in(&self) -> SignedIn {
        let (authorization, login) = self.start().await;
        signed_in(&self.finish(&authorization, &login).await)
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str) -> Reply {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.token(&[form.as_slice(), &[("code_verifier", VERIFIER)]].concat()).await
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Signs in and redeems the code.
    pub async fn tokens(&self) -> Value {
        let code = self.sign_in().await.code;
        let reply = self.redeem(&code).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.json()
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Reply {
        let request = Request::get("/oauth2/userinfo").header(header::AUTHORIZATION, format!("Bearer {access_token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.post("/oauth2/token", &[form, &[("client_id", "app"), ("client_secret", SECRET)]].concat()).await
    }
}

/// An authorization request of the application, with these parameters too.
pub fn authorization(parameters: &[(&str, &str)]) -> String {
    let challenge = BASE64URL.encode(Sha256::digest(VERIFIER));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
        .extend_pairs(parameters)
        .finish();
    format!("/oauth2/authorize?{query}")
}

/// What the second leg gave to the browser, when it succeeded.
pub fn signed_in(reply: &Reply) -> SignedIn {
    let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    let code = location.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    let cookies = reply.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let session =
        cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with("__Host-session="));
    SignedIn {
        code: code.unwrap_or_else(|| panic!("no code in {location}")),
        cookie: session.expect("a session cookie").to_owned(),
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("a token");
    serde_json::from_slice(&BASE64URL.decode(payload).expect("base64url")).expect("claims")
}

fn broker(
    clock: &Arc<TestClock>,
    random: &Arc<dyn Random>,
    network: &Arc<Network>,
    store: Arc<dyn Store>,
    sealing: &[(&str, u8)],
) -> Arc<Broker> {
    let key = |(name, byte): &(&str, u8)| SealingKey { name: (*name).to_owned(), key: Secret::new([*byte; 32]) };
    let config = Config {
        issuer: ISSUER.to_owned(),
        sealing_keys: sealing.iter().map(key).collect(),
        admin_token: Secret::new(ADMIN.to_owned()),
        egress_loopback: false,
        signing_algorithm: Algorithm::ES256,
        key_rotation: Some(Seconds(90 * 86_400)),
        doh_url: crate::dns::RESOLVER.to_owned(),
    };
    let platform = Platform {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        random: Arc::clone(random),
        http: Arc::clone(network) as Arc<dyn HttpClient>,
        crypto: crypto(),
        store,
    };
    Arc::new(Broker::new(config, platform))
}
