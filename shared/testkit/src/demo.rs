//! The demo: an identity provider and an application, with the broker between them. The native binary starts all
//! three; [`deployment`] is what it tells the broker. Everything here is kept in memory: a restart signs out.

mod app;
mod pages;

use std::sync::Arc;

use vestibule_core::platform::{Clock, Crypto, CryptoError, HttpClient, Random};

use crate::idp::{self, Account, ClientAuth, FakeOidcIdp, Registration};
use crate::relying_party::RelyingParty;

/// The tenant of the demo.
pub const TENANT: &str = "demo";
/// The demo tenant's connection.
pub const CONNECTION: &str = "demo-idp";
/// The demo application's client id at the broker.
pub const CLIENT: &str = "demo-app";
/// The broker's client id at the demo's identity provider.
const BROKER_AT_IDP: &str = "vestibule";
/// Names the two secrets of the deployment.
const IDP_SECRET: &str = "DEMO_IDP_SECRET";
const APP_SECRET: &str = "DEMO_APP_SECRET";

/// Where the three parts are, as browsers see them (origins without a trailing slash), and what they share.
#[derive(Clone)]
pub struct Demo {
    /// The broker, `http://localhost:8787` by default.
    pub broker: String,
    /// The identity provider, `http://localhost:8788` by default.
    pub idp: String,
    /// The application, `http://localhost:8789` by default.
    pub app: String,
    /// Between broker and identity provider.
    pub idp_secret: String,
    /// Between application and broker.
    pub app_secret: String,
}

/// The demo's identity provider.
pub async fn idp(
    demo: &Demo,
    crypto: Arc<dyn Crypto>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<axum::Router, CryptoError> {
    let provider = FakeOidcIdp::new(&demo.idp, crypto, clock, random).await?;
    provider.register(Registration {
        client_id: BROKER_AT_IDP.to_owned(),
        client_secret: demo.idp_secret.clone(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![format!("{}/oauth2/callback", demo.broker)],
        post_logout_redirect_uris: vec![format!("{}/oauth2/signed-out", demo.broker)],
    });
    provider.add_account(Account::new("alice@demo.example", "alice-demo", "a-1001", "Alice Arden"));
    provider.add_account(Account::new("bob@demo.example", "bob-demo", "b-1002", "Bob Baker"));
    Ok(idp::router(Arc::new(provider)))
}

/// The demo application.
pub fn app(demo: &Demo, http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> axum::Router {
    let relying_party = RelyingParty {
        broker: demo.broker.clone(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(demo.app_secret.clone()),
        redirect_uri: format!("{}/callback", demo.app),
        http,
        clock,
    };
    app::router(app::App::new(demo.app.clone(), relying_party, random))
}

/// What the broker has to know: the deployment file that `vestibule apply` takes. Its secrets are [`secret`]'s.
pub fn deployment(demo: &Demo) -> String {
    let Demo { idp, app, .. } = demo;
    format!(
        r#"
[tenants.{TENANT}]
name = "Demo"

[tenants.{TENANT}.connections.{CONNECTION}]
name = "Demo identity provider"
protocol = "oidc"
issuer = "{idp}"
client_id = "{BROKER_AT_IDP}"
client_secret = {{ env = "{IDP_SECRET}" }}
client_auth = "client_secret_basic"
scopes = ["openid", "email", "profile"]

[clients.{CLIENT}]
name = "Demo application"
tenants = ["{TENANT}"]
redirect_uris = ["{app}/callback"]
post_logout_redirect_uris = ["{app}/"]
client_auth = "client_secret_basic"
client_secret = {{ env = "{APP_SECRET}" }}
"#
    )
}

/// A secret that [`deployment`] names.
pub fn secret(demo: &Demo, name: &str) -> Option<String> {
    match name {
        IDP_SECRET => Some(demo.idp_secret.clone()),
        APP_SECRET => Some(demo.app_secret.clone()),
        _ => None,
    }
}
