//! A broker without a network: the router is called directly, time stands still until told, the store is the reference
//! in memory, the identity provider answers in process. For what a deployed broker cannot be made to show: the end of a
//! life, a crash at a certain point, two processes that start at once.

pub mod deliveries;
pub mod leaving;
mod people;
mod queue;
mod saml;
mod scim;
mod sign_in;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use http::{Method, Request, header};
use serde_json::{Value, json};
use tower_service::Service;
use url::{Url, form_urlencoded};
use vestibule_core::config::SealingKey;
use vestibule_core::platform::{Clock, HttpClient, NoQueue, Platform, Random};
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

pub use queue::TestQueue;
pub use sign_in::{SignedIn, authorization, claims, signed_in};

/// The broker's address.
pub const ISSUER: &str = "https://sso.example";
/// The application's address.
pub const CALLBACK: &str = "https://app.example/callback";
/// Who signs in.
pub const ALICE: &str = "alice@corp.example";

/// The deployment's own administrator's token.
pub const ADMIN: &str = "admin-token-of-the-tests-0123456789";
const SECRET: &str = "secret-of-the-application-0123456789";

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
    /// The broker's tasks.
    pub queue: Arc<TestQueue>,
    random: Arc<dyn Random>,
    sealing: Vec<(&'static str, u8)>,
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

    /// The same, but the provider gives no refresh tokens: sessions cannot be watched, and are shorter.
    pub async fn unwatched() -> Self {
        let test = Self::new().await;
        test.connect(&json!({ "scopes": ["openid", "email"] })).await;
        test
    }

    /// Sets the tenant's connection up, with these members in place of the usual ones; null leaves one out.
    pub async fn connect(&self, members: &Value) -> Value {
        let mut connection = json!({
            "name": "Acme login", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
            "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
            "scopes": ["openid", "email", "offline_access"],
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
            post_logout_redirect_uris: vec![format!("{ISSUER}/oauth2/signed-out")],
        });
        idp.add_account(Account::new(ALICE, "password", "alice-1", "Alice"));
        let store = Arc::new(MemoryStore::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let sealing = vec![("k1", 1)];
        let network = Arc::new(Network::new(&idp));
        let (broker, queue) = broker(&clock, &random, &network, store.clone(), &sealing);
        Self { broker, clock, idp_clock, idp, network, store, queue, random, sealing }
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
        let (broker, queue) = queue::with_queue(config, self.broker.platform.clone());
        Self { broker, queue, ..self.another_process(None) }
    }

    /// Another process on another platform.
    #[must_use]
    pub fn with_platform(&self, change: impl FnOnce(&mut Platform)) -> Self {
        let mut platform = self.broker.platform.clone();
        change(&mut platform);
        let (broker, queue) = queue::with_queue(self.broker.config.clone(), platform);
        Self { broker, queue, ..self.another_process(None) }
    }

    fn with(&self, store: Arc<dyn Store>, sealing: Vec<(&'static str, u8)>) -> Self {
        let (broker, queue) = broker(&self.clock, &self.random, &self.network, Arc::clone(&store), &sealing);
        Self {
            broker,
            queue,
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
}

fn broker(
    clock: &Arc<TestClock>,
    random: &Arc<dyn Random>,
    network: &Arc<Network>,
    store: Arc<dyn Store>,
    sealing: &[(&str, u8)],
) -> (Arc<Broker>, Arc<TestQueue>) {
    let key = |(name, byte): &(&str, u8)| SealingKey { name: (*name).to_owned(), key: Secret::new([*byte; 32]) };
    let config = Config {
        issuer: ISSUER.to_owned(),
        sealing_keys: sealing.iter().map(key).collect(),
        admin_token: Secret::new(ADMIN.to_owned()),
        egress_loopback: false,
        signing_algorithm: Algorithm::ES256,
        key_rotation: Some(Seconds(90 * 86_400)),
        doh_url: crate::dns::RESOLVER.to_owned(),
        client_address_header: None,
    };
    let platform = Platform {
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        random: Arc::clone(random),
        http: Arc::clone(network) as Arc<dyn HttpClient>,
        crypto: crypto(),
        store,
        queue: Arc::new(NoQueue),
    };
    queue::with_queue(config, platform)
}
