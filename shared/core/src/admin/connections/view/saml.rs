//! How a connection's settings for SAML are shown.

use schemars::JsonSchema;
use serde::Serialize;
use url::Url;
use vestibule_protocol::saml::{Certificate, Endpoint};
use vestibule_protocol::time::Timestamp;

use crate::Broker;
use crate::model::connection::{IdpFacts, IdpInitiated, SamlSettings};
use crate::saml::Target;
use crate::saml::facts::fingerprint;
use crate::saml::names::Names;

/// A provider that speaks SAML.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct SamlView {
    /// Its entity id.
    pub idp_entity_id: String,
    /// Where its metadata is fetched from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_url: Option<Url>,
    /// What was set of it; absent where it is fetched.
    #[serde(flatten)]
    pub idp: Option<IdpView>,
    /// Whether our requests are signed, even where the provider's metadata does not ask for it.
    pub sign_requests: bool,
    /// Whether people must sign in again each time.
    pub force_authn: bool,
    /// The format of the name that we ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_id_format: Option<String>,
    /// How people should sign in.
    pub authn_contexts: Vec<String>,
    /// Whether our metadata says what to encrypt for.
    pub wants_encryption: bool,
    /// Whether an address that the provider sends counts as verified.
    pub trusts_email: bool,
    /// What becomes of a response that nobody asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idp_initiated: Option<IdpInitiated>,
    /// What to register at the provider.
    pub register: Registration,
}

/// What is known of an identity provider.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IdpView {
    /// Where it takes requests, its favourite first.
    pub single_sign_on: Vec<Endpoint>,
    /// Where it takes logout messages, its favourite first.
    pub single_logout: Vec<Endpoint>,
    /// What it signs with.
    pub certificates: Vec<CertificateView>,
    /// Whether it wants requests signed.
    pub wants_signed_requests: bool,
    /// Until when its metadata says that all of this counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

/// A certificate.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CertificateView {
    /// SHA-256 of it, in hexadecimal: what consoles call its thumbprint or fingerprint.
    pub sha256: String,
    /// From when it says that it is good.
    pub starts_at: Timestamp,
    /// Until when. A response is not refused because of it.
    pub ends_at: Timestamp,
}

/// What providers have to know of us.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Registration {
    /// Our entity id: "Identifier", "Audience".
    pub entity_id: String,
    /// Our assertion consumer service: "Reply URL", "Single sign-on URL".
    pub acs_url: String,
    /// Our single logout service: "Logout URL".
    pub slo_url: String,
    /// Our metadata, with all of this and our certificates.
    pub metadata_url: String,
}

/// What an administrator sees of the settings.
pub(super) fn view(broker: &Broker, (tenant, connection): (&str, &str), settings: SamlSettings) -> SamlView {
    let names = Names::of(broker, &Target { tenant, connection, settings: &settings });
    SamlView {
        idp_entity_id: settings.idp_entity_id,
        metadata_url: settings.metadata_url,
        idp: settings.idp.map(IdpView::from),
        sign_requests: settings.request.signed,
        force_authn: settings.request.force_authn,
        name_id_format: settings.request.name_id_format,
        authn_contexts: settings.request.authn_contexts,
        wants_encryption: settings.wants_encryption,
        trusts_email: settings.trusts_email,
        idp_initiated: settings.idp_initiated,
        register: Registration {
            entity_id: names.entity_id,
            acs_url: names.acs,
            slo_url: names.slo,
            metadata_url: names.metadata,
        },
    }
}

impl From<IdpFacts> for IdpView {
    fn from(facts: IdpFacts) -> Self {
        let certificates = facts.certificates.iter().filter_map(|text| Certificate::read(text).ok());
        Self {
            certificates: certificates.map(|certificate| CertificateView::from(&certificate)).collect(),
            single_sign_on: facts.single_sign_on,
            single_logout: facts.single_logout,
            wants_signed_requests: facts.wants_signed_requests,
            valid_until: facts.valid_until,
        }
    }
}

impl From<&Certificate> for CertificateView {
    fn from(certificate: &Certificate) -> Self {
        Self { sha256: fingerprint(&certificate.der), starts_at: certificate.starts, ends_at: certificate.ends }
    }
}
