//! Lives as administrators set them, within their bounds.

use vestibule_protocol::time::Seconds;

use super::problems::Problems;
use crate::model::client::{access_token_life, refresh_token_life};
use crate::model::lifetimes::Lifetimes;
use crate::model::session::SESSION_LIFE;

/// An application's lives.
pub(super) fn check_client(problems: &mut Problems, access_token: Seconds, refresh_token: Seconds) {
    check(problems, "/access_token_life", Some(access_token), &ACCESS);
    check(problems, "/refresh_token_life", Some(refresh_token), &REFRESH);
}

/// A tenant's lives.
pub(super) fn check_tenant(problems: &mut Problems, lifetimes: &Lifetimes) {
    check(problems, "/lifetimes/access_token", lifetimes.access_token, &ACCESS);
    check(problems, "/lifetimes/refresh_token", lifetimes.refresh_token, &REFRESH);
    check(problems, "/lifetimes/id_token", lifetimes.id_token, &ID);
    check(problems, "/lifetimes/session", lifetimes.session, &SESSION);
    check(problems, "/lifetimes/session_unwatched", lifetimes.session_unwatched, &SESSION);
    check(problems, "/lifetimes/session_idle", lifetimes.session_idle, &SESSION);
    if lifetimes.session_idle.is_some_and(|idle| idle <= lifetimes.access_token(access_token_life())) {
        let rule = "must be more than lifetimes.access_token: until then an application has nothing to ask for";
        problems.add("/lifetimes/session_idle", rule);
    }
}

/// The shortest and the longest that a life may be, and the rule in words.
struct Bounds(i64, Seconds, &'static str);

const ACCESS: Bounds = Bounds(60, access_token_life(), "must be 60 to 86400 seconds");
const REFRESH: Bounds = Bounds(600, refresh_token_life(), "must be 600 to 604800 seconds");
const ID: Bounds = Bounds(60, Seconds(86_400), "must be 60 to 86400 seconds");
const SESSION: Bounds = Bounds(600, SESSION_LIFE, "must be 600 to 604800 seconds");

fn check(problems: &mut Problems, path: &str, life: Option<Seconds>, Bounds(shortest, longest, rule): &Bounds) {
    if life.is_some_and(|life| !(*shortest..=longest.0).contains(&life.0)) {
        problems.add(path, *rule);
    }
}
