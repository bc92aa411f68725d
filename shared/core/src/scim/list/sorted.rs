//! Lists in another order than that of ids (RFC 7644 §3.4.2.3): everybody is read, and those are kept who may stand on
//! the page or before it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use vestibule_protocol::scim::sort::{SortBy, SortKey};

use super::found::Found;
use super::walk::Walk;
use super::{Asked, too_many};
use crate::Broker;
use crate::error::Error;

/// So far into a sorted list a page may reach.
const MAX_REACH: usize = 10_000;

/// A resource in its place. Who is alike stands in the order of ids.
struct Placed {
    key: SortKey,
    descending: bool,
    found: Found,
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.key.cmp(&other.key);
        let order = if self.descending { order.reverse() } else { order };
        order.then_with(|| self.found.id.cmp(&other.found.id))
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Placed {}

/// Sorts a few.
pub(super) fn sort(found: Vec<Found>, by: &SortBy<'_>, descending: bool) -> Vec<Found> {
    let mut placed: Vec<Placed> =
        found.into_iter().map(|found| Placed { key: by.key(&found.resource), descending, found }).collect();
    placed.sort();
    placed.into_iter().map(|placed| placed.found).collect()
}

/// The page that begins after `skip`, and how many there are.
pub(super) async fn page(
    broker: &Broker,
    asked: &Asked<'_>,
    skip: usize,
    (by, descending): (&SortBy<'_>, bool),
) -> Result<(usize, Vec<Found>), Error> {
    let reach = skip.saturating_add(asked.count);
    if reach > MAX_REACH {
        return Err(too_many("a sorted list can be read up to its 10000th: filter it, or walk by cursor"));
    }
    let mut walk = Walk::after(broker, asked, None);
    let (mut total, mut kept) = (0, BinaryHeap::with_capacity(reach + 1));
    while let Some(found) = walk.fulfilling().await? {
        total += found.len();
        for found in found {
            kept.push(Placed { key: by.key(&found.resource), descending, found });
            // The heap's top stands last: it leaves when there are enough before it.
            if kept.len() > reach {
                kept.pop();
            }
        }
    }
    let page = kept.into_sorted_vec().into_iter().skip(skip);
    Ok((total, page.map(|placed| placed.found).collect()))
}
