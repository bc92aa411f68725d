//! What the decommission of a person would end, told before it does: a dry run of switching them off. Nothing is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::sessions::{self, SessionView};
use super::users;
use crate::Broker;
use crate::delivery;
use crate::error::{AdminError, Error};
use crate::model::webhook::EventKind;
use crate::store::key;

/// Sessions that are shown, each for a call to the store of its own.
const SHOWN: usize = 20;

/// What would end, and who would be told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecommissionPreview {
    /// Whether the person may sign in now. Of somebody who may not, nothing is left to end.
    pub active: bool,
    /// How many sessions would end; a hundred are counted at most.
    pub session_count: u32,
    /// Whether more would end than are shown. Applications then are those of the sessions that are.
    pub more_sessions: bool,
    /// The first twenty of them.
    pub sessions: Vec<SessionView>,
    /// The applications that hold tokens in them.
    pub applications: Vec<AffectedApplication>,
    /// The webhooks that would be told.
    pub webhooks: Vec<ToldWebhook>,
}

/// An application that would lose tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AffectedApplication {
    /// Its client id.
    pub client: String,
    /// How many refresh families of it would end, with their access tokens.
    pub refresh_families: u32,
    /// Whether it would be told, at its `backchannel_logout_uri`.
    pub told: bool,
}

/// A webhook that would be told.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToldWebhook {
    /// Its id.
    pub webhook: String,
    /// Of what; `session.ended` once for each session.
    pub events: Vec<EventKind>,
}

/// Says what the decommission of a person would end.
pub async fn preview(broker: &Broker, tenant: &str, user: &str) -> Result<DecommissionPreview, Error> {
    users::check(tenant, user)?;
    let found = key::user(tenant, user).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    let (shard, mut live, more) = sessions::live_of_user(broker, tenant, user).await?;
    let session_count = u32::try_from(live.len()).unwrap_or(u32::MAX);
    let more_sessions = more || live.len() > SHOWN;
    live.truncate(SHOWN);
    let (mut shown, mut families) = (Vec::with_capacity(live.len()), BTreeMap::<String, u32>::new());
    for session in live {
        let clients = sessions::clients_of(broker, &shard, &session.subject.session).await?;
        for (client, count) in &clients {
            *families.entry(client.clone()).or_default() += count;
        }
        shown.push(sessions::view(session, Some(clients)));
    }
    let mut applications = Vec::with_capacity(families.len());
    for (client, refresh_families) in families {
        let registered = broker.client(&client).await?;
        let told = registered.is_some_and(|found| found.backchannel_logout_uri.is_some());
        applications.push(AffectedApplication { client, refresh_families, told });
    }
    let switched = found.value.active.then_some(EventKind::UserDeactivated);
    let ended = (session_count > 0).then_some(EventKind::SessionEnded);
    let webhooks = webhooks(broker, tenant, &switched.into_iter().chain(ended).collect::<Vec<_>>()).await?;
    Ok(DecommissionPreview {
        active: found.value.active,
        session_count,
        more_sessions,
        sessions: shown,
        applications,
        webhooks,
    })
}

/// The webhooks that want to know any of these.
async fn webhooks(broker: &Broker, tenant: &str, happens: &[EventKind]) -> Result<Vec<ToldWebhook>, Error> {
    let subscriptions = delivery::subscriptions(broker, tenant).await?;
    let told = subscriptions.iter().map(|(webhook, wanted)| ToldWebhook {
        webhook: webhook.clone(),
        events: happens.iter().copied().filter(|kind| wanted.wants(*kind)).collect(),
    });
    Ok(told.filter(|told| !told.events.is_empty()).collect())
}
