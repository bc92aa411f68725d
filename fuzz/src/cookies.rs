//! Cookies: sealed texts, and whatever stands in a `Cookie` header.

use std::sync::LazyLock;

use axum::body::Body;
use http::{HeaderValue, Request, StatusCode, header};
use vestibule_core::config::SealingKey;
use vestibule_core::seal::{Purpose, Sealed, Sealer};
use vestibule_core::secret::Secret;
use vestibule_testkit::SeededRandom;

use crate::world::{PROVIDER, send};

const PURPOSES: [Purpose; 3] = [Purpose::LoginCookie, Purpose::RelayCookie, Purpose::Record];

static SEALER: LazyLock<Sealer> = LazyLock::new(|| {
    let key = |name: &str, byte| SealingKey { name: name.to_owned(), key: Secret::new([byte; 32]) };
    Sealer::new(vec![key("k2", 2), key("k1", 1)])
});

/// What was sealed opens for its purpose at its place, and nowhere else; changed anywhere, it does not open. A browser
/// that brings cookies of its own making is not signed in by them, and gets no error of ours.
pub fn cookies(data: &[u8]) {
    let (plain, how) = data.split_at(data.len() / 2);
    sealed(plain, how);
    if let Ok(text) = std::str::from_utf8(data) {
        for purpose in PURPOSES {
            assert!(SEALER.open(purpose, "place", &Sealed::from_text(text)).is_err(), "{text} opens");
        }
    }
    login(data);
    brought(data);
}

fn sealed(plain: &[u8], how: &[u8]) {
    for purpose in PURPOSES {
        let sealed = SEALER.seal(&SeededRandom::new(3), purpose, "place", plain).expect("sealed");
        for other in PURPOSES {
            let opened = SEALER.open(other, "place", &sealed);
            assert_eq!(opened.ok().as_deref(), (other == purpose).then_some(plain), "{purpose:?} opened as {other:?}");
        }
        assert!(SEALER.open(purpose, "plac", &sealed).is_err() && SEALER.open(purpose, "", &sealed).is_err());
        if let Some(changed) = crate::changed(sealed.as_str(), how) {
            assert!(SEALER.open(purpose, "place", &Sealed::from_text(changed)).is_err(), "a changed text opens");
        }
    }
}

/// The cookie of a login that began: its name and its value.
static LOGIN: LazyLock<(String, String)> = LazyLock::new(|| {
    let query = "client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&response_type=code&scope=openid\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let request = Request::get(format!("/oauth2/authorize?{query}")).body(Body::empty());
    let reply = send(request.expect("a request"));
    let cookie = reply.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok()).expect("a cookie");
    let (name, rest) = cookie.split_once('=').expect("a value");
    (name.to_owned(), rest.split(';').next().expect("a value").to_owned())
});

/// The cookie as it was leads on to the provider, which knows no such code; changed, there is no such login.
fn login(how: &[u8]) {
    let (name, value) = &*LOGIN;
    let id = name.strip_prefix("__Host-login-").expect("a login");
    let callback = |value: &str| {
        let cookie = HeaderValue::from_str(&format!("{name}={value}")).ok()?;
        let query = format!("state={id}&code=x&iss={PROVIDER}");
        let request = Request::get(format!("/oauth2/callback?{query}")).header(header::COOKIE, cookie);
        Some(send(request.body(Body::empty()).expect("a request")).status())
    };
    assert_eq!(callback(value), Some(StatusCode::BAD_GATEWAY));
    // What stands before or after the value's own characters ends it (RFC 6265 §5.2).
    let changed =
        crate::changed(value, how).filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';'));
    if let Some(status) = changed.and_then(|changed| callback(&changed)) {
        assert_eq!(status, StatusCode::BAD_REQUEST, "a changed login goes on");
    }
}

fn brought(data: &[u8]) {
    let Ok(cookie) = HeaderValue::from_bytes(data) else { return };
    for (method, path) in [
        ("GET", "/oauth2/callback?state=AAAAAAAAAAAAAAAAAAAAAA&code=x"),
        (
            "GET",
            "/oauth2/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&prompt=none&scope=openid\
            &response_type=code&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        ),
        ("GET", "/oauth2/logout"),
        ("POST", "/api/svc/v1/oauth2/refresh"),
        ("POST", "/api/svc/v1/oauth2/logout"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, cookie.clone())
            .header(header::ORIGIN, "https://console.example")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/json");
        let reply = send(request.body(Body::from("{}")).expect("a request"));
        for set in reply.headers().get_all(header::SET_COOKIE) {
            assert!(set.to_str().is_ok_and(|set| set.contains("Max-Age=0")), "{path} gives {set:?}");
        }
        let location = reply.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        assert!(location.is_none_or(|location| location.contains("error=")), "{path} leads to {location:?}");
    }
}
