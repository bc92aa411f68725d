//! How many requests of a tenant's directories this process answers: a bucket for each tenant, in memory. It protects
//! the process and the tenant's partition from a directory that runs wild; it's no promise across processes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vestibule_protocol::time::Timestamp;

/// How many buckets are kept before all are dropped: a bound on memory. A dropped one is a full one.
const MAX_BUCKETS: usize = 4096;

/// The buckets, by tenant.
#[derive(Default)]
pub(crate) struct Buckets {
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    left: i64,
    filled_at: Timestamp,
}

impl Buckets {
    /// Takes one request out of a tenant's bucket, which fills by `per_second` and holds twice that. `false` when it
    /// is empty.
    pub(crate) fn take(&self, tenant: &str, per_second: u16, now: Timestamp) -> bool {
        let per_second = i64::from(per_second);
        let full = per_second * 2;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(tenant) {
            buckets.clear();
        }
        let bucket = buckets.entry(tenant.to_owned()).or_insert(Bucket { left: full, filled_at: now });
        // A clock that was set back fills nothing, and counts from there on.
        let passed = now.seconds().saturating_sub(bucket.filled_at.seconds()).max(0);
        bucket.left = passed.saturating_mul(per_second).saturating_add(bucket.left).min(full);
        bucket.filled_at = now;
        let granted = bucket.left > 0;
        bucket.left -= i64::from(granted);
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn taken(buckets: &Buckets, tenant: &str, now: i64) -> usize {
        (0..1000).filter(|_| buckets.take(tenant, 10, at(now))).count()
    }

    /// SC-20
    #[test]
    fn a_bucket_fills_each_second_and_holds_two_of_them() {
        let buckets = Buckets::default();
        assert_eq!(taken(&buckets, "acme", 100), 20);
        assert_eq!(taken(&buckets, "other", 100), 20, "each tenant has its own");
        assert_eq!(taken(&buckets, "acme", 101), 10);
        assert_eq!(taken(&buckets, "acme", 1_000_000), 20);
        assert_eq!(taken(&buckets, "acme", 50), 0, "a clock that was set back fills nothing");
        assert_eq!(taken(&buckets, "acme", 51), 10, "and does not stop the next second");
    }

    #[test]
    fn a_lower_rate_counts_at_once() {
        let buckets = Buckets::default();
        assert!(buckets.take("acme", 1000, at(100)));
        assert_eq!((0..1000).filter(|_| buckets.take("acme", 1, at(100))).count(), 2);
    }

    #[test]
    fn the_number_of_buckets_is_bounded() {
        let buckets = Buckets::default();
        for number in 0..=MAX_BUCKETS * 2 {
            buckets.take(&number.to_string(), 1, at(0));
        }
        assert!(buckets.buckets.lock().unwrap().len() <= MAX_BUCKETS);
    }
}
