//! An identity provider's metadata (saml-metadata-2.0-os): where it is asked, and with which keys it signs.

use roxmltree::Node;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::uri::{DSIG, METADATA, POST, PROTOCOL, REDIRECT};
use super::{Certificate, Refused, instant, xml};
use crate::time::Timestamp;

/// Most certificates of one identity provider.
const CERTIFICATES: usize = 16;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In a query.
    Redirect,
    /// In a form.
    Post,
}

/// Where an identity provider takes messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// How.
    pub binding: Binding,
    /// Where.
    pub location: String,
    /// Where answers go, if elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_location: Option<String>,
}

/// What metadata says of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdpMetadata {
    /// Its entity id.
    pub entity_id: String,
    /// Where it takes requests to sign somebody in, in its order.
    pub single_sign_on: Vec<Endpoint>,
    /// Where it takes logout messages, in its order.
    pub single_logout: Vec<Endpoint>,
    /// What it signs with: all that may occur.
    pub certificates: Vec<Certificate>,
    /// Whether it wants requests signed.
    pub wants_signed_requests: bool,
    /// Until when this counts.
    pub valid_until: Option<Timestamp>,
}

impl IdpMetadata {
    /// Reads the metadata of the identity provider `entity_id`, or of the only one in it.
    pub fn read(text: &str, entity_id: Option<&str>, now: Timestamp) -> Result<Self, Refused> {
        let text = xml::lines(text);
        let document = xml::parse(&text, xml::METADATA_LIMIT)?;
        let is_idp = |entity: &Node<'_, '_>| {
            let is_meant = entity_id.is_none_or(|id| xml::attribute(*entity, "entityID") == Some(id));
            is_meant && descriptor(*entity).is_some()
        };
        let all = document.root_element().descendants().filter(|node| xml::is(*node, METADATA, "EntityDescriptor"));
        let mut meant = all.filter(is_idp);
        let (Some(entity), None) = (meant.next(), meant.next()) else { return Err(Refused::Entity) };
        let found = xml::attribute(entity, "entityID").filter(|id| !id.is_empty()).ok_or(Refused::Entity)?;
        let idp = descriptor(entity).ok_or(Refused::Entity)?;
        // Each level may end earlier than the one around it.
        let ends = idp.ancestors().filter_map(|node| xml::attribute(node, "validUntil"));
        let valid_until = ends.map(instant::parse).collect::<Result<Vec<_>, _>>()?.into_iter().min();
        if valid_until.is_some_and(|end| end.has_passed(now)) {
            return Err(Refused::MetadataExpired);
        }
        Ok(Self {
            entity_id: found.to_owned(),
            single_sign_on: endpoints(idp, "SingleSignOnService"),
            single_logout: endpoints(idp, "SingleLogoutService"),
            certificates: certificates(idp)?,
            wants_signed_requests: matches!(xml::attribute(idp, "WantAuthnRequestsSigned"), Some("true" | "1")),
            valid_until,
        })
    }
}

/// The entity ids of the identity providers in metadata, for words: an administrator may have meant one of them.
pub fn described(text: &str) -> Vec<String> {
    let text = xml::lines(text);
    let Ok(document) = xml::parse(&text, xml::METADATA_LIMIT) else { return Vec::new() };
    let entities = document.descendants().filter(|node| xml::is(*node, METADATA, "EntityDescriptor"));
    let idps = entities.filter(|entity| descriptor(*entity).is_some());
    idps.filter_map(|entity| xml::attribute(entity, "entityID").map(str::to_owned)).collect()
}

/// The role of an identity provider that speaks SAML 2.0.
fn descriptor<'a, 'input>(entity: Node<'a, 'input>) -> Option<Node<'a, 'input>> {
    xml::all(entity, METADATA, "IDPSSODescriptor").find(|role| {
        let protocols = xml::attribute(*role, "protocolSupportEnumeration").unwrap_or_default();
        protocols.split(xml::is_space).any(|protocol| protocol == PROTOCOL)
    })
}

/// Those whose binding we speak.
fn endpoints(idp: Node<'_, '_>, name: &'static str) -> Vec<Endpoint> {
    let read = |node: Node<'_, '_>| {
        let binding = match xml::attribute(node, "Binding")? {
            REDIRECT => Binding::Redirect,
            POST => Binding::Post,
            _ => return None,
        };
        let location = xml::attribute(node, "Location")?.trim_matches(xml::is_space).to_owned();
        let response_location = xml::attribute(node, "ResponseLocation").map(str::to_owned);
        Some(Endpoint { binding, location, response_location })
    };
    xml::all(idp, METADATA, name).filter_map(read).collect()
}

/// Of all keys that sign; a key without a use is for everything. One that cannot be used is an error: left out in silence,
/// it would refuse logins on the day that it is used.
fn certificates(idp: Node<'_, '_>) -> Result<Vec<Certificate>, Refused> {
    let mut found: Vec<Certificate> = Vec::new();
    let keys = xml::all(idp, METADATA, "KeyDescriptor");
    for key in keys.filter(|key| matches!(xml::attribute(*key, "use"), None | Some("signing"))) {
        for data in xml::all(xml::the(key, DSIG, "KeyInfo")?, DSIG, "X509Data") {
            for certificate in xml::all(data, DSIG, "X509Certificate") {
                let certificate = Certificate::read(&xml::text(certificate)?)?;
                if !found.contains(&certificate) {
                    found.push(certificate);
                }
            }
        }
    }
    if found.is_empty() || found.len() > CERTIFICATES {
        return Err(Refused::Shape("1 to 16 signing certificates"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
