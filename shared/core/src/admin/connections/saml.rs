//! What an administrator sends for a connection that speaks SAML, the rules on it, and its settings.

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;
use vestibule_protocol::saml::{Certificate, Endpoint};

use super::address::check_address;
use super::claims;
use super::input::ConnectionInput;
use crate::Broker;
use crate::admin::problems::Problems;
use crate::model::connection::{
    AssertionAudience, IdpFacts, IdpInitiated, ResponseMode, SamlRequestSettings, SamlSettings,
};
use crate::model::is_id;
use crate::saml::facts;

/// Most certificates that are set by hand, and most addresses of a kind.
const CERTIFICATES: usize = 16;
const ENDPOINTS: usize = 10;

/// The identity provider, and how to talk to it. The provider is described in one of three ways: by `metadata`, by
/// `metadata_url`, or by `single_sign_on` and `certificates`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct SamlInput {
    /// The provider's entity id, exactly as in its messages. Needed, but with `metadata` that describes one provider.
    pub idp_entity_id: Option<String>,
    /// The provider's metadata, as a document. What it says is taken over now.
    pub metadata: Option<String>,
    /// Where the provider publishes its metadata. It is fetched when it is needed, and again and again.
    pub metadata_url: Option<Url>,
    /// Where the provider takes requests, its favourite first.
    pub single_sign_on: Vec<Endpoint>,
    /// Where it takes logout messages, its favourite first.
    pub single_logout: Vec<Endpoint>,
    /// What it signs with: certificates in PEM, or their base64 alone. Several while it changes them.
    pub certificates: Vec<String>,
    /// Our entity id; the connection's own, which is shown in `register`, when left out.
    pub sp_entity_id: Option<String>,
    /// Whether our requests are signed, even where the provider's metadata does not ask for it.
    pub sign_requests: bool,
    /// Whether people must sign in again each time.
    pub force_authn: bool,
    /// The format of the name that we ask for; none when left out.
    pub name_id_format: Option<String>,
    /// How people should sign in: class URIs, any of which will do. Nothing is asked for when left out.
    pub authn_contexts: Vec<String>,
    /// Whether our metadata says what to encrypt for. Some providers encrypt as soon as it does.
    pub wants_encryption: bool,
    /// Whether an address that the provider sends counts as verified, for SAML has no word for it: where its administrators
    /// say who has which address, and people cannot set their own.
    pub trusts_email: bool,
    /// What becomes of a response that nobody asked for; refused when left out.
    pub idp_initiated: Option<IdpInitiated>,
}

/// Everything is as it must be.
pub(super) fn check(broker: &Broker, problems: &mut Problems, input: &ConnectionInput) {
    for (path, _) in only_oidc(input).into_iter().filter(|(_, is_there)| *is_there) {
        problems.add(path, "belongs to protocol oidc");
    }
    let Some(saml) = &input.saml else { return problems.add("/saml", "is missing") };
    let described = [saml.metadata.is_some(), saml.metadata_url.is_some(), is_by_hand(saml)];
    if described.into_iter().filter(|is_there| *is_there).count() != 1 {
        let problem = "must describe the provider in one way: by metadata, by metadata_url, or by single_sign_on and \
                       certificates";
        problems.add("/saml", problem);
    }
    if let Some(url) = &saml.metadata_url {
        problems.take("/saml/metadata_url", check_address(broker, url));
    }
    for (path, uri) in [("/saml/idp_entity_id", &saml.idp_entity_id), ("/saml/sp_entity_id", &saml.sp_entity_id)] {
        if uri.as_ref().is_some_and(|uri| !is_name(uri)) {
            problems
                .add(path, "must have 1 to 1024 bytes without spaces and control characters, and be no placeholder");
        }
    }
    if saml.idp_entity_id.is_none() && saml.metadata.is_none() {
        problems.add("/saml/idp_entity_id", "is missing");
    }
    if saml.name_id_format.as_ref().is_some_and(|format| !is_name(format)) {
        problems.add("/saml/name_id_format", "is not a URI");
    }
    if saml.authn_contexts.len() > 20 || saml.authn_contexts.iter().any(|context| !is_name(context)) {
        problems.add("/saml/authn_contexts", "has more than 20 entries, or one that is not a URI");
    }
    if saml.idp_initiated.as_ref().is_some_and(|initiated| !is_id(&initiated.client)) {
        problems.add("/saml/idp_initiated/client", "is not the id of an application");
    }
    if is_by_hand(saml) {
        check_by_hand(broker, problems, saml);
    }
}

/// Whether something is set that metadata would say.
fn is_by_hand(saml: &SamlInput) -> bool {
    !(saml.single_sign_on.is_empty() && saml.single_logout.is_empty() && saml.certificates.is_empty())
}

