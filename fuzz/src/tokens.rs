//! JSON Web Tokens: what is taken apart, and what the broker does with one that nobody signed.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{HeaderValue, Request, StatusCode, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_protocol::jose::{Algorithm, Compact, TokenType, signing_input};

use crate::world::{CALLBACK, send};

/// A token comes apart in one way, the one in which it is put together; its header decides no rule; and none that
/// nobody signed opens anything.
pub fn tokens(data: &[u8]) {
    made_of(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    apart(text);
    // A header that is fine lets the rest be reached.
    let token = format!("{}.{}.{}", BASE64URL.encode(r#"{"alg":"ES256","kid":"1","typ":"at+jwt"}"#), text, "AAAA");
    apart(&token);
    for token in [text, &token, &with_claims(text)] {
        shown(token);
    }
}

fn apart(text: &str) {
    let Ok(token) = Compact::parse(text) else { return };
    let signature = BASE64URL.encode(&token.signature);
    assert_eq!([token.input, b".", signature.as_bytes()].concat(), text.as_bytes(), "two texts for one token");
    let (header, payload) = text.split_once('.').expect("a header");
    assert!(payload.starts_with(&BASE64URL.encode(&token.payload)), "the payload is what was signed");
    let header = BASE64URL.decode(header).expect("base64url");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    assert_eq!(header.get("alg"), Some(&json!(token.algorithm.name())));
    assert!(Algorithm::ALL.contains(&token.algorithm));
    for member in ["jku", "jwk", "x5u", "crit"] {
        assert!(header.get(member).is_none_or(Value::is_null), "{member} is no business of the sender's");
    }
}

/// What we put together comes apart as it was, and is of its own type only.
fn made_of(data: &[u8]) {
    let claims = json!({ "sub": String::from_utf8_lossy(data) });
    let input = signing_input(Algorithm::ES256, TokenType::AccessToken, "1", &claims).expect("claims");
    let text = format!("{input}.{}", BASE64URL.encode(data));
    let token = Compact::parse(&text).expect("a token");
    assert_eq!(serde_json::from_slice::<Value>(&token.payload).expect("claims"), claims);
    assert_eq!((token.signature.as_slice(), token.kid.as_deref()), (data, Some("1")));
    assert!(token.check_type(TokenType::AccessToken).is_ok() && token.check_type(TokenType::IdToken).is_err());
}

/// A token whose claims are the text, should it be JSON.
fn with_claims(text: &str) -> String {
    let header = BASE64URL.encode(r#"{"alg":"ES256","kid":"1","typ":"JWT"}"#);
    format!("{header}.{}.{}", BASE64URL.encode(text), BASE64URL.encode([0; 64]))
}

fn shown(token: &str) {
    if let Ok(bearer) = HeaderValue::from_str(&format!("Bearer {token}")) {
        let request = Request::get("/oauth2/userinfo").header(header::AUTHORIZATION, bearer);
        let reply = send(request.body(Body::empty()).expect("a request"));
        assert!(reply.status().is_client_error(), "{token}: {}", reply.status());
    }
    let query = |pairs: &[(&str, &str)]| form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let hint = query(&[
        ("client_id", "app"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("prompt", "none"),
        ("id_token_hint", token),
    ]);
    let request = Request::get(format!("/oauth2/authorize?{hint}")).body(Body::empty()).expect("a request");
    let reply = send(request);
    let location = reply.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    assert!(location.is_some_and(|location| !location.contains("code=")), "{location:?}");
    let assertion = query(&[
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token),
    ]);
    let request = Request::post("/oauth2/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let reply = send(request.body(Body::from(assertion)).expect("a request"));
    assert!(matches!(reply.status(), StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED), "{}", reply.status());
}
