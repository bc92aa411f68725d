//! Connections as an administrator sees them.

mod oidc;
mod saml;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::mapping::path::ClaimPath;

pub use self::oidc::OidcView;
pub use self::saml::{IdpView, SamlView};
use super::Protocol;
use crate::Broker;
use crate::model::connection::{Connection, LogoutSettings, Revocation, Upstream};
use crate::model::probe::ProbeSettings;
use crate::model::sign_in::SignIn;
use crate::model::sync::SyncSettings;

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConnectionView {
    /// The connection.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Whether it can be used.
    pub enabled: bool,
    /// To whom it is offered, and how.
    pub sign_in: SignIn,
    /// What becomes of somebody whom the provider revokes.
    pub revocation: Revocation,
    /// How sign-outs reach the provider, and come from there.
    pub logout: LogoutSettings,
    /// How its people are asked about between sign-ins.
    pub sync: SyncSettings,
    /// Where it can be asked whether somebody is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_probe: Option<ProbeSettings>,
    /// The provider, and how to talk to it.
    #[serde(flatten)]
    pub upstream: UpstreamView,
    /// The claim with the e-mail address.
    pub email_claim: ClaimPath,
    /// The claim that names the person for good.
    pub unique_id_claim: ClaimPath,
    /// The claim with the groups.
    pub groups_claim: ClaimPath,
    /// The claim with the name that the person goes by.
    pub preferred_username_claim: ClaimPath,
    /// The claim with the full name.
    pub name_claim: ClaimPath,
    /// The claim with the first name.
    pub given_name_claim: ClaimPath,
    /// The claim with the last name.
    pub family_name_claim: ClaimPath,
    /// More attributes that are kept of the person.
    pub attributes: BTreeMap<String, AttributeMapping>,
    /// How many seconds the provider's clock may be off.
    pub skew_seconds: i64,
}

/// A provider, and how to talk to it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum UpstreamView {
    /// One that speaks OpenID Connect.
    Oidc(Box<OidcView>),
    /// One that speaks SAML.
    Saml {
        /// The provider and we.
        saml: Box<SamlView>,
    },
}

pub(super) fn view(broker: &Broker, tenant: &str, id: &str, connection: Connection) -> ConnectionView {
    let claims = connection.upstream.claims().clone();
    let (protocol, skew, upstream) = match connection.upstream {
        Upstream::Oidc(settings) => {
            let skew = settings.skew;
            (Protocol::Oidc, skew, UpstreamView::Oidc(Box::new(oidc::view(broker, (tenant, id), *settings))))
        }
        Upstream::Saml(settings) => {
            let skew = settings.skew;
            let saml = Box::new(saml::view(broker, (tenant, id), *settings));
            (Protocol::Saml, skew, UpstreamView::Saml { saml })
        }
    };
    ConnectionView {
        id: id.to_owned(),
        name: connection.name,
        protocol,
        enabled: connection.enabled,
        sign_in: connection.sign_in,
        revocation: connection.revocation,
        logout: connection.logout,
        sync: connection.sync,
        status_probe: connection.status_probe.map(|probe| probe.settings),
        upstream,
        email_claim: claims.email,
        unique_id_claim: claims.unique_id,
        groups_claim: claims.groups,
        preferred_username_claim: claims.preferred_username,
        name_claim: claims.name,
        given_name_claim: claims.given_name,
        family_name_claim: claims.family_name,
        attributes: claims.attributes,
        skew_seconds: skew.0,
    }
}
