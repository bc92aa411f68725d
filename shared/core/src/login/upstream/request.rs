//! Our authorization request to an OpenID provider. PKCE S256, `state` and a nonce are always in it (RFC 9700 §2.1.1).

use openidconnect::core::{CoreAuthPrompt, CoreResponseType};
use openidconnect::{
    AuthenticationContextClass, AuthenticationFlow, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
};
use url::Url;
use vestibule_protocol::oauth::prompt;
use vestibule_protocol::time::Seconds;

use super::UpstreamCopy;
use super::client::client;
use crate::Broker;
use crate::error::Error;
use crate::model::connection::{OidcSettings, Prompt, ResponseMode};

/// The moving parts of our authorization request.
pub struct Asked<'a> {
    /// Comes back with the answer.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// The secret behind our PKCE challenge.
    pub verifier: &'a str,
    /// Who is probably signing in.
    pub login_hint: Option<&'a str>,
    /// Whether the application insists on asking the person.
    pub prompt: &'a prompt::Prompt,
    /// How long ago the person may have proved who they are, for the application.
    pub max_age: Option<Seconds>,
}

/// Parameters that we send, or that would change what the answer looks like. A connection cannot set them.
pub(crate) const OUR_PARAMETERS: [&str; 18] = [
    "acr_values",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// Where to send the browser.
pub(crate) fn authorization_url(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    asked: &Asked<'_>,
) -> Result<Url, Error> {
    let client = client(broker, settings, copy, None)?;
    let (state, nonce) = (CsrfToken::new(asked.state.to_owned()), Nonce::new(asked.nonce.to_owned()));
    let verifier = PkceCodeVerifier::new(asked.verifier.to_owned());
    let mut request = client
        .authorize_url(AuthenticationFlow::<CoreResponseType>::AuthorizationCode, || state, || nonce)
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
    // The crate adds `openid` itself.
    for scope in settings.scopes.iter().filter(|scope| *scope != "openid") {
        request = request.add_scope(Scope::new(scope.clone()));
    }
    if let Some(hint) = asked.login_hint {
        request = request.add_extra_param("login_hint", hint);
    }
    // What the application insists on comes before what the connection always asks for.
    if let prompt::Prompt::Ask(asked) = asked.prompt {
        request = request.add_extra_param("prompt", asked.as_str());
    } else {
        for prompt in &settings.request.prompt {
            request = request.add_prompt(match prompt {
                Prompt::None => CoreAuthPrompt::None,
                Prompt::Login => CoreAuthPrompt::Login,
                Prompt::Consent => CoreAuthPrompt::Consent,
                Prompt::SelectAccount => CoreAuthPrompt::SelectAccount,
            });
        }
    }
    for class in &settings.request.acr_values {
        request = request.add_auth_context_value(AuthenticationContextClass::new(class.clone()));
    }
    if let Some(max_age) = [settings.request.max_age, asked.max_age].into_iter().flatten().min() {
        request = request.add_extra_param("max_age", max_age.0.to_string());
    }
    if settings.request.response_mode == ResponseMode::FormPost {
        request = request.add_extra_param("response_mode", "form_post");
    }
    for (name, value) in &settings.request.parameters {
        request = request.add_extra_param(name, value);
    }
    Ok(request.url().0)
}
