//! What the load plays in: an identity provider in this process, a tenant connected with it, an application, and people
//! who can sign in.

use std::sync::Arc;

use anyhow::{Result, ensure};
use axum::serve::ListenerExt;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::form_urlencoded;
use vestibule_aws::SystemRandom;
use vestibule_aws::crypto::AwsLc;
use vestibule_core::platform::Clock;
use vestibule_testkit::{Account, ClientAuth, FakeOidcIdp, Registration, idp};

use crate::connection::Connection;
use crate::directory::Directory;

/// Where the application lives. Nothing listens there.
pub(crate) const CALLBACK: &str = "https://app.example/callback";
/// Redeems every code: guessing it is not what is measured.
pub(crate) const VERIFIER: &str = "verifier-of-the-benchmark-0123456789-0123456789";
/// The tenant's connection.
pub(crate) const CONNECTION: &str = "corp";
/// The broker's client id at the provider.
pub(crate) const AT_PROVIDER: &str = "broker";

const CLIENT_SECRET: &str = "secret-of-the-application-0123456789";
const IDP_SECRET: &str = "secret-of-the-broker-at-the-provider";

/// What differs between scenes.
pub(crate) struct Setting {
    /// The tenant's id.
    pub(crate) name: &'static str,
    /// The tenant as the admin API takes it.
    pub(crate) tenant: Value,
    /// Members of the connection beside the usual ones, or in their place.
    pub(crate) connection: Value,
    /// How many people the provider knows.
    pub(crate) people: usize,
    /// The provider's time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// A broker that is set up.
pub(crate) struct Scene {
    /// The broker's origin.
    pub(crate) broker: String,
    /// The tenant's id.
    pub(crate) tenant: &'static str,
    /// The identity provider.
    pub(crate) idp: Arc<FakeOidcIdp>,
    /// The application's client id. Each scene has one of its own: a change of one is followed within two minutes only.
    pub(crate) application: String,
    /// The application's authorization request: path and query.
    pub(crate) authorization: String,
    /// The application's `Authorization` header.
    pub(crate) client: String,
    /// A tenant with a directory, where one is measured.
    pub(crate) directory: Option<Directory>,
}

impl Scene {
    /// Starts the provider and sets the broker up through its admin API.
    pub(crate) async fn set(broker: &str, admin_token: &str, setting: Setting) -> Result<Self> {
        let idp = start_idp(broker, &setting).await?;
        let mut connection = json!({
            "name": "Corp", "protocol": "oidc", "issuer": idp.issuer(), "client_id": AT_PROVIDER,
            "client_secret": IDP_SECRET, "client_auth": "client_secret_basic",
            "scopes": ["openid", "email", "profile"], "enabled": true,
        });
        if let (Some(usual), Value::Object(members)) = (connection.as_object_mut(), setting.connection) {
            usual.extend(members);
        }
        let client = json!({
            "name": "Application", "tenants": [setting.name], "redirect_uris": [CALLBACK],
            "client_auth": "client_secret_basic", "client_secret": CLIENT_SECRET,
        });
        let (tenant, application) = (format!("/tenants/{}", setting.name), format!("app-{}", setting.name));
        let mut http = Connection::open(broker).await?;
        put(&mut http, admin_token, &tenant, &setting.tenant).await?;
        put(&mut http, admin_token, &format!("{tenant}/connections/{CONNECTION}"), &connection).await?;
        put(&mut http, admin_token, &format!("/clients/{application}"), &client).await?;
        Ok(Self {
            broker: broker.to_owned(),
            tenant: setting.name,
            directory: None,
            idp,
            authorization: authorization(setting.name, &application),
            client: format!("Basic {}", BASE64.encode(format!("{application}:{CLIENT_SECRET}"))),
            application,
        })
    }
}

/// The authorization request of an application for a tenant: path and query.
pub(crate) fn authorization(tenant: &str, application: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", application),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("state", "state-of-the-application"),
            ("nonce", "nonce-of-the-application"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("tenant", tenant),
        ])
        .finish();
    format!("/oauth2/authorize?{query}")
}

/// The user name of a person.
pub(crate) fn person(number: usize) -> String {
    format!("person-{number}@corp.example")
}

/// What the provider calls them.
pub(crate) fn subject(number: usize) -> String {
    format!("subject-{number}")
}

async fn start_idp(broker: &str, setting: &Setting) -> Result<Arc<FakeOidcIdp>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let clock = Arc::clone(&setting.clock);
    let idp = FakeOidcIdp::new(&issuer, Arc::new(AwsLc::default()), clock, Arc::new(SystemRandom)).await?;
    idp.register(Registration {
        client_id: AT_PROVIDER.to_owned(),
        client_secret: IDP_SECRET.to_owned(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![format!("{broker}/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    for number in 0..setting.people {
        idp.add_account(Account::new(&person(number), "unused", &subject(number), "A Person"));
    }
    let idp = Arc::new(idp);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = idp::router(Arc::clone(&idp));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(idp)
}

pub(crate) async fn put(http: &mut Connection, token: &str, path: &str, body: &Value) -> Result<()> {
    let request = Request::put(format!("/admin/v1{path}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let reply = http.send(request).await?;
    ensure!(reply.status().is_success(), "PUT {path}: {} {}", reply.status(), String::from_utf8_lossy(reply.body()));
    Ok(())
}
