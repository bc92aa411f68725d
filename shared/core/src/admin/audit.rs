//! What happened, a day at a time.

use serde::Serialize;

use super::check_id;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::effect::AuditEvent;
use crate::store::{key, record};

/// A page of events, oldest first.
#[derive(Debug, Serialize)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Pass as `after` to go on; null at the end.
    pub next: Option<String>,
}

/// Events of a UTC day (`YYYY-MM-DD`; today when left out), at most 200 of them. An event is here within 15 minutes.
pub async fn list(broker: &Broker, tenant: &str, day: Option<&str>, after: Option<&str>) -> Result<AuditPage, Error> {
    check_id("tenant", tenant)?;
    let day = day.map_or_else(|| broker.platform.clock.now().day(), str::to_owned);
    let well_formed = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !well_formed {
        return Err(AdminError::Invalid { field: "day", problem: "must be YYYY-MM-DD" }.into());
    }
    let page = broker.platform.store.list(&key::audit_partition(tenant, &day), "", after, 200).await?;
    let events = page.records.iter().map(|found| Ok(record::parse::<AuditEvent>(found)?.value));
    Ok(AuditPage { events: events.collect::<Result<_, Error>>()?, next: page.next })
}
