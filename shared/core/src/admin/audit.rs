//! What happened, a day at a time.

use schemars::JsonSchema;
use serde::Serialize;

use super::check_id;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::effect::{AuditEvent, DEPLOYMENT};
use crate::store::{key, record};

/// Which events are asked for.
#[derive(Debug, Clone)]
pub struct Day {
    /// The UTC day, as `YYYY-MM-DD`; today when left out.
    pub day: Option<String>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A page of events, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Pass as `after` to go on; null at the end.
    pub next: Option<String>,
}

/// Events of a tenant, or of the deployment ([`DEPLOYMENT`]), of a day, at most 200 of them. An event is here within 15 minutes.
pub async fn list(broker: &Broker, tenant: &str, Day { day, after }: &Day) -> Result<AuditPage, Error> {
    if tenant != DEPLOYMENT {
        check_id("tenant", tenant)?;
    }
    let day = day.clone().unwrap_or_else(|| broker.platform.clock.now().day());
    let well_formed = day.len() == 10 && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if !well_formed {
        return Err(AdminError::Invalid { field: "day", problem: "must be YYYY-MM-DD" }.into());
    }
    let page = broker.platform.store.list(&key::audit_partition(tenant, &day), "", after.as_deref(), 200).await?;
    let events = page.records.iter().map(|found| Ok(record::parse::<AuditEvent>(found)?.value));
    Ok(AuditPage { events: events.collect::<Result<_, Error>>()?, next: page.next })
}
