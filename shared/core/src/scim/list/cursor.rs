//! Walks by cursor (RFC 9865): each page says where the next one begins. A cursor is sealed, for one tenant, one kind
//! and one filter, and is good for an hour. It names the last one who was shown: whoever is removed meanwhile, nobody
//! else is left out or shown twice.

use serde::{Deserialize, Serialize};
use vestibule_protocol::scim::list::{List, Page};
use vestibule_protocol::scim::query::{Query, Start};
use vestibule_protocol::scim::{Error as ScimError, ScimType};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::Asked;
use super::found::{self, Found};
use super::walk::Walk;
use crate::Broker;
use crate::error::Error;
use crate::scim::LIMITS;
use crate::seal::{Purpose, Sealed};

#[derive(Serialize, Deserialize)]
struct Cursor {
    /// The id of the last one who was looked at.
    after: String,
    until: Timestamp,
}

/// The page at a cursor; at the empty one, the first.
pub(super) async fn page(broker: &Broker, asked: &Asked<'_>, query: &Query) -> Result<List, Error> {
    let Start::Cursor(cursor) = &query.start else { return Err(Error::bug("a walk without a cursor")) };
    if asked.sort.is_some() {
        return Err(
            ScimError::invalid_value("sortBy and cursor exclude each other: a walk is in the order of ids").into()
        );
    }
    if asked.count == 0 {
        return Err(ScimError::new(ScimType::InvalidCount, "a walk by cursor needs a count above 0").into());
    }
    let filter = query.filter.as_deref().unwrap_or_default();
    let place = format!("{}/{}/{filter}", asked.tenant, asked.resource_type.kind().as_str());
    let prefix = found::prefix(asked.resource_type.kind());
    let after = if cursor.is_empty() { None } else { Some(open(broker, &place, cursor)?) };
    let mut walk = Walk::after(broker, asked, after.map(|id| format!("{prefix}{id}")));
    let (mut page, mut more): (Vec<Found>, bool) = (Vec::new(), false);
    while !more && page.len() <= asked.count {
        let found = match &asked.condition {
            Some(_) => walk.fulfilling().await?,
            None => walk.next(asked.count + 1 - page.len()).await?,
        };
        let Some(found) = found else { break };
        page.extend(found);
        more = page.len() > asked.count;
    }
    page.truncate(asked.count);
    let last = page.last().map(|found| found.id.clone()).filter(|_| more);
    let next = last.map(|after| seal(broker, &place, after)).transpose()?;
    Ok(List { total: None, resources: found::show(broker, asked, page).await?, page: Page::Cursor(next) })
}

fn seal(broker: &Broker, place: &str, after: String) -> Result<String, Error> {
    let cursor = Cursor { after, until: broker.platform.clock.now() + Seconds(LIMITS.cursor_seconds) };
    let text = serde_json::to_vec(&cursor).map_err(|_| Error::bug("a cursor that is no JSON"))?;
    let sealed = broker.sealer.seal(&*broker.platform.random, Purpose::Cursor, place, &text)?;
    Ok(sealed.as_str().to_owned())
}

fn open(broker: &Broker, place: &str, cursor: &str) -> Result<String, ScimError> {
    let foreign = || ScimError::new(ScimType::InvalidCursor, "the cursor is not one of ours, or of another question");
    let opened = broker.sealer.open(Purpose::Cursor, place, &Sealed::from_text(cursor)).map_err(|_| foreign())?;
    let cursor: Cursor = serde_json::from_slice(&opened).map_err(|_| foreign())?;
    if cursor.until.has_passed(broker.platform.clock.now()) {
        return Err(ScimError::new(ScimType::ExpiredCursor, "the cursor is older than an hour: begin the walk again"));
    }
    Ok(cursor.after)
}
