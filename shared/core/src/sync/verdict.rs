//! What ends a session, and what never does. Only an answer about the person, or about their refresh token, decides
//! anything: a provider that cannot be reached, fails, is busy, or does not know us any more has said nothing.

use vestibule_protocol::time::{Seconds, Timestamp};

use crate::model::session::EndReason;
use crate::model::watch::{Decision, Evidence};

/// From one examination to when the next is due. Slots come every fifteen minutes: a minute less, so that a tick that is
/// early does not leave a session out.
pub(super) const INTERVAL: Seconds = Seconds(14 * 60);

/// Longest pause after examinations that told nothing: an hour at most passes until the end of an outage is seen.
const LONGEST: Seconds = Seconds(4 * INTERVAL.0);

/// What is known of a person whose refresh token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// The provider still has them.
    Active,
    /// It does not, by this.
    Inactive(Evidence),
    /// It ended their sign-in, and says nothing else of them.
    SignInOver,
    /// Nobody says.
    Unknown,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This.
    Decided(Decision),
    /// The session stays, to its limit. `vouched` that the person was found active.
    Kept { vouched: bool },
}

/// After a refusal of the refresh token. When an answer may have been lost, the token may be one that was used: its refusal
/// is then no more than that, and a provider that revokes the whole family refuses the access token for the same reason.
pub(super) const fn after_refusal(answer_lost: bool, word: Word) -> Verdict {
    match (word, answer_lost) {
        (Word::Active | Word::SignInOver, false) => Verdict::Decided(Decision::End(EndReason::RefreshRefused)),
        (Word::Active, true) => Verdict::Kept { vouched: true },
        (Word::Inactive(Evidence::TokensRefused) | Word::SignInOver, true) | (Word::Unknown, _) => {
            Verdict::Kept { vouched: false }
        }
        (Word::Inactive(evidence), _) => Verdict::Decided(Decision::Decommission(evidence)),
    }
}

/// When a session is examined again after so many examinations in a row that told nothing.
pub(super) fn next_try(now: Timestamp, failures: u32, retry_after: Option<Seconds>) -> Timestamp {
    let doubled = INTERVAL.0.saturating_mul(1 << failures.saturating_sub(1).min(8));
    let pause = Seconds(doubled).min(LONGEST);
    now + retry_after.map_or(pause, |asked| asked.max(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ED-6: who is decommissioned, whose session ends, and who stays.
    #[test]
    fn only_a_definitive_answer_decides() {
        let refused = Word::Inactive(Evidence::TokensRefused);
        let fresh = Word::Inactive(Evidence::FreshTokenRefused);
        let decommission = |evidence| Verdict::Decided(Decision::Decommission(evidence));
        for (answer_lost, word, verdict) in [
            (false, Word::Active, Verdict::Decided(Decision::End(EndReason::RefreshRefused))),
            (false, Word::SignInOver, Verdict::Decided(Decision::End(EndReason::RefreshRefused))),
            (true, Word::SignInOver, Verdict::Kept { vouched: false }),
            (false, refused, decommission(Evidence::TokensRefused)),
            (false, fresh, decommission(Evidence::FreshTokenRefused)),
            (false, Word::Unknown, Verdict::Kept { vouched: false }),
            (true, Word::Active, Verdict::Kept { vouched: true }),
            (true, refused, Verdict::Kept { vouched: false }),
            (true, fresh, decommission(Evidence::FreshTokenRefused)),
            (true, Word::Unknown, Verdict::Kept { vouched: false }),
        ] {
            assert_eq!(after_refusal(answer_lost, word), verdict, "{answer_lost} {word:?}");
        }
    }

    /// ED-6: what the probe says holds whatever was lost.
    #[test]
    fn a_probe_decides_whatever_was_lost() {
        for answer_lost in [false, true] {
            let decommission = Verdict::Decided(Decision::Decommission(Evidence::StatusProbe));
            assert_eq!(after_refusal(answer_lost, Word::Inactive(Evidence::StatusProbe)), decommission);
        }
    }

    #[test]
    fn pauses_grow_to_an_hour_and_are_as_long_as_asked() {
        let now = Timestamp::from_seconds(0);
        let pause = |failures, asked: Option<i64>| next_try(now, failures, asked.map(Seconds)).seconds() / 60;
        assert_eq!([1, 2, 3, 4, 100, u32::MAX].map(|failures| pause(failures, None)), [14, 28, 56, 56, 56, 56]);
        assert_eq!((pause(1, Some(0)), pause(1, Some(30 * 60)), pause(9, Some(90 * 60))), (14, 30, 90));
    }
}
