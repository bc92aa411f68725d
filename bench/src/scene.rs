//! What the load plays in: an identity provider in this process, a tenant connected with it, an application, and one
//! person a worker.

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
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_testkit::{Account, ClientAuth, FakeOidcIdp, Registration, idp};

use crate::connection::Connection;
use crate::directory::Directory;
use crate::measure::CONCURRENCY;

/// Where the application lives. Nothing listens there.
pub(crate) const CALLBACK: &str = "https://app.example/callback";
/// Redeems every code: guessing it is not what is measured.
pub(crate) const VERIFIER: &str = "verifier-of-the-benchmark-0123456789-0123456789";

const CLIENT_SECRET: &str = "secret-of-the-application-0123456789";
const IDP_SECRET: &str = "secret-of-the-broker-at-the-provider";

/// A broker that is set up.
pub(crate) struct Scene {
    /// The broker's origin.
    pub(crate) broker: String,
    /// The identity provider.
    pub(crate) idp: Arc<FakeOidcIdp>,
    /// The application's authorization request: path and query.
    pub(crate) authorization: String,
    /// The application's `Authorization` header.
    pub(crate) client: String,
    /// A tenant with a directory, where one is measured.
    pub(crate) directory: Option<Directory>,
}

impl Scene {
    /// Starts the provider and sets the broker up through its admin API.
    pub(crate) async fn set(broker: &str, admin_token: &str, people: Option<usize>) -> Result<Self> {
        let idp = start_idp(broker).await?;
        let connection = json!({
            "name": "Corp", "protocol": "oidc", "issuer": idp.issuer(), "client_id": "broker",
            "client_secret": IDP_SECRET, "client_auth": "client_secret_basic",
            "scopes": ["openid", "email", "profile"], "enabled": true,
        });
        let client = json!({
            "name": "Application", "tenants": ["bench"], "redirect_uris": [CALLBACK],
            "client_auth": "client_secret_basic", "client_secret": CLIENT_SECRET,
        });
        let mut http = Connection::open(broker).await?;
        for (path, body) in [
            ("/tenants/bench", json!({ "name": "A tenant" })),
            ("/tenants/bench/connections/corp", connection),
            ("/clients/app", client),
        ] {
            put(&mut http, admin_token, path, &body).await?;
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", "app"),
                ("redirect_uri", CALLBACK),
                ("response_type", "code"),
                ("scope", "openid email profile"),
                ("state", "state-of-the-application"),
                ("nonce", "nonce-of-the-application"),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("tenant", "bench"),
            ])
            .finish();
        let directory = match people {
            Some(people) => Some(Directory::set(&mut http, broker, admin_token, people).await?),
            None => None,
        };
        Ok(Self {
            broker: broker.to_owned(),
            directory,
            idp,
            authorization: format!("/oauth2/authorize?{query}"),
            client: format!("Basic {}", BASE64.encode(format!("app:{CLIENT_SECRET}"))),
        })
    }
}

/// The user name of a worker's person.
pub(crate) fn person(number: usize) -> String {
    format!("person-{number}@corp.example")
}

async fn start_idp(broker: &str) -> Result<Arc<FakeOidcIdp>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let idp =
        FakeOidcIdp::new(&issuer, Arc::new(AwsLc::default()), Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: IDP_SECRET.to_owned(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![format!("{broker}/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    for number in 0..CONCURRENCY {
        idp.add_account(Account::new(&person(number), "unused", &format!("subject-{number}"), "A Person"));
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
    ensure!(reply.status().is_success(), "PUT {path}: {}", reply.status());
    Ok(())
}
