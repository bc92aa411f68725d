//! How much a tenant uses the broker: for each day, how many people, and how many requests, which are sign-ins and
//! refreshes. Nothing else is kept: a person is a keyed hash of their address.
//!
//! A request leaves a mark in the commit that it makes anyway, so none is forgotten and none waits for another. The tick
//! folds marks into the day's count, in the same partition, each once.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::session::Subject;
use crate::model::usage::ShardUsage;
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError, Write};

/// How long marks wait to be folded, should ticks not come.
const MARK_LIFE: Seconds = Seconds(40 * 86_400);
/// How long a day's figures are kept.
const KEPT: Seconds = Seconds(400 * 86_400);
/// Marks folded in one commit: each is removed, and may bring somebody new.
const BATCH: usize = 45;

/// The mark of a request; to be part of its commit.
pub(crate) fn mark(broker: &Broker, shard: &SessionShard, subject: &Subject) -> Result<Write, Error> {
    let now = broker.platform.clock.now();
    let who = subject.profile.email.as_ref().map_or_else(|| subject.user.clone(), |email| email.to_lowercase());
    let hash = broker.sealer.fingerprint(format!("usage\0{}\0{who}", subject.tenant).as_bytes())?;
    let id = new_id(&*broker.platform.random);
    Ok(shard.usage_mark(&now.day(), &hash, &id).put_until(&(), now + MARK_LIFE, Expect::Any)?)
}

/// Folds marks of one day, as many as fit a commit. True when there may be more.
pub(crate) async fn fold(broker: &Broker, shard: &SessionShard) -> Result<bool, Error> {
    let store = &*broker.platform.store;
    let partition = shard.partition();
    let page = store.list(&partition, SessionShard::USAGE_MARK, None, BATCH).await?;
    // The days, each with its marks: `use#{day}#{hash}#{id}`.
    let mut days: BTreeMap<String, (BTreeSet<String>, Vec<Write>)> = BTreeMap::new();
    for found in page.records {
        let mut parts = found.id.split('#').skip(1);
        let (Some(day), Some(hash)) = (parts.next(), parts.next()) else { continue };
        let (people, marks) = days.entry(day.to_owned()).or_default();
        people.insert(hash.to_owned());
        marks.push(Write::Delete { id: found.id.clone(), expect: Expect::Present });
    }
    let more = page.next.is_some() || days.len() > 1;
    let Some((day, (people, mut writes))) = days.pop_first() else { return Ok(false) };
    let known: Vec<String> = people.iter().map(|hash| shard.usage_person(&day, hash).id().to_owned()).collect();
    let known = store.get_many(&partition, &known).await?;
    let until = broker.platform.clock.now() + KEPT;
    let record = shard.usage(&day);
    let found = record.get(store).await?;
    let mut usage = found.as_ref().map_or_else(ShardUsage::default, |found| found.value);
    usage.requests += u64::try_from(writes.len()).unwrap_or_default();
    for (hash, _) in people.iter().zip(known).filter(|(_, known)| known.is_none()) {
        usage.people += 1;
        writes.push(shard.usage_person(&day, hash).put_until(&(), until, Expect::Absent)?);
    }
    let expect = found.map_or(Expect::Absent, |found| Expect::Version(found.version));
    writes.push(record.put_until(&usage, until, expect)?);
    match store.commit(&partition, writes).await {
        Ok(_) => Ok(more),
        // Another tick folds the same marks.
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A tenant's figures for these days, over all its shards.
pub(crate) async fn of_days(
    broker: &Broker,
    tenant: &str,
    shards: u16,
    days: &[Timestamp],
) -> Result<Vec<ShardUsage>, Error> {
    let mut total = vec![ShardUsage::default(); days.len()];
    for number in 0..shards {
        let shard = SessionShard { tenant: tenant.to_owned(), number };
        let ids: Vec<String> = days.iter().map(|day| shard.usage(&day.day()).id().to_owned()).collect();
        let found = broker.platform.store.get_many(&shard.partition(), &ids).await?;
        for (total, found) in total.iter_mut().zip(found) {
            if let Some(found) = found {
                let usage = crate::store::record::parse::<ShardUsage>(&found)?.value;
                total.requests += usage.requests;
                total.people += usage.people;
            }
        }
    }
    Ok(total)
}
