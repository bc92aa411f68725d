//! What an administrator sends for an invitation, and the rules on it.

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::admin::problems::Problems;
use crate::error::Error;
use crate::model::access::{Grant, Provenance};
use crate::model::invitation::{INVITATION_LIFE, MAX_INVITATION_LIFE};

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationInput {
    /// Whom it is for: whoever signs in with this address, verified, in any case.
    pub email: String,
    /// How many seconds its link is good: 60 to 2592000 (30 days); 7 days when left out.
    #[serde(default)]
    pub expires_in: Option<u32>,
    /// The application where they begin. Its `initiate_login_uri`, if it has one, is where the link leads on to.
    #[serde(default)]
    pub client: Option<String>,
    /// Roles that they get.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Teams that they get into.
    #[serde(default)]
    pub teams: Vec<String>,
}

/// What an administrator sends to have another link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResendInput {
    /// How many seconds the new link is good; as for a new invitation.
    #[serde(default)]
    pub expires_in: Option<u32>,
}

/// How long the link is good.
pub(super) fn check_life(problems: &mut Problems, sent: Option<u32>) -> Seconds {
    let life = sent.map_or(INVITATION_LIFE, |seconds| Seconds(seconds.into()));
    if !(60..=MAX_INVITATION_LIFE.0).contains(&life.0) {
        problems.add("/expires_in", "must be 60 to 2592000 seconds (30 days)");
    }
    life
}

/// The application is there and serves the tenant.
pub(super) async fn check_client(
    broker: &Broker,
    problems: &mut Problems,
    tenant: &str,
    client: Option<&str>,
) -> Result<(), Error> {
    let Some(client) = client else { return Ok(()) };
    if !broker.client(client).await?.is_some_and(|found| found.serves(tenant)) {
        problems.add("/client", "is no application of this tenant's");
    }
    Ok(())
}

/// Names that an administrator grants by hand.
pub(super) fn check_names(problems: &mut Problems, path: &str, names: Vec<String>) -> Vec<Grant> {
    if names.len() > 20 {
        problems.add(path, "has more than 20 entries");
    }
    let mut grants: Vec<Grant> = Vec::new();
    for (at, name) in names.into_iter().enumerate() {
        if name.trim().is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
            problems.add(format!("{path}/{at}"), "must have 1 to 100 characters");
        }
        if grants.iter().any(|other| other.name == name) {
            problems.add(format!("{path}/{at}"), "is there twice");
        }
        grants.push(Grant { name, from: Provenance::Administrator });
    }
    grants
}
