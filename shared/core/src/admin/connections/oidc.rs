//! The rules on a connection that speaks OpenID Connect, and its settings from what an administrator sends.

use vestibule_protocol::oidc::issuer::DIRECTORY;
use vestibule_protocol::time::Seconds;

use super::address::{check_address, check_issuer};
use super::input::ConnectionInput;
use super::{claims, logout, sealed_secret};
use crate::Broker;
use crate::admin::problems::{Problems, escaped};
use crate::error::Error;
use crate::model::connection::{
    AssertionAudience, Endpoints, OidcSettings, Prompt, RequestSettings, Upstream, UpstreamClientAuth,
};
use crate::seal::Sealed;
use crate::upstream::oidc::secret_place;
use crate::upstream::request::OUR_PARAMETERS;

/// Everything but the secret is as it must be.
pub(super) fn check(broker: &Broker, problems: &mut Problems, input: &ConnectionInput) {
    if input.saml.is_some() {
        problems.add("/saml", "belongs to protocol saml");
    }
    let needed = [
        ("/issuer", input.issuer.is_some()),
        ("/client_id", input.client_id.is_some()),
        ("/client_auth", input.client_auth.is_some()),
    ];
    for (path, _) in needed.into_iter().filter(|(_, is_there)| !is_there) {
        problems.add(path, "is missing");
    }
    check_issuer_of(broker, problems, input);
    if let Some(endpoints) = &input.endpoints {
        check_endpoints(broker, problems, endpoints);
        if input.push_requests && endpoints.pushed_authorization_request.is_none() {
            problems.add("/push_requests", "needs endpoints.pushed_authorization_request");
        }
    }
    if input.client_id.as_ref().is_some_and(|id| id.starts_with('<')) {
        problems.add("/client_id", "is the placeholder of a preset");
    }
    for (path, text) in [("/client_id", &input.client_id), ("/audience", &input.audience)] {
        let legal = |text: &String| (1..=255).contains(&text.len()) && !text.chars().any(char::is_control);
        if text.as_ref().is_some_and(|text| !legal(text)) {
            problems.add(path, "must have 1 to 255 bytes without control characters");
        }
    }
    if !input.entra_directories.is_empty() && input.assertion_audience == AssertionAudience::Issuer {
        problems.add("/assertion_audience", "cannot be an issuer with {tenantid}");
    }
    if !input.entra_directories.is_empty() && input.sign_requests {
        problems.add("/sign_requests", "cannot be for an issuer with {tenantid}");
    }
    if let Some(scopes) = &input.scopes {
        check_scopes(problems, scopes);
    }
    logout::check(broker, problems, input);
    check_request(problems, input);
}

fn check_endpoints(broker: &Broker, problems: &mut Problems, endpoints: &Endpoints) {
    let Endpoints { authorization, token, jwks, userinfo, introspection, pushed_authorization_request } = endpoints;
    let addresses = [("authorization", Some(authorization)), ("token", Some(token)), ("jwks", Some(jwks))];
    let optional = [
        ("userinfo", userinfo),
        ("introspection", introspection),
        ("pushed_authorization_request", pushed_authorization_request),
    ];
    let optional = optional.map(|(name, address)| (name, address.as_ref()));
    for (name, address) in addresses.into_iter().chain(optional) {
        let checked = address.map_or(Ok(()), |address| check_address(broker, address));
        problems.take(&format!("/endpoints/{name}"), checked);
    }
}

fn check_issuer_of(broker: &Broker, problems: &mut Problems, input: &ConnectionInput) {
    let Some(issuer) = &input.issuer else { return };
    // A directory's id stands where the template has its place; only there may a brace be.
    let example = issuer.replacen(DIRECTORY, "00000000-0000-0000-0000-000000000000", 1);
    let is_template = example != *issuer;
    problems.take("/issuer", check_issuer(broker, &example, is_template));
    if problems.is_read("/issuer") && is_template == input.entra_directories.is_empty() {
        problems.add("/entra_directories", "belongs to an issuer with {tenantid}, which cannot do without");
    }
    if input.entra_directories.len() > 100 {
        problems.add("/entra_directories", "has more than 100 entries");
    }
    for (index, id) in input.entra_directories.iter().enumerate() {
        let legal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        if id.len() != 36 || !id.bytes().all(legal) {
            problems.add(format!("/entra_directories/{index}"), "must be a directory's id, in lower case");
        }
    }
}

