//! Lists: which resources fulfil a filter, in which order, from where (RFC 7644 §3.4.2, RFC 9865).
//!
//! There are three ways to answer. Who asks for somebody by a name that an index has is answered from the index. Who
//! asks for everybody is answered from the tallies, which say how many there are and where a page begins. Anything
//! else walks through the directory a page at a time and keeps no more than the answer in memory.
//!
//! The order of a list is that of ids, unless another is asked for: it stays as it is whoever comes and goes.

mod cursor;
mod found;
mod index;
mod plain;
mod sorted;
mod walk;

use vestibule_protocol::scim::condition::Condition;
use vestibule_protocol::scim::list::{List, Page};
use vestibule_protocol::scim::projection::Projection;
use vestibule_protocol::scim::query::{Query, Start};
use vestibule_protocol::scim::schema::{Kind, ResourceType};
use vestibule_protocol::scim::sort::SortBy;
use vestibule_protocol::scim::{Error as ScimError, ScimType};

use self::found::Found;
use super::access::ScimCaller;
use super::{LIMITS, shown, types};
use crate::Broker;
use crate::error::Error;

/// Resources on a page where nothing is said.
const USUAL_COUNT: usize = 100;
/// A question that the schemas have understood.
struct Asked<'s> {
    tenant: &'s str,
    /// The SCIM server's address.
    base: &'s str,
    resource_type: &'s ResourceType,
    condition: Option<Condition<'s>>,
    projection: Projection<'s>,
    /// By what the list is sorted, and whether the order is reversed.
    sort: Option<(SortBy<'s>, bool)>,
    count: usize,
}

/// One page of a tenant's people or groups, as JSON.
pub async fn list(broker: &Broker, caller: &ScimCaller, kind: Kind, query: &Query) -> Result<String, Error> {
    let types = types::types(broker, &caller.tenant).await?;
    let base = shown::base(broker);
    let asked = Asked::new(&caller.tenant, &base, types.of(kind), query)?;
    let Start::Index(start) = query.start else {
        return Ok(cursor::page(broker, &asked, query).await?.body());
    };
    let (total, resources) = at_index(broker, &asked, start).await?;
    Ok(List { total: Some(total), resources, page: Page::Index(start) }.body())
}

/// One page of all that a tenant has: people first, then groups (RFC 7644 §3.4.3). A kind whose schemas do not know what
/// is asked has nobody who fulfils it; that neither knows it is an error.
pub async fn list_all(broker: &Broker, caller: &ScimCaller, query: &Query) -> Result<String, Error> {
    let Start::Index(start) = query.start else {
        return Err(ScimError::invalid_value("a walk by cursor is at /Users or /Groups").into());
    };
    let types = types::types(broker, &caller.tenant).await?;
    let base = shown::base(broker);
    let kinds = [Kind::User, Kind::Group].map(|kind| Asked::new(&caller.tenant, &base, types.of(kind), query));
    if let [Err(error), Err(_)] = &kinds {
        return Err(error.clone().into());
    }
    let (mut total, mut resources) = (0, Vec::new());
    for mut asked in kinds.into_iter().flatten() {
        if asked.sort.is_some() {
            return Err(ScimError::invalid_value("people and groups have no common order: leave sortBy out").into());
        }
        asked.count -= resources.len().min(asked.count);
        let (of_kind, page) = at_index(broker, &asked, start.saturating_sub(total).max(1)).await?;
        total += of_kind;
        resources.extend(page);
    }
    Ok(List { total: Some(total), resources, page: Page::Index(start) }.body())
}

impl<'s> Asked<'s> {
    fn new(tenant: &'s str, base: &'s str, resource_type: &'s ResourceType, query: &Query) -> Result<Self, ScimError> {
        let sort = query.sort_by.as_deref().map(|name| SortBy::parse(resource_type, name)).transpose()?;
        Ok(Self {
            tenant,
            base,
            resource_type,
            condition: query.filter.as_deref().map(|text| Condition::parse(text, resource_type)).transpose()?,
            projection: Projection::new(resource_type, &query.attributes, &query.excluded_attributes)?,
            sort: sort.map(|by| (by, query.descending)),
            count: query.count.unwrap_or(USUAL_COUNT).min(LIMITS.max_results),
        })
    }
}

/// How many there are, and the page that begins at `start`, counted from 1, as it is shown.
async fn at_index(broker: &Broker, asked: &Asked<'_>, start: usize) -> Result<(usize, Vec<String>), Error> {
    let skip = start.saturating_sub(1);
    if asked.condition.is_none() && asked.sort.is_none() {
        let (total, records) = walk::everybody(broker, asked, skip).await?;
        return Ok((total, plain::show(broker, asked, &records).await?));
    }
    let (total, page) = chosen(broker, asked, skip).await?;
    Ok((total, found::show(broker, asked, page).await?))
}

/// The same where not everybody is asked for, or in another order.
async fn chosen(broker: &Broker, asked: &Asked<'_>, skip: usize) -> Result<(usize, Vec<Found>), Error> {
    if let Some(candidates) = index::candidates(broker, asked).await? {
        let mut found = found::fulfilling(broker, asked, candidates).await?;
        if let Some((by, descending)) = &asked.sort {
            found = sorted::sort(found, by, *descending);
        }
        let total = found.len();
        return Ok((total, found.into_iter().skip(skip).take(asked.count).collect()));
    }
    match &asked.sort {
        Some((by, descending)) => sorted::page(broker, asked, skip, (by, *descending)).await,
        None => walk::filtered(broker, asked, skip).await,
    }
}

/// What is too much to be sorted or shown at once.
fn too_many(detail: &str) -> Error {
    ScimError::new(ScimType::TooMany, detail).into()
}
