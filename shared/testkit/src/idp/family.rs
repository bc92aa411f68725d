//! What a sign-in leaves behind: refresh tokens that rotate, access tokens, and what becomes of both when the person is
//! switched off or the provider takes them back.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde_json::json;
use url::form_urlencoded;

use super::route::json_response;
use super::token::{Form, field};
use super::{FakeOidcIdp, Grant, Lie, State};

/// How long access tokens live, in seconds.
pub(super) const ACCESS_SECONDS: i64 = 3_600;

impl FakeOidcIdp {
    /// Switches somebody off or on. Who is off cannot sign in, and none of their tokens is good.
    pub fn set_active(&self, username: &str, active: bool) {
        let mut state = self.state();
        if active {
            state.inactive.remove(username);
        } else {
            state.inactive.insert(username.to_owned());
        }
    }

    /// Takes back somebody's refresh tokens, as when they withdraw their consent, and with `all` their access tokens.
    pub fn revoke(&self, username: &str, all: bool) {
        let mut state = self.state();
        state.refresh_tokens.retain(|_, grant| grant.username != username);
        if all {
            state.access_tokens.retain(|_, grant| grant.username != username);
        }
    }

    /// All refresh tokens that are good now.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.state().refresh_tokens.keys().cloned().collect()
    }

    /// Uses a refresh token up. One that was used before ends its family: access tokens too (RFC 9700 §4.14.2).
    pub(super) fn spend(&self, token: &str, client: &str) -> Result<Grant, &'static str> {
        let stays = self.lies(Lie::NoRotation);
        let mut state = self.state();
        if let Some(family) = state.spent.get(token).cloned() {
            state.end_family(&family);
            return Err("invalid_grant");
        }
        let grant = state.refresh_tokens.get(token).cloned().ok_or("invalid_grant")?;
        if grant.client_id != client || state.inactive.contains(&grant.username) {
            return Err("invalid_grant");
        }
        if !stays {
            state.refresh_tokens.remove(token);
            state.spent.insert(token.to_owned(), grant.family.clone());
        }
        Ok(grant)
    }

    /// What an access token stands for, while it is good.
    pub(super) fn of_access_token(&self, token: &str) -> Option<Grant> {
        let grant = self.state().access_tokens.get(token).cloned()?;
        let fresh = self.clock.now().seconds() - grant.issued_at.seconds() < ACCESS_SECONDS;
        (fresh && self.account(&grant.username).is_some()).then_some(grant)
    }

    /// `/introspect` (RFC 7662): whether an access token is good.
    pub(super) async fn introspect(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let form: Form = form_urlencoded::parse(request.body()).into_owned().collect();
        if self.client_of(request, &form).await.is_err() {
            return json_response(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
        }
        let grant = field(&form, "token").and_then(|token| self.of_access_token(token));
        json_response(StatusCode::OK, &json!({ "active": grant.is_some() }))
    }
}

impl State {
    fn end_family(&mut self, family: &str) {
        self.refresh_tokens.retain(|_, grant| grant.family != family);
        self.access_tokens.retain(|_, grant| grant.family != family);
    }
}
