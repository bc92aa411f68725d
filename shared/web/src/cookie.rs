//! Our cookies: one of each login in progress or waiting at a checkpoint, one of the browser's session, one of the
//! invitation that was opened last. Those of the relay are in [`relay`].
//!
//! All here are `__Host-` cookies: Secure, for this host alone, for every path. `SameSite=Lax` lets them come along when
//! the identity provider or an application sends the browser back to us, and on nothing else from another site. The one
//! exceptions are a login and a sign-out whose answer the provider's page posts: their cookies, and no others, are
//! `SameSite=None` (CK-6).

pub(crate) mod relay;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use vestibule_core::invitations::OPENED_LIFE;
use vestibule_core::login::complete::SessionCookie;
use vestibule_core::login::state::LOGIN_LIFE;
use vestibule_core::model::connection::ResponseMode;
use vestibule_core::saml::logout::LOGOUT_LIFE;

/// The session's cookie.
const SESSION: &str = "__Host-session";
/// What the names of login cookies start with; the login's id follows.
const LOGIN: &str = "__Host-login-";
/// What the names of the cookies of sign-ins that wait at a checkpoint start with; the sign-in's id follows.
const CHECKPOINT: &str = "__Host-checkpoint-";
/// The cookie of the invitation that was opened.
const INVITATION: &str = "__Host-invitation";
/// What the names of the cookies of sign-outs start with that are under way at a provider; the sign-out's handle follows.
const LOGOUT: &str = "__Host-logout-";
/// What the names of the cookies of test logins start with; the test login's id follows.
const TEST: &str = "__Host-test-";
/// Largest cookie, name and value, that every browser keeps (RFC 6265 §6.1).
const MAX_COOKIE: usize = 4096;
/// Logins in progress that a browser may carry; older ones are dropped. With the largest cookies that is 12 KiB.
const MAX_LOGINS: usize = 3;

/// The value of the cookie `name`.
fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    all(headers).find_map(|(found, value)| (found == name).then_some(value))
}

fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The browser's session handle.
pub(crate) fn session(headers: &HeaderMap) -> Option<&str> {
    get(headers, SESSION)
}

/// The sealed login of an id.
pub(crate) fn login<'a>(headers: &'a HeaderMap, id: &str) -> Option<&'a str> {
    get(headers, &format!("{LOGIN}{id}"))
}

/// Keeps the session's handle for as long as the session lives.
pub(crate) fn set_session(session: &SessionCookie) -> Option<HeaderValue> {
    set(SESSION, &session.handle, session.life.0)
}

/// Drops the session's handle.
pub(crate) fn drop_session() -> Option<HeaderValue> {
    set(SESSION, "", 0)
}

/// Keeps a login. `None` when it is larger than browsers keep.
pub(crate) fn set_login(id: &str, sealed: &str, answer: ResponseMode) -> Option<HeaderValue> {
    set_for(same_site(answer), &format!("{LOGIN}{id}"), sealed, LOGIN_LIFE.0)
}

/// Drops a login.
pub(crate) fn drop_login(id: &str, answer: ResponseMode) -> Option<HeaderValue> {
    set_for(same_site(answer), &format!("{LOGIN}{id}"), "", 0)
}

/// With which requests of other sites a login's cookie comes along: with the answer's.
const fn same_site(answer: ResponseMode) -> &'static str {
    match answer {
        ResponseMode::Query => "Lax",
        ResponseMode::FormPost => "None",
    }
}

/// Drops the logins beyond those that a browser may carry together with a new one. Browsers send older cookies first
/// (RFC 6265 §5.4), and do not say how they were set; a cookie is dropped by its name, host and path.
pub(crate) fn drop_surplus_logins(headers: &HeaderMap) -> Vec<HeaderValue> {
    surplus(headers, LOGIN).filter_map(|id| drop_login(id, ResponseMode::Query)).collect()
}

/// The sealed test login of an id.
pub(crate) fn test_login<'a>(headers: &'a HeaderMap, id: &str) -> Option<&'a str> {
    get(headers, &format!("{TEST}{id}"))
}

/// Keeps a test login, or drops it when it is empty.
pub(crate) fn set_test_login(id: &str, sealed: &str, answer: ResponseMode) -> Option<HeaderValue> {
    let life = if sealed.is_empty() { 0 } else { LOGIN_LIFE.0 };
    set_for(same_site(answer), &format!("{TEST}{id}"), sealed, life)
}

/// Drops the test logins that are too many beside a new one.
pub(crate) fn drop_surplus_test_logins(headers: &HeaderMap) -> Vec<HeaderValue> {
    surplus(headers, TEST).filter_map(|id| set_test_login(id, "", ResponseMode::Query)).collect()
}

/// The handle of a sign-in that waits at a checkpoint.
pub(crate) fn checkpoint<'a>(headers: &'a HeaderMap, id: &str) -> Option<&'a str> {
    get(headers, &format!("{CHECKPOINT}{id}"))
}

/// Keeps the handle of a sign-in that waits.
pub(crate) fn set_checkpoint(id: &str, handle: &str) -> Option<HeaderValue> {
    set(&format!("{CHECKPOINT}{id}"), handle, LOGIN_LIFE.0)
}

