//! What an administrator sends for an invitation, and the rules on it.

use schemars::JsonSchema;
use serde::Deserialize;
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::admin::problems::Problems;
use crate::error::Error;
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
    /// Roles of the tenant's list that they get, as if granted by hand.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Teams that they get into.
    #[serde(default)]
    pub teams: Vec<String>,
    /// Business units that they get into.
    #[serde(default)]
    pub business_units: Vec<String>,
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
