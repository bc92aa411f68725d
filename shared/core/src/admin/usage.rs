//! How much a tenant uses the broker.

use schemars::JsonSchema;
use serde::Serialize;

use super::check_id;
use super::days::{DAY, Days};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::store::key;
use crate::usage;

/// Most days in an answer: a shard is asked for all of them at once.
const MOST: usize = 62;

/// A tenant's figures. Today's grow; what happened is counted within 15 minutes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsageView {
    /// One of each day, the oldest first.
    pub days: Vec<DayView>,
}

/// A day's figures.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DayView {
    /// The day, `YYYY-MM-DD`, in UTC.
    pub day: String,
    /// How many people signed in or were refreshed, by their addresses: distinct, and none of them is kept.
    pub people: u64,
    /// How many sign-ins and refreshes there were.
    pub requests: u64,
}

/// The figures of at most 62 days. They are kept for 400.
pub async fn of_days(broker: &Broker, tenant: &str, days: &Days) -> Result<UsageView, Error> {
    check_id("tenant", tenant)?;
    let settings = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?.value;
    let (from, until) = days.read(broker)?;
    let days: Vec<_> = std::iter::successors(Some(from), |day| Some(*day + DAY))
        .take_while(|day| *day <= until)
        .take(MOST + 1)
        .collect();
    if days.len() > MOST {
        return Err(AdminError::Invalid { field: "from", problem: "must be at most 61 days before until" }.into());
    }
    if days.is_empty() {
        return Ok(UsageView { days: Vec::new() });
    }
    let figures = usage::of_days(broker, tenant, settings.session_shards, &days).await?;
    let days = days.iter().zip(figures).map(|(day, figures)| DayView {
        day: day.day(),
        people: figures.people,
        requests: figures.requests,
    });
    Ok(UsageView { days: days.collect() })
}
