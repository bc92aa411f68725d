//! `/api/people/{subject}`: what an administrator's program can ask of the provider's directory, with a token that it got
//! by client credentials, or as an administrator who signed in.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Value, json};

use super::FakeOidcIdp;
use super::family::ACCESS_SECONDS;
use super::route::json_response;

/// Where people are asked about.
pub(super) const PEOPLE: &str = "/api/people/";

impl FakeOidcIdp {
    /// An access token for a program.
    pub(super) fn program_token(&self) -> Response<Bytes> {
        let token = self.secret();
        let until = self.clock.now().seconds() + ACCESS_SECONDS;
        self.state().program_tokens.insert(token.clone(), until);
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": ACCESS_SECONDS });
        json_response(StatusCode::OK, &body)
    }

    /// The person behind a subject, or behind a user name.
    pub(super) fn person(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let now = self.clock.now().seconds();
        let of_program = self.state().program_tokens.get(token).is_some_and(|until| now < *until);
        if !of_program && self.of_access_token(token).is_none() {
            return json_response(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }));
        }
        let name = request.uri().path().strip_prefix(PEOPLE).unwrap_or_default().replace("%40", "@");
        let state = self.state();
        let found = state.accounts.iter().find(|account| account.subject == name || account.username == name);
        let Some(account) = found else {
            return json_response(StatusCode::NOT_FOUND, &json!({ "error": "not_found" }));
        };
        let active = !state.inactive.contains(&account.username);
        let status = if active { "ACTIVE" } else { "SUSPENDED" };
        let mut person = json!({ "id": account.subject, "accountEnabled": active, "status": status });
        if let Some(members) = person.as_object_mut().filter(|_| !active) {
            members.insert("blocked".to_owned(), Value::Bool(true));
        }
        json_response(StatusCode::OK, &person)
    }
}
