//! What can say that somebody is out, apart from an examination of their session.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::people::Person;
use crate::connection::Connection;
use crate::scene::{AT_PROVIDER, CONNECTION, Scene, subject};

/// A signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// An administrator ends the session.
    Administrator,
    /// The application revokes its refresh token (RFC 7009).
    Revocation,
    /// A directory says `active: false` by SCIM.
    Directory,
    /// The provider sends a logout token (OpenID Connect Back-Channel Logout 1.0).
    Logout,
    /// It revokes all that the person has (Global Token Revocation).
    Global,
}

impl Signal {
    pub(crate) const ALL: [Self; 5] =
        [Self::Administrator, Self::Revocation, Self::Directory, Self::Logout, Self::Global];

    /// Its name among the figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator ends the session",
            Self::Revocation => "RFC 7009 revocation",
            Self::Directory => "SCIM active false",
            Self::Logout => "back-channel logout",
            Self::Global => "Global Token Revocation",
        }
    }
}

/// Those who can send signals.
pub(crate) struct Senders {
    pub(crate) scene: Arc<Scene>,
    administrator: String,
    directory: String,
}

impl Senders {
    /// Makes the directory's token.
    pub(crate) async fn new(scene: &Arc<Scene>, admin_token: &str) -> Result<Self> {
        let administrator = format!("Bearer {admin_token}");
        let made = json!({ "name": "benchmark" }).to_string();
        let path = format!("/admin/v1/tenants/{}/scim-tokens", scene.tenant);
        let request = Request::post(path)
            .header(header::AUTHORIZATION, administrator.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(made))?;
        let reply = Connection::open(&scene.broker).await?.send(request).await?;
        let made: Value = serde_json::from_slice(reply.body())?;
        let token = made.get("token").and_then(Value::as_str).context("no SCIM token")?;
        Ok(Self { scene: Arc::clone(scene), administrator, directory: format!("Bearer {token}") })
    }

    /// What is to be sent about somebody. Made before the clock starts.
    pub(crate) async fn request(&self, signal: Signal, person: &Person) -> Result<Request<Full<Bytes>>> {
        let (tenant, Person { user, session, tokens, number }) = (self.scene.tenant, person);
        let (method, path, authorization, body) = match signal {
            Signal::Administrator => {
                let path = format!("/admin/v1/tenants/{tenant}/users/{user}/sessions/{session}");
                (Method::DELETE, path, self.administrator.clone(), String::new())
            }
            Signal::Revocation => {
                let form = form(&[("token", &tokens.refresh)]);
                (Method::POST, "/oauth2/revoke".to_owned(), self.scene.client.clone(), form)
            }
            Signal::Directory => {
                let body = json!({
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                    "Operations": [{ "op": "replace", "path": "active", "value": false }],
                });
                (Method::PATCH, format!("/scim/v2/Users/{user}"), self.directory.clone(), body.to_string())
            }
            Signal::Logout => {
                let token = self.notice("logout+jwt", AT_PROVIDER, json!({ "sub": subject(*number) })).await?;
                let path = format!("/oauth2/backchannel-logout/{tenant}/{CONNECTION}");
                (Method::POST, path, String::new(), form(&[("logout_token", &token)]))
            }
            Signal::Global => {
                let path = format!("/oauth2/global-token-revocation/{tenant}/{CONNECTION}");
                let audience = format!("{}{path}", self.scene.broker);
                let name = json!({ "jti": format!("global-{number}"), "events": null });
                let token = self.notice("global-token-revocation+jwt", &audience, name).await?;
                let about = json!({ "format": "iss_sub", "iss": self.scene.idp.issuer(), "sub": subject(*number) });
                (Method::POST, path, format!("Bearer {token}"), json!({ "sub_id": about }).to_string())
            }
        };
        let kind = match signal {
            Signal::Revocation | Signal::Logout => "application/x-www-form-urlencoded",
            Signal::Administrator | Signal::Directory | Signal::Global => "application/json",
        };
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        if !authorization.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        Ok(request.body(Full::from(body))?)
    }

    /// A signed notice of the provider; null takes a member away.
    async fn notice(&self, typ: &str, audience: &str, members: Value) -> Result<String> {
        let name = members.to_string();
        let mut claims = self.scene.idp.logout_claims(audience, &name);
        if let (Some(claims), Value::Object(members)) = (claims.as_object_mut(), members) {
            claims.extend(members);
            claims.retain(|_, value| !value.is_null());
        }
        self.scene.idp.notice(Some(typ), &claims).await.context("the provider does not sign")
    }
}

/// Sends it, and waits for the answer.
pub(crate) async fn send(http: &mut Connection, request: Request<Full<Bytes>>) -> Result<()> {
    let path = request.uri().path().to_owned();
    let reply = http.send(request).await?;
    ensure!(reply.status().is_success(), "{path}: {} {}", reply.status(), String::from_utf8_lossy(reply.body()));
    Ok(())
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
