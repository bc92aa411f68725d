//! When a signing key is published, used, retired and removed: all rules of it, as one function of the ring and the
//! time. Nothing is remembered beside the ring, so a tick that is missed, repeated or overlaps another does no harm.

use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::{Seconds, Timestamp};

use crate::cache::STALENESS;
use crate::metadata::DOCUMENT_LIFE;
use crate::model::session::SESSION_LIFE;
use crate::model::signing::{KeyRing, KeyState};

/// From a key's publication to its first use, at the least: until then, a process of ours may not know it yet and hand
/// out the key set without it, and whoever got that set may keep it.
pub(crate) const PUBLISHED_FIRST: Seconds = Seconds(STALENESS.0 + DOCUMENT_LIFE.0);

/// The same for a rotation that nobody is in a hurry for: many libraries ask for keys once a day, whatever we allow.
const LEAD: Seconds = Seconds(86_400);

/// How long a retired key is kept. A process of ours may sign with it until its copy of the ring is renewed. No token
/// is of use after its session has ended: an access token dies earlier, an ID token says until then which session to
/// sign out of. The key set in others' hands ends after that.
const KEPT: Seconds = Seconds(STALENESS.0 + SESSION_LIFE.0 + DOCUMENT_LIFE.0);

/// What the deployment wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// What to sign with.
    pub(crate) algorithm: Algorithm,
    /// How long a key signs; without it, until an administrator says otherwise.
    pub(crate) rotation: Option<Seconds>,
}

/// A step of a key's life that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Make a key and publish it.
    Publish {
        /// When it is to be used.
        use_from: Timestamp,
    },
    /// Sign with this published key; the one that signed until now retires.
    Activate {
        /// The key.
        kid: String,
    },
    /// Forget this retired key: it verifies no more.
    Remove {
        /// The key.
        kid: String,
    },
}

/// What is due.
pub(crate) fn plan(ring: &KeyRing, now: Timestamp, rules: Rules) -> Vec<Transition> {
    let mut due = Vec::new();
    for key in &ring.keys {
        if let KeyState::Retired { since } = key.state()
            && kept_until(since).has_passed(now)
        {
            due.push(Transition::Remove { kid: key.kid.clone() });
        }
    }
    if let Some((next, Some(use_from))) = ring.waiting().first()
        && use_from.has_passed(now)
        && earliest_use(next.created_at, now).has_passed(now)
    {
        due.push(Transition::Activate { kid: next.kid.clone() });
    }
    if let Some(use_from) = successor(ring, now, rules) {
        due.push(Transition::Publish { use_from });
    }
    due
}

/// When a key that retired then stops verifying.
pub(crate) fn kept_until(since: Timestamp) -> Timestamp {
    since + KEPT
}

/// When a key that was published then may be used.
pub(crate) fn earliest_use(published_at: Timestamp, now: Timestamp) -> Timestamp {
    now.max(published_at + PUBLISHED_FIRST)
}

