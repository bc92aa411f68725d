//! What happened: the events of a tenant, or of the deployment, by time and by what they say.
//!
//! Events lie in a partition for each day. A question reads days in their order, a bounded number of events and days; where
//! it stopped, the next page goes on.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::JsonSchema;
use serde::Serialize;
use url::form_urlencoded;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Timestamp;

use super::check_id;
use super::days::{DAY, Days, day};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::{AuditEvent, DEPLOYMENT};
use crate::store::{key, record};

/// Events in a page, where nothing else is asked for, and the most.
const USUAL: usize = 200;
const MOST: usize = 1_000;
/// A page that holds so many bytes of events gets no more: an answer has to fit what platforms let through.
const BYTES: usize = 2 * 1024 * 1024;
/// Most events that one question reads.
const READS: usize = 2_000;
/// Most days that one question looks into.
const DAYS: usize = 62;

/// Which events are asked for. Each filter that is there must hold.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Of which days.
    pub days: Days,
    /// Kinds of events, separated by commas.
    pub kind: Option<String>,
    /// Whom they are about.
    pub user: Option<String>,
    /// Who acted: the id of an administrator's or a directory's token, or of its client.
    pub actor: Option<String>,
    /// Through which connection.
    pub connection: Option<String>,
    /// In which application.
    pub client: Option<String>,
    /// In which session.
    pub session: Option<String>,
    /// Which request did it.
    pub request: Option<String>,
    /// How many at most, 1 to 1000; 200 when left out.
    pub limit: Option<String>,
    /// The `next` of the page before.
    pub cursor: Option<String>,
}

/// A page of events, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditPage {
    /// The events; at most as many as asked for, even none, while there is a next page.
    pub events: Vec<AuditEvent>,
    /// Pass as `cursor` to go on; null at the end.
    pub next: Option<String>,
}

/// Events of a tenant, or of the deployment ([`DEPLOYMENT`]). An event is here within 15 minutes.
pub async fn list(broker: &Broker, tenant: &str, query: &EventQuery) -> Result<AuditPage, Error> {
    if tenant != DEPLOYMENT {
        check_id("tenant", tenant)?;
    }
    let (from, until) = query.days.read(broker)?;
    let limit = query.limit.as_ref().map_or(Some(USUAL), |limit| limit.parse().ok().filter(|n| (1..=MOST).contains(n)));
    let limit = limit.ok_or(AdminError::Invalid { field: "limit", problem: "must be a number from 1 to 1000" })?;
    let (mut at, mut after) = match &query.cursor {
        None => (from, None),
        Some(cursor) => {
            let place = place(cursor).filter(|(at, _)| (from..=until).contains(at));
            place.ok_or(AdminError::Invalid { field: "cursor", problem: "must be the next of the page before" })?
        }
    };
    let (mut events, mut reads, mut days, mut bytes) = (Vec::new(), 0, 0, 0);
    while at <= until {
        if events.len() == limit || reads >= READS || days == DAYS || bytes >= BYTES {
            return Ok(AuditPage { events, next: Some(cursor(at, after.as_deref())) });
        }
        let partition = key::audit_partition(tenant, &at.day());
        // No more than fit: where a page stops is after its last record.
        let most = if query.is_filtered() { USUAL } else { (limit - events.len()).min(USUAL) };
        let page = broker.platform.store.list(&partition, "", after.as_deref(), most).await?;
        reads += page.records.len();
        after = page.next;
        for found in &page.records {
            let event = record::parse::<AuditEvent>(found)?.value;
            if query.fits(&event)? {
                events.push(event);
                bytes += found.value.len();
            }
            if events.len() == limit {
                after = Some(found.id.clone());
                break;
            }
        }
        if after.is_none() {
            at = at + DAY;
            days += 1;
        }
    }
    Ok(AuditPage { events, next: None })
}

/// The query of a request, from another place on.
pub fn with_cursor(query: &Params<'_>, cursor: &str) -> String {
    let mut next = form_urlencoded::Serializer::new("?".to_owned());
    next.extend_pairs(query.iter().filter(|(name, _)| *name != "cursor")).append_pair("cursor", cursor);
    next.finish()
}

impl EventQuery {
    fn is_filtered(&self) -> bool {
        let Self { kind, user, actor, connection, client, session, request, .. } = self;
        [kind, user, actor, connection, client, session, request].iter().any(|filter| filter.is_some())
    }

    fn fits(&self, event: &AuditEvent) -> Result<bool, Error> {
        let is = |asked: &Option<String>, is: Option<&String>| asked.as_ref().is_none_or(|asked| is == Some(asked));
        let plain = is(&self.user, event.user.as_ref())
            && is(&self.connection, event.connection.as_ref())
            && is(&self.client, event.client.as_ref())
            && is(&self.session, event.session.as_ref())
            && is(&self.request, event.origin.as_ref().map(|origin| &origin.request));
        if !plain || (self.kind.is_none() && self.actor.is_none()) {
            return Ok(plain);
        }
        // Names of kinds, and who acted, are as they are shown.
        let shown = serde_json::to_value(&event.kind).map_err(|_| Error::bug("an event that is no JSON"))?;
        let text = |pointer| shown.pointer(pointer).and_then(serde_json::Value::as_str);
        let kind = text("/kind");
        let of_kind = self.kind.as_ref().is_none_or(|asked| asked.split(',').any(|asked| kind == Some(asked.trim())));
        let actor = text("/administrator/token").or(text("/by/id"));
        Ok(of_kind && self.actor.as_ref().is_none_or(|asked| actor == Some(asked.as_str())))
    }
}

fn cursor(at: Timestamp, after: Option<&str>) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}/{}", at.day(), after.unwrap_or_default()))
}

fn place(cursor: &str) -> Option<(Timestamp, Option<String>)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (at, after) = text.split_once('/')?;
    Some((day(at)?, (!after.is_empty()).then(|| after.to_owned()).filter(|after| after.len() <= 512)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_ours() {
        let at = Timestamp::from_seconds(1_750_000_000);
        let first = day(&at.day()).unwrap();
        assert_eq!(place(&cursor(at, Some("1#a"))), Some((first, Some("1#a".to_owned()))));
        assert_eq!(place(&cursor(at, None)), Some((first, None)));
        for wrong in ["", "*", "abc", &URL_SAFE_NO_PAD.encode("2025-06-15"), &URL_SAFE_NO_PAD.encode("x/y")] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