fn check_request(problems: &mut Problems, input: &ConnectionInput) {
    if input.prompt.len() > 1 && input.prompt.contains(&Prompt::None) {
        problems.add("/prompt", "has none beside another value");
    }
    let twice = |prompt: &Prompt| input.prompt.iter().filter(|other| *other == prompt).count() > 1;
    if input.prompt.iter().any(twice) {
        problems.add("/prompt", "has a value twice");
    }
    let is_word =
        |text: &str| !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if input.acr_values.len() > 20 {
        problems.add("/acr_values", "has more than 20 entries");
    }
    for (index, _) in input.acr_values.iter().enumerate().filter(|(_, text)| !is_word(text)) {
        problems.add(format!("/acr_values/{index}"), "is not a word");
    }
    if input.authorization_parameters.len() > 20 {
        problems.add("/authorization_parameters", "has more than 20 entries");
    }
    for (name, value) in &input.authorization_parameters {
        let path = format!("/authorization_parameters/{}", escaped(name));
        if OUR_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
            problems.add(path, "is a parameter that the broker sets itself");
        } else if !is_word(name) || value.len() > 1024 {
            problems.add(path, "has a name that is not a word, or a value of more than 1024 bytes");
        }
    }
}

fn check_scopes(problems: &mut Problems, scopes: &[String]) {
    if !scopes.iter().any(|scope| scope == "openid") {
        problems.add("/scopes", "must include openid");
    }
    if scopes.len() > 50 {
        problems.add("/scopes", "has more than 50 entries");
    }
    let legal = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    for (index, scope) in scopes.iter().enumerate() {
        if scope.is_empty() || !scope.bytes().all(legal) {
            problems.add(format!("/scopes/{index}"), "is empty, or has a character that no scope may have");
        }
    }
}

/// The settings, with the secret that was sent, or as it was.
pub(super) fn sealed(
    broker: &Broker,
    (tenant, id): (&str, &str),
    before: Option<&Upstream>,
    mut input: ConnectionInput,
    problems: &mut Problems,
) -> Result<OidcSettings, Error> {
    let needed = input.client_auth.is_some_and(UpstreamClientAuth::needs_secret);
    let kept = before.and_then(Upstream::oidc).and_then(|settings| settings.client_secret.clone());
    let sent = input.client_secret.take();
    let secret = sealed_secret(broker, &secret_place(tenant, id), sent, kept.filter(|_| needed))?;
    if secret.is_some() != needed && problems.is_read("/client_auth") && input.client_auth.is_some() {
        let problem = if needed { "is missing" } else { "is not used with this client_auth: leave it out" };
        problems.add("/client_secret", problem);
    }
    Ok(settings(input, secret))
}

/// What is missing was noted.
fn settings(mut input: ConnectionInput, client_secret: Option<Sealed>) -> OidcSettings {
    OidcSettings {
        claims: claims::names(&mut input),
        skew: input.skew(),
        issuer: input.issuer.unwrap_or_default(),
        entra_directories: input.entra_directories,
        endpoints: input.endpoints,
        client_id: input.client_id.unwrap_or_default(),
        client_secret,
        client_auth: input.client_auth.unwrap_or(UpstreamClientAuth::None),
        assertion_audience: input.assertion_audience,
        scopes: input.scopes.unwrap_or_else(|| ["openid", "email"].map(str::to_owned).into()),
        audience: input.audience,
        request: RequestSettings {
            prompt: input.prompt,
            acr_values: input.acr_values,
            max_age: input.max_age.map(|seconds| Seconds(seconds.into())),
            response_mode: input.response_mode,
            signed: input.sign_requests,
            pushed: input.push_requests,
            parameters: input.authorization_parameters,
        },
    }
}
