//! Ending all sessions of a tenant or of a connection, which may be very many.
//!
//! Each shard counts how often this happened: its era. A session remembers the era in which it began, and its first
//! commit rests on that era. So, of two that race, either the session is there when the shard is swept, or its
//! sign-in finds a new era and begins again: whatever began before the end is ended, and nothing that began after it,
//! whatever clocks say.

use super::end::{Ending, end};
use crate::Broker;
use crate::error::Error;
use crate::model::audit::AuditKind;
use crate::model::effect::Effect;
use crate::model::session::{EndReason, Era, Session};
use crate::outbox;
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, StoreError, record};

/// Shards in which one step begins an era.
const SHARDS: u16 = 16;
/// Sessions at which one step looks.
const PAGE: usize = 2;
/// How often a step that lost a race is tried anew.
const TRIES: usize = 20;

/// Whose sessions end.
pub(crate) struct Bulk<'a> {
    pub(crate) tenant: &'a str,
    /// All connections when left out.
    pub(crate) connection: Option<&'a str>,
}

impl Bulk<'_> {
    /// Begins an era in some shards from `first` on. With which shard it goes on, if it does.
    pub(crate) async fn begin_eras(&self, broker: &Broker, name: &str, first: u16) -> Result<Option<u16>, Error> {
        let Some(tenant) = key::tenant(self.tenant).get(&*broker.platform.store).await? else { return Ok(None) };
        let next = first.saturating_add(SHARDS).min(tenant.value.session_shards);
        let shards = (first..next).map(|number| SessionShard { tenant: self.tenant.to_owned(), number });
        futures_util::future::try_join_all(shards.map(|shard| self.begin_era(broker, name, shard))).await?;
        Ok((next < tenant.value.session_shards).then_some(next))
    }

    /// Begins an era in a shard, unless that was done, and owes the end of the sessions before it.
    async fn begin_era(&self, broker: &Broker, name: &str, shard: SessionShard) -> Result<(), Error> {
        let record = shard.era();
        for _ in 0..TRIES {
            let found = record.get(&*broker.platform.store).await?;
            if found.as_ref().is_some_and(|found| found.value.begun_by == name) {
                return Ok(());
            }
            let number = found.as_ref().map_or(0, |found| found.value.number) + 1;
            let era = Era { number, begun_by: name.to_owned() };
            let expect = found.map_or(Expect::Absent, |found| Expect::Version(found.version));
            let sweep = Effect::Sweep {
                tenant: self.tenant.to_owned(),
                shard: shard.number,
                connection: self.connection.map(str::to_owned),
                era: number,
                after: None,
            };
            let sweep = outbox::owe(broker, record.partition().clone(), &sweep)?.write;
            match broker.platform.store.commit(record.partition(), vec![record.put(&era, expect)?, sweep]).await {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy("sessions of a shard keep being ended".to_owned()).into())
    }

    /// Ends a page of a shard's sessions that began before an era. Where it ended, if it goes on.
    pub(crate) async fn sweep(
        &self,
        broker: &Broker,
        shard: u16,
        era: u64,
        after: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let shard = SessionShard { tenant: self.tenant.to_owned(), number: shard };
        let partition = shard.partition();
        let page = broker.platform.store.list(&partition, SessionShard::SESSION, after, PAGE).await?;
        for found in &page.records {
            let session = record::parse::<Session>(found)?.value;
            if session.era < era && self.connection.is_none_or(|connection| connection == session.connection) {
                let kind = AuditKind::SessionEnded { reason: EndReason::Administrator };
                end(broker, Ending::of(&shard, &session, kind)).await?;
            }
        }
        Ok(page.next)
    }
}
