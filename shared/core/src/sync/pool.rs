//! Several examinations at once: of all together as many as a Worker has connections, of one connection as many as it takes.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::examine::{Examination, Seen};
use crate::error::Error;

/// All together.
const AT_ONCE: usize = 6;

type Outcome = (String, Result<Seen, Error>);

/// Runs them all: how many of its connection may run at once, which connection that is, and the examination. What came of
/// each, in no order.
pub(super) async fn run(mut waiting: Vec<(u8, String, Examination<'_>)>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(waiting.len());
    let mut running: BTreeMap<String, u8> = BTreeMap::new();
    let mut pool: FuturesUnordered<Pin<Box<dyn Future<Output = Outcome> + Send + '_>>> = FuturesUnordered::new();
    loop {
        let free = |(at_once, id, _): &(u8, String, _)| running.get(id).is_none_or(|running| running < at_once);
        let next = if pool.len() < AT_ONCE { waiting.iter().position(free) } else { None };
        if let Some(position) = next {
            let (_, id, examination) = waiting.swap_remove(position);
            *running.entry(id.clone()).or_default() += 1;
            pool.push(Box::pin(async move { (id, examination.run().await) }));
            continue;
        }
        let Some(outcome) = pool.next().await else { return outcomes };
        if let Some(running) = running.get_mut(&outcome.0) {
            *running -= 1;
        }
        outcomes.push(outcome);
    }
}
