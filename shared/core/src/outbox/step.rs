//! What each kind of effect does.

use std::collections::BTreeSet;

use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::delivery;
use crate::directory::import::Import;
use crate::error::Error;
use crate::model::audit::{AuditEvent, DEPLOYMENT};
use crate::model::effect::Effect;
use crate::provider_notice;
use crate::scim::regroup::{self, Regroup};
use crate::sessions::{self, bulk::Bulk};
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, Partition, Write};

/// Does one step of an effect: what is still owed of it. A step makes eight calls to the world or few more.
pub(super) async fn step(broker: &Broker, id: &str, effect: Effect) -> Result<Option<Effect>, Error> {
    match effect {
        Effect::AlignGate { tenant, user } => sessions::align_gate(broker, &tenant, &user).await.map(|()| None),
        Effect::EndDead { tenant, user, reason } => {
            if let Some(shard) = sessions::shard_of(broker, &tenant, &user).await? {
                sessions::end::end_dead(broker, &shard, &user, reason).await?;
            }
            Ok(None)
        }
        Effect::EndGrants { tenant, shard, session } => {
            let place = SessionShard { tenant, number: shard };
            let more = sessions::end::end_grants(broker, &place, &session, None, &mut BTreeSet::new()).await?;
            Ok(more.then_some(Effect::EndGrants { tenant: place.tenant, shard, session }))
        }
        Effect::Regroup { .. } | Effect::Depart { .. } | Effect::ImportGroups { .. } => groups(broker, effect).await,
        Effect::TellLogout { tenant, user, session, clients } => {
            let messages = delivery::of_session(broker, &user, &session, clients).await?;
            delivery::owe(broker, &tenant, unique_part(id), messages).await?;
            Ok(None)
        }
        Effect::Revoke { tenant, connection, users, deactivates } => {
            provider_notice::revoke_users(broker, (&tenant, &connection), &users, deactivates).await?;
            Ok(None)
        }
        Effect::EndProviderSessions { tenant, connection, over, shard } => {
            let next = provider_notice::end(broker, (&tenant, &connection), &over, shard).await?;
            Ok(next.map(|shard| Effect::EndProviderSessions { tenant, connection, over, shard }))
        }
        Effect::EndSessions { tenant, connection, name, shard } => {
            let bulk = Bulk { tenant: &tenant, connection: connection.as_deref() };
            let next = bulk.begin_eras(broker, &name, shard).await?;
            Ok(next.map(|shard| Effect::EndSessions { tenant, connection, name, shard }))
        }
        Effect::Sweep { tenant, shard, connection, era, after } => {
            let bulk = Bulk { tenant: &tenant, connection: connection.as_deref() };
            let next = bulk.sweep(broker, shard, era, after.as_deref()).await?;
            Ok(next.map(|after| Effect::Sweep { tenant, shard, connection, era, after: Some(after) }))
        }
        Effect::Audit { tenant, event } => {
            let (partition, write) = entry(broker, id, &tenant, &event).await?;
            broker.platform.store.commit(&partition, vec![write]).await?;
            Ok(None)
        }
    }
}

/// The same, of what is about groups.
async fn groups(broker: &Broker, effect: Effect) -> Result<Option<Effect>, Error> {
    match effect {
        Effect::Regroup { tenant, group, by, after } => {
            let regroup = Regroup { tenant: &tenant, group: &group, by: &by };
            let next = regroup.step(broker, after.as_deref()).await?;
            Ok(next.map(|after| Effect::Regroup { tenant, group, by, after: Some(after) }))
        }
        Effect::Depart { tenant, user, groups } => {
            regroup::depart(broker, &tenant, &user, &groups).await?;
            Ok(None)
        }
        Effect::ImportGroups { tenant, user, connection } => {
            let import = Import { tenant: &tenant, user: &user, connection: &connection };
            let goes_on = import.step(broker).await?;
            Ok(goes_on.then_some(Effect::ImportGroups { tenant, user, connection }))
        }
        _ => Err(Error::bug("an effect that is not about groups")),
    }
}

/// An event for its log, under the id that its outbox record has: written twice, it is there once. What it owes to webhooks
/// is owed when this returns.
pub(super) async fn entry(
    broker: &Broker,
    id: &str,
    tenant: &str,
    event: &AuditEvent,
) -> Result<(Partition, Write), Error> {
    let messages = delivery::of_audit(broker, tenant, event).await?;
    delivery::owe(broker, tenant, unique_part(id), messages).await?;
    let record = key::audit(tenant, event.time, unique_part(id));
    let settings = if tenant == DEPLOYMENT { None } else { broker.tenant(tenant).await? };
    let days = settings.and_then(|settings| settings.audit_days);
    let end = days.map(|days| event.time + Seconds(i64::from(days) * 86_400));
    Ok((record.partition().clone(), record.put_for(event, end, Expect::Any)?))
}

/// The random end of an outbox id.
fn unique_part(id: &str) -> &str {
    id.rsplit_once('#').map_or(id, |(_, unique)| unique)
}