/// Drops the handle of a sign-in that waited.
pub(crate) fn drop_checkpoint(id: &str) -> Option<HeaderValue> {
    set(&format!("{CHECKPOINT}{id}"), "", 0)
}

/// Drops the sign-ins that are too many beside a new one that waits.
pub(crate) fn drop_surplus_checkpoints(headers: &HeaderMap) -> Vec<HeaderValue> {
    surplus(headers, CHECKPOINT).filter_map(drop_checkpoint).collect()
}

/// The sealed invitation that was opened in this browser.
pub(crate) fn invitation(headers: &HeaderMap) -> Option<&str> {
    get(headers, INVITATION)
}

/// Keeps an invitation, in place of any before.
pub(crate) fn set_invitation(sealed: &str) -> Option<HeaderValue> {
    set(INVITATION, sealed, OPENED_LIFE.0)
}

/// What is held of a sign-out that is under way at a provider.
pub(crate) fn logout<'a>(headers: &'a HeaderMap, handle: &str) -> Option<&'a str> {
    get(headers, &format!("{LOGOUT}{handle}"))
}

/// Keeps a sign-out, or drops it when it is empty. The provider's page may post the answer.
pub(crate) fn set_logout(handle: &str, sealed: &str) -> Option<HeaderValue> {
    let life = if sealed.is_empty() { 0 } else { LOGOUT_LIFE.0 };
    set_for("None", &format!("{LOGOUT}{handle}"), sealed, life)
}

/// Drops the sign-outs that are too many beside a new one.
pub(crate) fn drop_surplus_logouts(headers: &HeaderMap) -> Vec<HeaderValue> {
    surplus(headers, LOGOUT).filter_map(|handle| set_logout(handle, "")).collect()
}

/// The ids of logins that are too many beside a new one.
fn surplus<'a>(headers: &'a HeaderMap, prefix: &str) -> impl Iterator<Item = &'a str> {
    let ids: Vec<&str> = all(headers).filter_map(|(name, _)| name.strip_prefix(prefix)).collect();
    let surplus = (ids.len() + 1).saturating_sub(MAX_LOGINS);
    ids.into_iter().take(surplus)
}

/// One `Set-Cookie`; a cookie is dropped with the attributes that it was set with (`max_age` 0).
fn set(name: &str, value: &str, max_age: i64) -> Option<HeaderValue> {
    set_for("Lax", name, value, max_age)
}

fn set_for(same_site: &str, name: &str, value: &str, max_age: i64) -> Option<HeaderValue> {
    if name.len() + value.len() > MAX_COOKIE {
        return None;
    }
    let cookie = format!("{name}={value}; Path=/; Max-Age={max_age}; Secure; HttpOnly; SameSite={same_site}");
    HeaderValue::from_str(&cookie).ok()
}

#[cfg(test)]
mod tests {
    use vestibule_protocol::time::Seconds;

    use super::*;

    fn carrying(line: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(line))])
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = carrying("__Host-login-abc=1; __Host-login-ab=2;__Host-session=s=3; x");
        assert_eq!(login(&headers, "ab"), Some("2"));
        assert_eq!(login(&headers, "a"), None);
        assert_eq!(session(&headers), Some("s=3"));
    }

    /// CK-1
    #[test]
    fn cookies_are_for_this_host_over_tls_and_out_of_reach_of_scripts() {
        let cookie = set_session(&SessionCookie { handle: "h".to_owned(), life: Seconds(604_800) }).unwrap();
        assert_eq!(cookie, "__Host-session=h; Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax");
    }

    /// LO-8: a cookie is dropped with the attributes that it was set with.
    #[test]
    fn dropping_repeats_the_attributes() {
        assert_eq!(drop_session().unwrap(), "__Host-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    }

    /// CK-6, LO-8: the cookie of a login whose answer is posted, and no other.
    #[test]
    fn one_cookie_comes_along_with_a_posted_answer() {
        let login = set_login("a", "x", ResponseMode::FormPost).unwrap();
        assert_eq!(login, "__Host-login-a=x; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=None");
        let dropped = drop_login("a", ResponseMode::FormPost).unwrap();
        assert_eq!(dropped, "__Host-login-a=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=None");
        let login = set_login("a", "x", ResponseMode::Query).unwrap();
        assert_eq!(login, "__Host-login-a=x; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    }

    /// CK-2
    #[test]
    fn cookies_are_bounded_in_size_and_number() {
        assert!(set_login("a", &"x".repeat(4096 - LOGIN.len() - 1), ResponseMode::Query).is_some());
        assert!(set_login("a", &"x".repeat(4096 - LOGIN.len()), ResponseMode::Query).is_none());
        assert!(drop_surplus_logins(&carrying("__Host-login-a=1; __Host-login-b=1")).is_empty());
        let dropped = drop_surplus_logins(&carrying("__Host-login-a=1; __Host-login-b=1; o=1; __Host-login-c=1"));
        assert_eq!(dropped.len(), 1);
        assert!(dropped[0].to_str().unwrap().starts_with("__Host-login-a=;"));
    }
}
