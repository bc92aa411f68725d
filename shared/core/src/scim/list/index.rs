//! Filters that an index answers: whoever fulfils them has a certain id or name.

use vestibule_protocol::scim::schema::Kind;

use super::found::{self, Found};
use super::{Asked, too_many};
use crate::Broker;
use crate::error::Error;
use crate::model::user::Owner;
use crate::store::record::RecordKey;
use crate::store::{MAX_READS, key};

/// Most people with one address, or groups of one name.
const MAX_NAMESAKES: usize = 1_000;

/// Those who may fulfil the filter; `None` where no index says. Everybody who fulfils it is among them.
pub(super) async fn candidates(broker: &Broker, asked: &Asked<'_>) -> Result<Option<Vec<Found>>, Error> {
    if let Some(index) = owner(asked) {
        let prefix = found::prefix(asked.resource_type.kind());
        let found = broker.platform.store.follow(index.key(), Owner::ID, prefix).await?;
        let record: Vec<_> = found.and_then(|(_, record)| record).into_iter().collect();
        return found::read(broker, asked, &record).await.map(Some);
    }
    let Some(ids) = ids(broker, asked).await? else { return Ok(None) };
    let prefix = found::prefix(asked.resource_type.kind());
    let directory = key::directory(asked.tenant);
    let mut candidates = Vec::with_capacity(ids.len());
    for ids in ids.chunks(MAX_READS) {
        let records: Vec<String> = ids.iter().map(|id| format!("{prefix}{id}")).collect();
        let records = broker.platform.store.get_many(&directory, &records).await?;
        let records: Vec<_> = records.into_iter().flatten().collect();
        candidates.extend(found::read(broker, asked, &records).await?);
    }
    Ok(Some(candidates))
}

async fn ids(broker: &Broker, asked: &Asked<'_>) -> Result<Option<Vec<String>>, Error> {
    let Some(condition) = &asked.condition else { return Ok(None) };
    let tenant = asked.tenant;
    if let Some(id) = condition.must_equal("id") {
        // What is too long to be an id of ours is nobody's.
        return Ok(Some(Some(id.to_owned()).filter(|id| (1..=64).contains(&id.len())).into_iter().collect()));
    }
    if asked.resource_type.kind() == Kind::User {
        if let Some(address) = condition.must_equal("emails.value") {
            return namesakes(broker, tenant, &key::addresses(address)).await.map(Some);
        }
    } else if let Some(name) = condition.must_equal("displayName") {
        return namesakes(broker, tenant, &key::groups_named(name)).await.map(Some);
    }
    Ok(None)
}

/// The entry of the one who alone may fulfil the filter, because nobody else can have their name.
fn owner(asked: &Asked<'_>) -> Option<RecordKey<Owner>> {
    let (condition, tenant) = (asked.condition.as_ref()?, asked.tenant);
    match asked.resource_type.kind() {
        // What names somebody by id needs no index.
        _ if condition.must_equal("id").is_some() => None,
        Kind::User => match condition.must_equal("externalId") {
            Some(id) => Some(key::external_id(tenant, id)),
            None => Some(key::user_name(tenant, condition.must_equal("userName")?)),
        },
        Kind::Group => Some(key::group_external_id(tenant, condition.must_equal("externalId")?)),
    }
}

/// The ids behind entries that have `prefix` before them.
async fn namesakes(broker: &Broker, tenant: &str, prefix: &str) -> Result<Vec<String>, Error> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = broker.platform.store.list(&key::directory(tenant), prefix, after.as_deref(), MAX_NAMESAKES).await?;
        ids.extend(page.records.iter().filter_map(|entry| Some(entry.id.strip_prefix(prefix)?.to_owned())));
        if ids.len() > MAX_NAMESAKES {
            return Err(too_many("more than 1000 have this value: ask for it together with another attribute"));
        }
        after = page.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}
