//! Authorization requests that are not plain parameters: signed (RFC 9101) and sent ahead (RFC 9126), checked as a
//! strict provider does, and refused where it insists on them and they are not.

use std::collections::HashSet;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_protocol::jose::{Compact, TokenType};
use vestibule_protocol::time::Timestamp;

use super::FakeOidcIdp;
use super::route::json_response;
use super::token::{Form, field};

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// How long a request that was sent ahead waits, in seconds.
const PUSHED_SECONDS: i64 = 60;
const REFUSED: &str = "the request object is refused";
/// Claims that are about the token, not about the request.
const ABOUT_THE_TOKEN: [&str; 6] = ["iss", "aud", "iat", "nbf", "exp", "jti"];
const PROOFS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// What the provider insists on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Demand {
    /// Requests are signed.
    SignedRequests,
    /// Requests are sent ahead.
    PushedRequests,
}

/// A request that was sent ahead.
pub(super) struct Pushed {
    client: String,
    plain: String,
    at: Timestamp,
}

impl FakeOidcIdp {
    /// Insists on this from now on, until [`FakeOidcIdp::be_honest`].
    pub fn demand(&self, demand: Demand) {
        self.state().demands.insert(demand);
    }

    pub(super) fn demands(&self, demand: Demand) -> bool {
        self.state().demands.contains(&demand)
    }

    /// The claims of the last signed request that was good.
    pub fn last_request_object(&self) -> Option<Value> {
        self.state().last_request_object.clone()
    }

    /// The request at the authorization endpoint in plain parameters. One that was sent ahead is used up.
    pub(super) async fn plain(&self, text: &str) -> Result<String, &'static str> {
        let form: Form = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let Some(name) = field(&form, "request_uri") else {
            if self.demands(Demand::PushedRequests) {
                return Err("requests have to be sent ahead");
            }
            return self.unsigned(text, &form).await;
        };
        let pushed = self.state().pushed.remove(name).ok_or("this request was not sent ahead, or was used")?;
        let fresh = self.clock.now().seconds() - pushed.at.seconds() < PUSHED_SECONDS;
        let theirs = field(&form, "client_id") == Some(&pushed.client);
        if fresh && theirs { Ok(pushed.plain) } else { Err("this request is too old or another client's") }
    }

    /// `/par`.
    pub(super) async fn take_pushed(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let refuse = |status, code: &str| json_response(status, &json!({ "error": code }));
        let form: Form = form_urlencoded::parse(request.body()).into_owned().collect();
        let client = match self.client_of(request, &form).await {
            Ok(client) => client,
            Err(code) => return refuse(StatusCode::UNAUTHORIZED, code),
        };
        let asked: Form = form.into_iter().filter(|(name, _)| !PROOFS.contains(&name.as_str())).collect();
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&asked).finish();
        let Ok(plain) = self.unsigned(&text, &asked).await else {
            return refuse(StatusCode::BAD_REQUEST, "invalid_request_object");
        };
        let named =
            form_urlencoded::parse(plain.as_bytes()).any(|(name, value)| name == "client_id" && value == client);
        if !named || field(&asked, "request_uri").is_some() || !self.is_good(&plain) {
            return refuse(StatusCode::BAD_REQUEST, "invalid_request");
        }
        let name = format!("{PREFIX}{}", self.secret());
        self.state().pushed.insert(name.clone(), Pushed { client, plain, at: self.clock.now() });
        json_response(StatusCode::CREATED, &json!({ "request_uri": name, "expires_in": PUSHED_SECONDS }))
    }

    /// The parameters in a signed request; those of another one as they are, where it will do.
    async fn unsigned(&self, text: &str, form: &Form) -> Result<String, &'static str> {
        let Some(token) = field(form, "request") else {
            let signed = self.demands(Demand::SignedRequests);
            return if signed { Err("requests have to be signed") } else { Ok(text.to_owned()) };
        };
        let claims = self.check_request_object(token).await?;
        let members = claims.as_object().ok_or(REFUSED)?;
        let inside = |name: &str| members.get(name).and_then(Value::as_str);
        // RFC 9101 §6.3: what is outside must not say anything else, and counts for nothing.
        let agree = form.iter().all(|(name, value)| name == "request" || inside(name) == Some(value));
        let names: HashSet<&String> = form.iter().map(|(name, _)| name).collect();
        if !agree || names.len() < form.len() || members.contains_key("request") || members.contains_key("request_uri")
        {
            return Err(REFUSED);
        }
        let name = inside("jti").filter(|name| name.len() >= 16).ok_or(REFUSED)?.to_owned();
        if !self.state().used_assertions.insert(name) {
            return Err(REFUSED);
        }
        let mut plain = form_urlencoded::Serializer::new(String::new());
        for (name, value) in members.iter().filter(|(name, _)| !ABOUT_THE_TOKEN.contains(&name.as_str())) {
            plain.append_pair(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str());
        }
        let plain = plain.finish();
        self.state().last_request_object = Some(claims);
        Ok(plain)
    }

    /// Signature, type, `iss`, `aud`, life.
    async fn check_request_object(&self, token: &str) -> Result<Value, &'static str> {
        let parsed = Compact::parse(token).map_err(|_| REFUSED)?;
        parsed.check_type(TokenType::RequestObject).map_err(|_| REFUSED)?;
        let keys = self.state().client_keys.clone();
        let key = keys.iter().find(|key| key.allows(parsed.algorithm) && key.kid() == parsed.kid.as_deref());
        let key = key.ok_or(REFUSED)?;
        self.crypto.verify(key, parsed.algorithm, parsed.input, &parsed.signature).await.map_err(|_| REFUSED)?;
        let claims: Value = serde_json::from_slice(&parsed.payload).map_err(|_| REFUSED)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).ok_or(REFUSED);
        let now = self.clock.now().seconds();
        let alive = time("nbf")? <= now && now < time("exp")? && time("exp")? - time("nbf")? <= 3_600;
        let ours = text("aud") == self.issuer && text("iss") == text("client_id") && !text("iss").is_empty();
        if alive && ours { Ok(claims) } else { Err(REFUSED) }
    }
}
