//! An API on axum that takes the access tokens of its application and nothing else.
//!
//! `ISSUER=https://sso.example.com CLIENT_ID=crm PORT=3000 vestibule-example-api`

use anyhow::{Context, Result};
use axum::extract::Extension;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use vestibule_verify::{Claims, Http, Verifier, VerifyLayer};

#[tokio::main]
async fn main() -> Result<()> {
    let verifier = Verifier::new(&variable("ISSUER")?, &variable("CLIENT_ID")?, Http::new()?);
    // A whole part of the application behind one layer.
    let reports = Router::new().route("/", get(reports)).layer(VerifyLayer::new(verifier.clone()));
    let router = Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/", get(whoami))
        .nest("/reports", reports)
        .with_state(verifier);
    let port = variable("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, router).await?)
}

// Whoever has no token that counts never gets here: they are told 401, or 503 while the broker cannot be asked.
async fn whoami(claims: Claims) -> Json<Value> {
    Json(json!({ "sub": claims.sub, "tenant": claims.tenant }))
}

async fn reports(Extension(claims): Extension<Claims>) -> String {
    format!("The reports of {}, and of nobody else's customers", claims.tenant)
}

#[expect(clippy::disallowed_methods, reason = "the one place where this application reads its environment")]
fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}
