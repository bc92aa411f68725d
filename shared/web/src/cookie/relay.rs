//! The relay's cookies. They belong to the control plane's host, which passes our answers on as they are: one of each
//! login that it began, and its tokens.
//!
//! The tokens are called as control planes expect it, or have the prefixes that keep neighbouring hosts from setting
//! them (RFC 6265bis §4.1.3). `Max-Age` and `Expires` say the same.

use http::{HeaderMap, HeaderValue};
use vestibule_core::model::client::RelayCookies;
use vestibule_core::seal::Sealed;
use vestibule_core::token::TokenResponse;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{LOGIN_LIFE, MAX_COOKIE, all, get, set, surplus};

/// What the names of the relay's logins start with; the login's id follows.
const LOGIN: &str = "__Host-relay-";

/// The logins in progress, by id, still sealed.
pub(crate) fn logins(headers: &HeaderMap) -> Vec<(&str, Sealed)> {
    all(headers).filter_map(|(name, value)| Some((name.strip_prefix(LOGIN)?, Sealed::from_text(value)))).collect()
}

/// Keeps a login. `None` when it is larger than browsers keep.
pub(crate) fn set_login(id: &str, sealed: &str) -> Option<HeaderValue> {
    set(&format!("{LOGIN}{id}"), sealed, LOGIN_LIFE.0)
}

/// Drops a login.
pub(crate) fn drop_login(id: &str) -> Option<HeaderValue> {
    set(&format!("{LOGIN}{id}"), "", 0)
}

/// Drops the logins beyond those that a browser may carry together with a new one.
pub(crate) fn drop_surplus_logins(headers: &HeaderMap) -> Vec<HeaderValue> {
    surplus(headers, LOGIN).filter_map(drop_login).collect()
}

/// The access token.
pub(crate) fn access_token(headers: &HeaderMap, cookies: RelayCookies) -> Option<&str> {
    get(headers, access(cookies).name)
}

/// The refresh token.
pub(crate) fn refresh_token(headers: &HeaderMap, cookies: RelayCookies) -> Option<&str> {
    get(headers, refresh(cookies).name)
}

/// Keeps both tokens for as long as they live. `None` when one is larger than browsers keep.
pub(crate) fn set_tokens(cookies: RelayCookies, tokens: &TokenResponse, now: Timestamp) -> Option<[HeaderValue; 2]> {
    Some([
        access(cookies).with(&tokens.access_token, tokens.expires_in, now)?,
        refresh(cookies).with(&tokens.refresh_token, tokens.refresh_token_expires_in, now)?,
    ])
}

/// Drops both tokens.
pub(crate) fn drop_tokens(cookies: RelayCookies) -> impl Iterator<Item = HeaderValue> {
    // An end in the past: the epoch.
    let epoch = Timestamp::from_seconds(0);
    [access(cookies), refresh(cookies)].into_iter().filter_map(move |token| token.with("", 0, epoch))
}

/// A token's cookie but for its value and life.
struct TokenCookie {
    name: &'static str,
    path: &'static str,
    same_site: &'static str,
}

impl TokenCookie {
    fn with(&self, value: &str, max_age: i64, now: Timestamp) -> Option<HeaderValue> {
        let Self { name, path, same_site } = self;
        if name.len() + value.len() > MAX_COOKIE {
            return None;
        }
        let expires = (now + Seconds(max_age)).http_date();
        let cookie = format!(
            "{name}={value}; Path={path}; Max-Age={max_age}; Expires={expires}; Secure; HttpOnly; SameSite={same_site}"
        );
        HeaderValue::from_str(&cookie).ok()
    }
}

/// Comes along when another site links to the control plane, or the person would seem signed out there.
const fn access(cookies: RelayCookies) -> TokenCookie {
    let name = match cookies {
        RelayCookies::Plain => "accessToken",
        RelayCookies::Prefixed => "__Host-accessToken",
    };
    TokenCookie { name, path: "/", same_site: "Lax" }
}

/// Needed by the control plane's own pages only (CK-1).
const fn refresh(cookies: RelayCookies) -> TokenCookie {
    let (name, path) = match cookies {
        RelayCookies::Plain => ("refreshToken", "/"),
        RelayCookies::Prefixed => ("__Secure-refreshToken", "/api/svc/v1/oauth2"),
    };
    TokenCookie { name, path, same_site: "Strict" }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    fn tokens(access_token: &str) -> TokenResponse {
        TokenResponse {
            access_token: access_token.to_owned(),
            token_type: "Bearer",
            expires_in: 86_400,
            refresh_token: "r".to_owned(),
            refresh_token_expires_in: 604_800,
            id_token: String::new(),
            scope: String::new(),
        }
    }

    /// TK-8, CK-1: the names and lives that control planes expect.
    #[test]
    fn plain_cookies_are_called_as_expected() {
        let [access, refresh] =
            set_tokens(RelayCookies::Plain, &tokens("a"), Timestamp::from_seconds(1_751_007_600)).unwrap();
        let expires = "Expires=Sat, 28 Jun 2025 07:00:00 GMT; Secure; HttpOnly; SameSite=Lax";
        assert_eq!(access, format!("accessToken=a; Path=/; Max-Age=86400; {expires}").as_str());
        let expires = "Expires=Fri, 04 Jul 2025 07:00:00 GMT; Secure; HttpOnly; SameSite=Strict";
        assert_eq!(refresh, format!("refreshToken=r; Path=/; Max-Age=604800; {expires}").as_str());
    }

    /// LO-8: dropped with the attributes that they were set with.
    #[test]
    fn dropping_repeats_the_attributes() {
        for cookies in [RelayCookies::Plain, RelayCookies::Prefixed] {
            let now = Timestamp::from_seconds(1_751_007_600);
            let attributes = |cookie: &HeaderValue| -> Vec<String> {
                let cookie = cookie.to_str().unwrap();
                let kept = |part: &&str| !part.starts_with("Max-Age") && !part.starts_with("Expires");
                cookie.split("; ").skip(1).filter(kept).map(str::to_owned).collect()
            };
            let kept = set_tokens(cookies, &tokens("a"), now).unwrap();
            let dropped: Vec<HeaderValue> = drop_tokens(cookies).collect();
            assert_eq!(dropped.len(), 2);
            for (kept, dropped) in kept.iter().zip(&dropped) {
                assert_eq!(attributes(kept), attributes(dropped));
                let dropped = dropped.to_str().unwrap();
                assert!(
                    dropped.contains("=; ") && dropped.contains("; Max-Age=0; Expires=Thu, 01 Jan 1970"),
                    "{dropped}"
                );
            }
        }
    }

    /// CK-2
    #[test]
    fn no_token_is_larger_than_browsers_keep() {
        let now = Timestamp::from_seconds(0);
        let fits = |length| set_tokens(RelayCookies::Plain, &tokens(&"x".repeat(length)), now).is_some();
        assert!(fits(4096 - "accessToken".len()) && !fits(4097 - "accessToken".len()));
    }

    #[test]
    fn each_application_has_its_own_names() {
        let line =
            HeaderValue::from_static("accessToken=a; __Host-relay-x=1; __Secure-refreshToken=b; __Host-relay-y=2");
        let headers = HeaderMap::from_iter([(COOKIE, line)]);
        assert_eq!(access_token(&headers, RelayCookies::Plain), Some("a"));
        assert_eq!(access_token(&headers, RelayCookies::Prefixed), None);
        assert_eq!(refresh_token(&headers, RelayCookies::Prefixed), Some("b"));
        assert_eq!(logins(&headers), [("x", Sealed::from_text("1")), ("y", Sealed::from_text("2"))]);
    }
}
