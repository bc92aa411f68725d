//! A world of one test's own in the shared deployment: a tenant, an identity provider on a port of its own, a
//! connection between them and an application. Tests run in parallel and again and again without meeting.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::{Url, form_urlencoded};
use vestibule_testkit::relying_party::RelyingParty;
use vestibule_testkit::{Account, ClientAuth, FakeOidcIdp, Registration, idp};

use crate::browser::{Browser, Visit};
use crate::deployment::Deployment;
use crate::platform::{clock, crypto, outbound, random, unique, unique_secret};
use crate::reply::Reply;

/// The person who signs in unless a test says otherwise.
pub const ALICE: &str = "alice@corp.example";
/// Another one.
pub const BOB: &str = "bob@corp.example";
/// Everybody's password at the fake provider.
pub const PASSWORD: &str = "correct horse";
/// The broker's secret at the fake provider: must not be seen anywhere.
pub const IDP_SECRET: &str = "idp-secret-that-nobody-may-see";
/// Where applications live. Nothing listens there: the browser stops at the door.
pub const CALLBACK: &str = "https://app.example/callback";
/// Where applications want to be after a logout.
pub const SIGNED_OUT: &str = "https://app.example/signed-out";

/// What one test works with.
pub struct World {
    /// The broker.
    pub broker: Deployment,
    /// The tenant's identity provider.
    pub idp: Arc<FakeOidcIdp>,
    /// The tenant.
    pub tenant: String,
    /// An application of the tenant: confidential, with HTTP Basic.
    pub app: Application,
}

/// An application at the broker.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its client id.
    pub id: String,
    /// Its secret; `None` for a public client.
    pub secret: Option<String>,
    /// `client_secret_basic`, `client_secret_post` or `none`.
    pub auth: &'static str,
}

/// An authorization request in the making.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// The parameters in order.
    pub params: Vec<(String, String)>,
    /// What redeems the code.
    pub verifier: String,
}

impl Authorization {
    /// Sets a parameter, in place of any that is there.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// Takes a parameter away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(key, _)| key != name);
        self
    }

    /// Adds a parameter, even a second one of its name.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a parameter.
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    /// The request as an address.
    pub fn url(&self, broker: &Deployment) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        broker.at(&format!("/oauth2/authorize?{query}"))
    }
}

impl World {
    /// A new one.
    pub async fn new() -> Self {
        let broker = Deployment::from_env();
        let idp = start_idp(&broker).await;
        let tenant = unique("t");
        broker.put(&format!("/tenants/{tenant}"), json!({ "name": "A tenant" })).await;
        connect(&broker, &tenant, idp.issuer()).await;
        let app = register(&broker, "client_secret_basic", &json!([tenant])).await;
        Self { broker, idp, tenant, app }
    }

    /// A good authorization request of the world's application.
    pub fn authorization(&self) -> Authorization {
        self.authorization_of(&self.app, &self.tenant)
    }

