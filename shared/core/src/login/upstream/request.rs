//! Our authorization request to an OpenID provider. PKCE S256, `state` and a nonce are always in it (RFC 9700 §2.1.1).

use openidconnect::core::{CoreAuthPrompt, CoreResponseType};
use openidconnect::{
    AuthenticationContextClass, AuthenticationFlow, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope,
};
use url::Url;
use vestibule_protocol::oauth::prompt;
use vestibule_protocol::time::Seconds;

use super::client::client;
use super::request_object::sign;
use super::{Target, UpstreamCopy, documents, push};
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

/// Names and values, in the order in which they are sent.
pub(super) type Parameters = Vec<(String, String)>;

/// Parameters that we send, that would change what the answer looks like, or that mean something else in a signed
/// request (RFC 7519 §4.1). A connection cannot set them.
pub(crate) const OUR_PARAMETERS: [&str; 25] = [
    "acr_values",
    "aud",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "exp",
    "iat",
    "iss",
    "jti",
    "login_hint",
    "max_age",
    "nbf",
    "nonce",
    "prompt",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "sub",
];

/// Where to send the browser: with the whole request, signed if need be, or with the name of one that was sent ahead.
pub(crate) async fn authorization_url(broker: &Broker, target: &Target<'_>, asked: &Asked<'_>) -> Result<Url, Error> {
    let copy = documents(broker, target).await?;
    let mut sent = parameters(broker, target.settings, &copy, asked)?;
    if target.settings.request.signed {
        sent = sign(broker, target.settings, &copy, sent).await?;
    }
    if let Some(endpoint) = push::endpoint(target, &copy)? {
        sent = push::push(broker, target, &copy, endpoint, sent).await?;
    }
    let mut url = copy.metadata.authorization_endpoint.clone();
    url.query_pairs_mut().extend_pairs(sent);
    Ok(url)
}

/// All that we ask, without what the authorization endpoint's own address has in its query.
fn parameters(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    asked: &Asked<'_>,
) -> Result<Parameters, Error> {
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
    let theirs = copy.metadata.authorization_endpoint.query_pairs().count();
    Ok(request.url().0.query_pairs().into_owned().skip(theirs).collect())
}
