//! Our authorization request to an OpenID provider. PKCE S256, `state` and a nonce are always in it (RFC 9700 §2.1.1).

use std::iter;

use url::Url;
use vestibule_protocol::oauth::acr::Classes;
use vestibule_protocol::oauth::pkce::CodeChallenge;
use vestibule_protocol::oauth::prompt;
use vestibule_protocol::time::Seconds;

use super::client::redirect_uri;
use super::request_object::sign;
use super::{Target, documents, push};
use crate::Broker;
use crate::error::Error;
use crate::model::connection::{OidcSettings, ResponseMode};

/// The moving parts of our authorization request.
pub(crate) struct Asked<'a> {
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
    /// How strongly, for the application.
    pub classes: &'a Classes,
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
    let mut sent = parameters(broker, target.settings, asked);
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
fn parameters(broker: &Broker, settings: &OidcSettings, asked: &Asked<'_>) -> Parameters {
    let more_scopes = settings.scopes.iter().map(String::as_str).filter(|scope| *scope != "openid");
    let scope: Vec<&str> = iter::once("openid").chain(more_scopes).collect();
    let mut sent: Vec<(&str, String)> = vec![
        ("response_type", "code".to_owned()),
        ("client_id", settings.client_id.clone()),
        ("redirect_uri", redirect_uri(broker)),
        ("scope", scope.join(" ")),
        ("state", asked.state.to_owned()),
        ("nonce", asked.nonce.to_owned()),
        ("code_challenge", CodeChallenge::of(asked.verifier).as_str().to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ];
    sent.extend(asked.login_hint.map(|hint| ("login_hint", hint.to_owned())));
    // What the application insists on comes before what the connection always asks for.
    if let prompt::Prompt::Ask(asked) = asked.prompt {
        sent.push(("prompt", asked.clone()));
    } else if !settings.request.prompt.is_empty() {
        let words: Vec<&str> = settings.request.prompt.iter().map(|prompt| prompt.as_str()).collect();
        sent.push(("prompt", words.join(" ")));
    }
    let wished = [&asked.classes.values, &settings.request.acr_values].into_iter().find(|values| !values.is_empty());
    sent.extend(wished.map(|values| ("acr_values", values.join(" "))));
    let condition = asked.classes.claims();
    let taken = condition.is_some();
    sent.extend(condition.map(|claims| ("claims", claims)));
    let max_age = [settings.request.max_age, asked.max_age].into_iter().flatten().min();
    sent.extend(max_age.map(|max_age| ("max_age", max_age.0.to_string())));
    if settings.request.response_mode == ResponseMode::FormPost {
        sent.push(("response_mode", "form_post".to_owned()));
    }
    let ours = sent.into_iter().map(|(name, value)| (name.to_owned(), value));
    let theirs = settings.request.parameters.clone().into_iter().filter(|(name, _)| !(taken && name == "claims"));
    ours.chain(theirs).collect()
}
