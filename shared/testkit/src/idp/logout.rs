//! `/logout`: the person leaves, asked by a relying party (OpenID Connect RP-Initiated Logout 1.0).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::FakeOidcIdp;
use super::authorize::{SESSION_COOKIE, cookie};
use super::route::{page, redirect};

impl FakeOidcIdp {
    pub(super) fn logout(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let text = match *request.method() {
            Method::POST => String::from_utf8_lossy(request.body()).into_owned(),
            _ => request.uri().query().unwrap_or_default().to_owned(),
        };
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let one = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        if let Some(session) = cookie(request, SESSION_COOKIE) {
            self.state().sessions.remove(session);
        }
        let client = one("client_id").or_else(|| audience(&one("id_token_hint")?));
        let mut response = match self.way_back(client.as_deref(), one("post_logout_redirect_uri"), one("state")) {
            Some(url) => redirect(url.as_str()),
            None => page(StatusCode::OK, "Signed out", "<h1>You are signed out</h1><p>You can close this page.</p>"),
        };
        let gone = HeaderValue::from_static("idp-session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        response.headers_mut().insert(header::SET_COOKIE, gone);
        response
    }

    /// Where to go: only to an address that is registered for the client, character by character.
    fn way_back(&self, client: Option<&str>, to: Option<String>, state: Option<String>) -> Option<Url> {
        let to = to?;
        let known = self.state().clients.get(client?)?.post_logout_redirect_uris.contains(&to);
        let mut url = Url::parse(&to).ok().filter(|_| known)?;
        if let Some(state) = state {
            url.query_pairs_mut().append_pair("state", &state);
        }
        Some(url)
    }
}

/// The client that a hint was issued to. Its signature is not looked at: the hint only picks the list of addresses.
fn audience(hint: &str) -> Option<String> {
    let payload = BASE64URL.decode(hint.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    claims.get("aud")?.as_str().map(str::to_owned)
}
