//! Three ways to find out whether an access token still counts.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use http::{Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use vestibule_core::platform::Clock;
use vestibule_verify::{Error, Fetch, FetchError, Verifier};

use super::door::MovedClock;
use crate::application::Application;
use crate::connection::Connection;
use crate::scene::Scene;

/// An application that verifies with the status list, which it keeps for a minute. One for all people, as in an
/// application.
pub(crate) fn list_verifier(scene: &Scene, clock: &Arc<MovedClock>) -> Verifier {
    let clock = Arc::clone(clock);
    Verifier::new(&scene.broker, &scene.application, Loopback(scene.broker.clone()))
        .with_clock(move || clock.now().seconds())
}

/// Whoever asks about one person at a time.
pub(crate) struct Verifiers {
    application: Application,
    path: String,
    list: Verifier,
}

impl Verifiers {
    pub(crate) async fn open(scene: &Arc<Scene>, list: &Verifier) -> Result<Self> {
        let path = format!("/other/oauth2/verify?client_id={}", scene.application);
        Ok(Self { application: Application::open(scene).await?, path, list: list.clone() })
    }

    /// What `/oauth2/introspect` says, which reads what is stored.
    pub(crate) async fn introspects(&mut self, token: &str) -> Result<bool> {
        let reply = self.application.post("/oauth2/introspect", &[("token", token)]).await?;
        ensure!(reply.status() == StatusCode::OK, "introspect: {}", reply.status());
        let answer: Value = serde_json::from_slice(reply.body())?;
        Ok(answer.get("active") == Some(&true.into()))
    }

    /// What `/oauth2/verify` says, which reads copies: in another process than the one that is told who is out, which
    /// forgets its own at once.
    pub(crate) async fn verifies(&mut self, token: &str) -> Result<bool> {
        let reply = self.application.get_as(&self.path, token).await?;
        match reply.status() {
            StatusCode::OK => Ok(true),
            StatusCode::UNAUTHORIZED => Ok(false),
            other => bail!("verify: {other}"),
        }
    }

    /// What the status list says.
    pub(crate) async fn lists(&self, token: &str) -> Result<bool> {
        match self.list.verify(token).await {
            Ok(_) => Ok(true),
            Err(Error::Revoked) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// The way to a broker on this machine.
struct Loopback(String);

#[async_trait]
impl Fetch for Loopback {
    async fn get(&self, url: &str) -> Result<String, FetchError> {
        let text = async {
            let path = url.strip_prefix(&self.0).unwrap_or(url);
            let reply = Connection::open(&self.0).await?.send(Request::get(path).body(Full::default())?).await?;
            ensure!(reply.status() == StatusCode::OK, "{path}: {}", reply.status());
            Ok(String::from_utf8(reply.body().to_vec())?)
        };
        text.await.map_err(|error: anyhow::Error| FetchError(error.to_string()))
    }
}
