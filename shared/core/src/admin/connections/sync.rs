//! The rules on how a connection's people are asked about between sign-ins.

use crate::admin::problems::Problems;
use crate::model::sync::{Breaker, SyncSettings};

/// Each limit is one that can be kept.
pub(super) fn check(problems: &mut Problems, sync: &SyncSettings) {
    let SyncSettings { at_once, per_minute, breaker: Breaker { percent, people }, .. } = sync;
    if !(1..=6).contains(at_once) {
        problems.add("/sync/at_once", "must be 1 to 6");
    }
    if !(1..=60_000).contains(per_minute) {
        problems.add("/sync/per_minute", "must be 1 to 60000");
    }
    if !(1..=100).contains(percent) {
        problems.add("/sync/breaker/percent", "must be 1 to 100");
    }
    if *people == 0 {
        problems.add("/sync/breaker/people", "must be 1 or more");
    }
}
