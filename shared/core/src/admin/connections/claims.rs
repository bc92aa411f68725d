//! Where a connection's claims are, as an administrator sets it.

use std::collections::BTreeMap;

use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::oidc::added_claims::{is_name, is_protocols, is_providers};

use super::ConnectionInput;
use crate::admin::problems::{Problems, escaped};
use crate::model::connection::ClaimNames;
use crate::token::is_access;

/// The names of attributes: of their own, and such that tokens can hold them.
pub(super) fn check(problems: &mut Problems, attributes: &BTreeMap<String, AttributeMapping>) {
    if attributes.len() > 50 {
        problems.add("/attributes", "has more than 50 entries");
    }
    for name in attributes.keys() {
        let problem = match name.as_str() {
            name if !is_name(name) => "must be called by 1 to 64 letters, digits and _-.:/",
            name if is_protocols(name) => "has a name that the protocols give a meaning",
            name if is_providers(name) || is_access(name) => "has a name that is in use here",
            _ => continue,
        };
        problems.add(format!("/attributes/{}", escaped(name)), problem);
    }
}

/// What was set; what was left out is as providers usually have it.
pub(super) fn names(input: &mut ConnectionInput) -> ClaimNames {
    let usual = ClaimNames::default();
    ClaimNames {
        email: input.email_claim.take().unwrap_or(usual.email),
        unique_id: input.unique_id_claim.take().unwrap_or(usual.unique_id),
        groups: input.groups_claim.take().unwrap_or(usual.groups),
        preferred_username: input.preferred_username_claim.take().unwrap_or(usual.preferred_username),
        name: input.name_claim.take().unwrap_or(usual.name),
        given_name: input.given_name_claim.take().unwrap_or(usual.given_name),
        family_name: input.family_name_claim.take().unwrap_or(usual.family_name),
        attributes: std::mem::take(&mut input.attributes),
    }
}