fn check_by_hand(broker: &Broker, problems: &mut Problems, saml: &SamlInput) {
    if saml.single_sign_on.is_empty() {
        problems.add("/saml/single_sign_on", "is missing");
    }
    if saml.certificates.is_empty() || saml.certificates.len() > CERTIFICATES {
        problems.add("/saml/certificates", "must have 1 to 16 entries");
    }
    for (index, text) in saml.certificates.iter().enumerate() {
        if let Err(refused) = Certificate::read(text) {
            problems.add(format!("/saml/certificates/{index}"), format!("cannot be used: {refused}"));
        }
    }
    for (list, endpoints) in [("single_sign_on", &saml.single_sign_on), ("single_logout", &saml.single_logout)] {
        if endpoints.len() > ENDPOINTS {
            problems.add(format!("/saml/{list}"), "has more than 10 entries");
        }
        for (index, endpoint) in endpoints.iter().enumerate() {
            problems.take(&format!("/saml/{list}/{index}"), check_endpoint(broker, endpoint));
        }
    }
}

/// Browsers are sent there.
fn check_endpoint(broker: &Broker, endpoint: &Endpoint) -> Result<(), &'static str> {
    for address in std::iter::once(&endpoint.location).chain(&endpoint.response_location) {
        check_address(broker, &Url::parse(address).map_err(|_| "is not a URL")?)?;
    }
    Ok(())
}

/// A URI, as far as anybody compares it: exactly. Brackets are a preset's placeholder.
fn is_name(text: &str) -> bool {
    (1..=1024).contains(&text.len())
        && !text.chars().any(|char| char.is_control() || char.is_whitespace() || matches!(char, '<' | '>'))
}

/// What has no meaning for SAML, and whether it was sent.
fn only_oidc(input: &ConnectionInput) -> [(&'static str, bool); 18] {
    [
        ("/issuer", input.issuer.is_some()),
        ("/entra_directories", !input.entra_directories.is_empty()),
        ("/endpoints", input.endpoints.is_some()),
        ("/client_id", input.client_id.is_some()),
        ("/client_secret", input.client_secret.is_some()),
        ("/client_auth", input.client_auth.is_some()),
        ("/assertion_audience", input.assertion_audience != AssertionAudience::default()),
        ("/scopes", input.scopes.is_some()),
        ("/audience", input.audience.is_some()),
        ("/prompt", !input.prompt.is_empty()),
        ("/acr_values", !input.acr_values.is_empty()),
        ("/max_age", input.max_age.is_some()),
        ("/response_mode", input.response_mode != ResponseMode::default()),
        ("/sign_requests", input.sign_requests),
        ("/push_requests", input.push_requests),
        ("/authorization_parameters", !input.authorization_parameters.is_empty()),
        ("/logout/front_channel", input.logout.front_channel),
        ("/logout/end_session_endpoint", input.logout.end_session_endpoint.is_some()),
    ]
}

/// The settings. What is wrong with the metadata is noted here, where it is read.
pub(super) fn settings(broker: &Broker, mut input: ConnectionInput, problems: &mut Problems) -> SamlSettings {
    let claims = claims::names(&mut input);
    let skew = input.skew();
    let saml = input.saml.unwrap_or_default();
    let mut idp_entity_id = saml.idp_entity_id.unwrap_or_default();
    let idp = match &saml.metadata {
        Some(text) => {
            let meant = Some(idp_entity_id.as_str()).filter(|id| !id.is_empty());
            match facts::read(broker, text, meant) {
                Ok((entity_id, facts)) => {
                    idp_entity_id = entity_id;
                    Some(facts)
                }
                Err(problem) => {
                    problems.add("/saml/metadata", problem.to_string());
                    None
                }
            }
        }
        None if saml.metadata_url.is_none() => Some(IdpFacts {
            single_sign_on: saml.single_sign_on,
            single_logout: saml.single_logout,
            certificates: facts::certificates(saml.certificates.iter().filter_map(|text| Certificate::read(text).ok())),
            wants_signed_requests: false,
            valid_until: None,
        }),
        None => None,
    };
    SamlSettings {
        idp_entity_id,
        metadata_url: saml.metadata_url,
        idp,
        sp_entity_id: saml.sp_entity_id,
        request: SamlRequestSettings {
            signed: saml.sign_requests,
            force_authn: saml.force_authn,
            name_id_format: saml.name_id_format,
            authn_contexts: saml.authn_contexts,
        },
        wants_encryption: saml.wants_encryption,
        trusts_email: saml.trusts_email,
        idp_initiated: saml.idp_initiated,
        claims,
        skew,
    }
}