/// Whether one more key is to be published now, and when it is to be used.
fn successor(ring: &KeyRing, now: Timestamp, rules: Rules) -> Option<Timestamp> {
    let waiting = ring.waiting();
    if let Some((last, use_from)) = waiting.last() {
        // What waits is used, even when the deployment has changed its mind about the algorithm since.
        let after = use_from.map_or(now, |use_from| use_from.max(now));
        return (last.algorithm != rules.algorithm).then(|| after + LEAD);
    }
    let active = ring.active()?;
    if active.algorithm != rules.algorithm {
        return Some(now + LEAD);
    }
    let KeyState::Active { since } = active.state() else { return None };
    let end = since + rules.rotation?;
    (end - LEAD).has_passed(now).then(|| end.max(now + LEAD))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::signing::StoredKey;
    use crate::seal::Sealed;

    const DAY: i64 = 86_400;
    const RULES: Rules = Rules { algorithm: Algorithm::ES256, rotation: Some(Seconds(90 * DAY)) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn key(kid: &str, created_at: i64, state: Option<KeyState>) -> StoredKey {
        let public = r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#;
        StoredKey {
            kid: kid.to_owned(),
            algorithm: Algorithm::ES256,
            public: serde_json::from_str(public).unwrap(),
            private: Sealed::from_text("sealed"),
            created_at: at(created_at),
            state,
        }
    }

    fn active(kid: &str, since: i64) -> StoredKey {
        key(kid, since - 100, Some(KeyState::Active { since: at(since) }))
    }

    fn published(kid: &str, created_at: i64, use_from: i64) -> StoredKey {
        key(kid, created_at, Some(KeyState::Published { use_from: Some(at(use_from)) }))
    }

    fn due(keys: Vec<StoredKey>, now: i64) -> Vec<Transition> {
        plan(&KeyRing { keys }, at(now), RULES)
    }

    #[test]
    fn a_key_signs_for_its_time_and_its_successor_is_published_a_day_before() {
        assert_eq!(due(vec![active("a", 0)], 89 * DAY - 1), []);
        assert_eq!(due(vec![active("a", 0)], 89 * DAY), [Transition::Publish { use_from: at(90 * DAY) }]);
        let late = due(vec![active("a", 0)], 200 * DAY);
        assert_eq!(late, [Transition::Publish { use_from: at(201 * DAY) }], "nobody learns of a key by its first use");
    }

    /// TK-16: overlapping ticks and ticks after it find nothing more to do.
    #[test]
    fn one_successor_is_enough() {
        let keys = vec![active("a", 0), published("b", 89 * DAY, 90 * DAY)];
        assert_eq!(due(keys.clone(), 89 * DAY), []);
        assert_eq!(due(keys.clone(), 90 * DAY - 1), []);
        assert_eq!(due(keys, 90 * DAY), [Transition::Activate { kid: "b".to_owned() }]);
    }

    /// TK-16: published for as long as anybody may hold a key set without it, whatever the ring says of its use.
    #[test]
    fn a_key_is_not_used_before_it_is_known() {
        let keys = vec![active("a", 0), published("b", 1000, 1000)];
        assert_eq!(due(keys.clone(), 1000 + PUBLISHED_FIRST.0 - 1), []);
        assert_eq!(due(keys, 1000 + PUBLISHED_FIRST.0), [Transition::Activate { kid: "b".to_owned() }]);
    }

    /// TK-16: no token in use loses its key.
    #[test]
    fn a_retired_key_stays_until_nothing_needs_it() {
        let retired = key("a", 0, Some(KeyState::Retired { since: at(100) }));
        let keys = vec![active("b", 100), retired];
        assert_eq!(due(keys.clone(), 100 + SESSION_LIFE.0 + 419), []);
        assert_eq!(due(keys, 100 + SESSION_LIFE.0 + 420), [Transition::Remove { kid: "a".to_owned() }]);
    }

    #[test]
    fn keys_that_wait_come_one_after_another() {
        let without_time = key("d", 0, Some(KeyState::Published { use_from: None }));
        let mut ring =
            KeyRing { keys: vec![active("a", 0), without_time, published("c", 0, 9000), published("b", 0, 5000)] };
        let steps = |ring: &KeyRing, now| plan(ring, at(now), RULES);
        assert_eq!(steps(&ring, 9000), [Transition::Activate { kid: "b".to_owned() }]);
        ring.activate("b", at(9000));
        assert_eq!(ring.active().map(|key| key.kid.as_str()), Some("b"));
        assert_eq!(ring.keys.first().map(|key| key.kid.as_str()), Some("b"), "version 0.1 signs with the first");
        assert_eq!(ring.keys.iter().filter(|key| matches!(key.state(), KeyState::Retired { .. })).count(), 1);
        assert_eq!(steps(&ring, 9000), [Transition::Activate { kid: "c".to_owned() }]);
        ring.activate("c", at(9000));
        assert_eq!(steps(&ring, 9001), [], "the last one waits for an administrator");
    }

    #[test]
    fn without_a_schedule_nothing_happens_by_itself() {
        let rules = Rules { rotation: None, ..RULES };
        assert_eq!(plan(&KeyRing { keys: vec![active("a", 0)] }, at(1000 * DAY), rules), []);
    }

    #[test]
    fn another_algorithm_brings_another_key() {
        let rules = Rules { algorithm: Algorithm::EdDSA, rotation: None };
        let mut keys = vec![active("a", 0)];
        assert_eq!(
            plan(&KeyRing { keys: keys.clone() }, at(50), rules),
            [Transition::Publish { use_from: at(50 + DAY) }]
        );
        keys.push(StoredKey { algorithm: Algorithm::EdDSA, ..published("b", 50, 50 + DAY) });
        assert_eq!(plan(&KeyRing { keys: keys.clone() }, at(60), rules), []);
        // And back again, before it was used.
        assert_eq!(due(keys, 60), [Transition::Publish { use_from: at(50 + 2 * DAY) }]);
    }

    /// A ring as version 0.1 wrote it: its key has signed since it was made.
    #[test]
    fn a_ring_of_version_0_1_is_read() {
        let text = r#"{"keys":[{"kid":"k","algorithm":"ES256","private":"k1.AAAA","created_at":100,
            "public":{"use":"sig","alg":"ES256","kid":"k","kty":"EC","crv":"P-256","x":"AA","y":"AA"}}]}"#;
        let ring: KeyRing = serde_json::from_str(text).unwrap();
        assert_eq!(ring.active().map(StoredKey::state), Some(KeyState::Active { since: at(100) }));
        assert_eq!(plan(&ring, at(100 + 89 * DAY - 1), RULES), []);
        assert_eq!(plan(&ring, at(100 + 89 * DAY), RULES).len(), 1);
    }
}