    /// A good authorization request of an application for a tenant.
    pub fn authorization_of(&self, app: &Application, tenant: &str) -> Authorization {
        let verifier = format!("{}-{}", unique("verifier"), unique("more"));
        let challenge = BASE64URL.encode(sha256(&verifier));
        let (state, nonce) = (unique("state"), unique("nonce"));
        let params = [
            ("client_id", app.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("tenant", tenant),
        ];
        let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Authorization { params, verifier }
    }

    /// Follows an authorization request, signing `username` in when the provider asks.
    pub async fn follow(&self, browser: &mut Browser, request: &Authorization, username: &str) -> Visit {
        let visit = browser.visit(&request.url(&self.broker)).await;
        let at_login = visit.left_to.is_none() && visit.last().url.as_str().starts_with(self.idp.issuer());
        if at_login && visit.last().status.is_success() {
            browser.submit(visit.last(), &[("username", username), ("password", PASSWORD)]).await
        } else {
            visit
        }
    }

    /// A code for alice, in a new browser.
    pub async fn code(&self, request: &Authorization) -> String {
        let visit = self.follow(&mut Browser::new(), request, ALICE).await;
        Reply::one_param(visit.arrived(), "code")
    }

    /// Redeems a code of the world's application.
    pub async fn redeem(&self, request: &Authorization, code: &str) -> Reply {
        self.token(&self.app, &code_grant(code, &request.verifier)).await
    }

    /// Signs alice in, in this browser, up to the token response.
    pub async fn tokens_in(&self, browser: &mut Browser) -> Value {
        let request = self.authorization();
        let visit = self.follow(browser, &request, ALICE).await;
        let reply = self.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    /// Signs alice in, in a new browser, up to the token response.
    pub async fn tokens(&self) -> Value {
        self.tokens_in(&mut Browser::new()).await
    }

    /// A token request with the application's own authentication.
    pub async fn token(&self, app: &Application, params: &[(&str, &str)]) -> Reply {
        self.post(app, "/oauth2/token", params).await
    }

    /// A form with the application's own authentication.
    pub async fn post(&self, app: &Application, path: &str, params: &[(&str, &str)]) -> Reply {
        let request = self.broker.request(Method::POST, path);
        let mut form = params.to_vec();
        let secret = app.secret.as_deref().unwrap_or_default();
        let request = match app.auth {
            "client_secret_basic" => request.basic_auth(&app.id, Some(secret)),
            "client_secret_post" => {
                form.extend([("client_id", app.id.as_str()), ("client_secret", secret)]);
                request
            }
            _ => {
                form.push(("client_id", &app.id));
                request
            }
        };
        Reply::of(request.form(&form)).await
    }

    /// Trades a refresh token of the world's application.
    pub async fn refresh(&self, refresh_token: &str) -> Reply {
        self.token(&self.app, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
    }

    /// Asks userinfo with the access token of a token response. The broker may remember for a minute that a session
    /// lives, so a test that expects a refusal asks for the first time.
    pub async fn userinfo(&self, tokens: &Value) -> Reply {
        let request = self.broker.request(Method::GET, "/oauth2/userinfo");
        Reply::of(request.bearer_auth(member(tokens, "access_token"))).await
    }

    /// Lets the broker's administrator change whether a user is active.
    pub async fn set_active(&self, user: &str, active: bool) {
        self.broker.put(&format!("/tenants/{}/users/{user}", self.tenant), json!({ "active": active })).await;
    }

    /// An independent, certified relying party with the application's identity.
    pub fn relying_party(&self) -> RelyingParty {
        RelyingParty {
            broker: self.broker.url.clone(),
            client_id: self.app.id.clone(),
            client_secret: self.app.secret.clone(),
            redirect_uri: CALLBACK.to_owned(),
            http: outbound(),
            clock: clock(),
        }
    }
}

/// The parameters that redeem a code.
pub fn code_grant<'a>(code: &'a str, verifier: &'a str) -> [(&'static str, &'a str); 4] {
    [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", verifier)]
}

/// A text member of a token response.
pub fn member(tokens: &Value, name: &str) -> String {
    let text = tokens.get(name).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("the response has no {name}")).to_owned()
}

/// Registers an application for `tenants` (a list, or null for all of them).
pub async fn register(broker: &Deployment, auth: &'static str, tenants: &Value) -> Application {
    let secret = (auth != "none").then(unique_secret);
    let app = Application { id: unique("app"), secret, auth };
    let mut body = json!({
        "name": "An application",
        "tenants": tenants,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [SIGNED_OUT],
        "client_auth": auth,
    });
    if let (Some(secret), Some(members)) = (&app.secret, body.as_object_mut()) {
        members.insert("client_secret".to_owned(), json!(secret));
    }
    broker.put(&format!("/clients/{}", app.id), body).await;
    app
}

/// Connects a tenant with a provider that [`start_idp`] started.
pub async fn connect(broker: &Deployment, tenant: &str, issuer: &str) {
    broker.put(&format!("/tenants/{tenant}/connections/corp"), connection(issuer, &json!({}))).await;
}

/// What an administrator sends for a provider, with these members in place of the usual ones; null leaves one out.
pub fn connection(issuer: &str, members: &Value) -> Value {
    let mut body = json!({
        "name": "Corp", "protocol": "oidc", "issuer": issuer, "client_id": "broker", "client_secret": IDP_SECRET,
        "client_auth": "client_secret_basic", "scopes": ["openid", "email", "profile", "offline_access"], "enabled": true,
    });
    if let (Some(usual), Some(members)) = (body.as_object_mut(), members.as_object()) {
        usual.extend(members.clone());
        usual.retain(|_, value| !value.is_null());
    }
    body
}

/// A fake provider on a port of its own, for as long as the test runs. Alice and Bob can sign in.
pub async fn start_idp(broker: &Deployment) -> Arc<FakeOidcIdp> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("its address"));
    let provider = FakeOidcIdp::new(&issuer, crypto(), clock(), random()).await.expect("a key");
    provider.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: IDP_SECRET.to_owned(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![broker.at("/oauth2/callback")],
        post_logout_redirect_uris: vec![broker.at("/oauth2/signed-out")],
    });
    provider.add_account(Account::new(ALICE, PASSWORD, "subject-of-alice", "Alice Liddell"));
    provider.add_account(Account::new(BOB, PASSWORD, "subject-of-bob", "Bob Cratchit"));
    let provider = Arc::new(provider);
    let router = idp::router(Arc::clone(&provider));
    tokio::spawn(async move { axum::serve(listener, router).await });
    provider
}

/// The parameters that an address carries to the application, with the fragment ruled out.
pub fn query_of(url: &Url) -> Vec<(String, String)> {
    assert_eq!(url.fragment(), None, "nothing arrives in a fragment");
    url.query_pairs().into_owned().collect()
}

fn sha256(text: &str) -> Vec<u8> {
    <sha2::Sha256 as sha2::Digest>::digest(text).to_vec()
}
