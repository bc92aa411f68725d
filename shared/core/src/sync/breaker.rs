//! When too many people are gone at once: a mistake in the provider's configuration looks like that, and so does a real
//! end. An administrator decides which it is.

use vestibule_protocol::time::{Seconds, Timestamp};

use crate::model::sync::{Breaker, Quarter, Stopped, SyncState};
use crate::model::watch::{Delay, Trouble};

/// A quarter of an hour: in each, every session has its turn.
const QUARTER: i64 = 900;
/// How many of them make the hour that is looked at, the present one included.
const HOUR: i64 = 4;
/// After a step in which no examination told anything, the provider is left alone for so long.
const OUTAGE: Seconds = Seconds(60);

/// What came of a step's examinations of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) examined: u32,
    pub(super) vouched: u32,
    pub(super) ended: u32,
    /// Sessions whose persons are to be decommissioned.
    pub(super) gone: u32,
    /// How many people that are.
    pub(super) people: u32,
    /// What told nothing.
    pub(super) delays: Vec<Delay>,
    /// How late the latest of the sessions that were due was, in seconds.
    pub(super) lag: i64,
}

/// Whether a connection's sessions are examined at all.
pub(super) fn is_closed(state: &SyncState, now: Timestamp) -> bool {
    state.stopped.is_some() || state.paused_until.is_some_and(|until| !until.has_passed(now))
}

/// Takes a step into account; true when its decommissions may be carried out. Otherwise the state says that they are stopped.
pub(super) fn admit(state: &mut SyncState, limits: Breaker, count: &Count, now: Timestamp) -> bool {
    note(state, count, now);
    let approved = state.approved_until.is_some_and(|until| !until.has_passed(now));
    if count.gone > 0 && !approved && state.stopped.is_none() {
        let recent = |quarter: &&Quarter| quarter.number > now.seconds().div_euclid(QUARTER) - HOUR;
        let sum = |of: fn(&Quarter) -> u32| state.quarters.iter().filter(recent).map(of).sum::<u32>();
        let (people, sessions) = (sum(|quarter| quarter.people), sum(|quarter| quarter.gone));
        let examined = state.quarters.iter().map(|quarter| quarter.examined).max().unwrap_or_default();
        let share = u64::from(sessions) * 100 > u64::from(limits.percent) * u64::from(examined);
        if share && people >= limits.people {
            state.stopped = Some(Stopped { at: now, people, sessions, examined });
        }
    }
    let admitted = state.stopped.is_none();
    if admitted {
        state.totals.decommissioned += u64::from(count.gone);
    }
    admitted
}

fn note(state: &mut SyncState, count: &Count, now: Timestamp) {
    let number = now.seconds().div_euclid(QUARTER);
    state.quarters.retain(|quarter| quarter.number > number - HOUR - 1);
    if state.quarters.last().is_none_or(|last| last.number != number) {
        state.quarters.push(Quarter { number, ..Quarter::default() });
    }
    if let Some(quarter) = state.quarters.last_mut() {
        quarter.examined += count.examined;
        quarter.gone += count.gone;
        quarter.people += count.people;
        quarter.lag = quarter.lag.max(count.lag);
    }
    state.last_at = Some(now);
    let totals = &mut state.totals;
    totals.examined += u64::from(count.examined);
    totals.vouched += u64::from(count.vouched);
    totals.ended += u64::from(count.ended);
    totals.deferred += u64::try_from(count.delays.len()).unwrap_or_default();
    for delay in &count.delays {
        *totals.troubles.entry(delay.trouble).or_default() += 1;
    }
    state.paused_until = pause(count, now);
}

/// Until when the provider is left alone: as long as it asks, and a minute when it does not answer anybody.
fn pause(count: &Count, now: Timestamp) -> Option<Timestamp> {
    let busy = count.delays.iter().filter(|delay| delay.trouble == Trouble::Busy).filter_map(|delay| delay.retry_after);
    let silent = |delay: &Delay| matches!(delay.trouble, Trouble::Unreachable | Trouble::Failing);
    let nobody = count.examined > 1 && u32::try_from(count.delays.len()) == Ok(count.examined);
    let outage = (nobody && count.delays.iter().all(silent)).then_some(OUTAGE);
    busy.chain(outage).max().map(|pause| now + pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_750_000_000 / QUARTER * QUARTER;

    fn count(examined: u32, gone: u32) -> Count {
        Count { examined, gone, people: gone, vouched: examined.saturating_sub(gone), ..Count::default() }
    }

    /// Steps, each so many minutes after the start: which of them are admitted.
    fn admitted(limits: Breaker, steps: &[(i64, u32, u32)]) -> Vec<bool> {
        let mut state = SyncState::new(Timestamp::from_seconds(START));
        let step = |&(minute, examined, gone): &(i64, u32, u32)| {
            admit(&mut state, limits, &count(examined, gone), Timestamp::from_seconds(START + minute * 60))
        };
        steps.iter().map(step).collect()
    }

    const USUAL: Breaker = Breaker { percent: 20, people: 10 };

    #[test]
    fn more_than_a_share_and_enough_people_stop_it() {
        assert_eq!(admitted(USUAL, &[(0, 25, 9)]), [true], "too few people");
        assert_eq!(admitted(USUAL, &[(0, 25, 10)]), [false]);
        assert_eq!(admitted(USUAL, &[(0, 100, 0), (15, 100, 20)]), [true, true], "not more than the share");
        assert_eq!(admitted(USUAL, &[(0, 100, 0), (15, 25, 20), (16, 25, 1)]), [true, true, false]);
        assert_eq!(admitted(Breaker { percent: 100, people: 1 }, &[(0, 25, 25)]), [true], "never more than all");
        assert_eq!(admitted(Breaker { percent: 1, people: 1 }, &[(0, 200, 2), (1, 0, 1)]), [true, false]);
    }

    #[test]
    fn an_hour_is_looked_at() {
        let slowly: Vec<_> = (0..40).map(|quarter| (quarter * 15, 100, 5)).collect();
        assert_eq!(admitted(USUAL, &slowly), vec![true; 40]);
        let faster: Vec<_> = (0..4).map(|quarter| (quarter * 15, 100, 6)).collect();
        assert_eq!(admitted(USUAL, &faster), [true, true, true, false]);
        assert_eq!(admitted(USUAL, &[(0, 100, 19), (61, 100, 19)]), [true, true]);
    }

    #[test]
    fn what_is_stopped_stays_so_until_somebody_decides() {
        let now = Timestamp::from_seconds(START);
        let mut state = SyncState::new(now);
        assert!(!admit(&mut state, USUAL, &count(25, 25), now));
        assert!(is_closed(&state, now + Seconds(86_400)));
        assert!(!admit(&mut state, USUAL, &count(1, 1), now));
        assert_eq!(state.totals.decommissioned, 0);
        state.stopped = None;
        state.approved_until = Some(now + Seconds(3_600));
        assert!(admit(&mut state, USUAL, &count(25, 25), now));
        assert_eq!(state.totals.decommissioned, 25);
        assert!(!admit(&mut state, USUAL, &count(25, 25), now + Seconds(3_600)));
    }

    #[test]
    fn a_provider_is_left_alone() {
        let now = Timestamp::from_seconds(START);
        let until = |examined, delays: &[(Trouble, Option<i64>)]| {
            let delay = |&(trouble, after): &(Trouble, Option<i64>)| Delay { trouble, retry_after: after.map(Seconds) };
            let count = Count { examined, delays: delays.iter().map(delay).collect(), ..Count::default() };
            pause(&count, now).map(|until| until.seconds() - START)
        };
        assert_eq!(until(9, &[(Trouble::Busy, Some(300)), (Trouble::Busy, Some(20))]), Some(300));
        assert_eq!(until(2, &[(Trouble::Unreachable, None), (Trouble::Failing, None)]), Some(60));
        assert_eq!(until(1, &[(Trouble::Unreachable, None)]), None);
        assert_eq!(until(3, &[(Trouble::Unreachable, None), (Trouble::Failing, None)]), None);
        assert_eq!(until(2, &[(Trouble::Unvouched, None), (Trouble::Failing, None)]), None);
        assert_eq!(until(1, &[(Trouble::Busy, None)]), None);
    }
}
