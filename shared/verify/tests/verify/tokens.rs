//! What a verifier takes for a token, and what it does not.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use vestibule_verify::{Error, Verifier};

use super::issuer::{ISSUER, Issuer, JWKS, LIST, TestKey};

/// The name of the reason for which a token is refused.
async fn refused(verifier: &Verifier, token: &str) -> String {
    let error = verifier.verify(token).await.expect_err("it is refused");
    format!("{error:?}").split(['(', ' ']).next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_good_token_says_who_it_is() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let claims = verifier.verify(&issuer.token()).await.expect("it counts");
    assert_eq!((claims.sub.as_str(), claims.tenant.as_str(), claims.sid.as_str()), ("alice", "acme", "s1"));
    assert!(claims.has_scope("email") && !claims.has_scope("mail") && !claims.has_scope("openid email"));
    assert!(claims.has_role("ops") && !claims.has_role("op") && !claims.has_role("admin"));
    assert_eq!(issuer.asked(), [JWKS, LIST]);
    for _ in 0..5 {
        verifier.verify(&issuer.token()).await.expect("it counts");
    }
    assert_eq!(issuer.asked(), [""; 0], "nobody is asked for each token");
}

/// TK-5: no algorithm but the key's own (RFC 8725 §2.1, §3.1).
#[tokio::test]
async fn a_token_does_not_choose_its_algorithm() {
    let issuer = Issuer::new();
    let (verifier, claims) = (issuer.verifier(), issuer.claims());
    let part = |json: &Value| BASE64URL.encode(json.to_string());
    for alg in ["none", "None", "HS256", "HS512", "", "ES384"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": "k1" });
        assert_eq!(refused(&verifier, &issuer.key.sign_with(&header, &claims)).await, "Algorithm", "{alg}");
        assert_eq!(refused(&verifier, &format!("{}.{}.", part(&header), part(&claims))).await, "Algorithm", "{alg}");
    }
    assert_eq!(issuer.asked(), [""; 0], "for these nobody is asked");
    for alg in ["RS256", "EdDSA"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": "k1" });
        assert_eq!(refused(&verifier, &issuer.key.sign_with(&header, &claims)).await, "Algorithm", "{alg}");
    }
    // An HMAC with the published key as its secret.
    let header = part(&json!({ "alg": "HS256", "typ": "at+jwt", "kid": "k1" }));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, issuer.key.jwk().to_string().as_bytes());
    let input = format!("{header}.{}", part(&claims));
    let tag = aws_lc_rs::hmac::sign(&key, input.as_bytes());
    assert_eq!(refused(&verifier, &format!("{input}.{}", BASE64URL.encode(tag))).await, "Algorithm");
}

/// TK-5: changed, foreign and broken tokens.
#[tokio::test]
async fn forged_tokens_are_refused() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else { panic!("three parts") };
    let mallory = BASE64URL.encode(issuer.claims().to_string().replace("alice", "mallory"));
    assert_eq!(refused(&verifier, &format!("{head}.{mallory}.{signature}")).await, "Signature");
    assert_eq!(refused(&verifier, &format!("{head}.{body}.{}AAAA", &signature[..82])).await, "Signature");
    assert_eq!(refused(&verifier, &format!("{head}.{body}.")).await, "Signature");
    let thief = TestKey::new("k1");
    assert_eq!(
        refused(&verifier, &thief.sign("at+jwt", &issuer.claims())).await,
        "Signature",
        "the name alone is nothing"
    );
    let brought = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1", "jwk": thief.jwk() });
    assert_eq!(refused(&verifier, &thief.sign_with(&brought, &issuer.claims())).await, "Signature");
    let unnamed = json!({ "alg": "ES256", "typ": "at+jwt" });
    assert_eq!(refused(&verifier, &issuer.key.sign_with(&unnamed, &issuer.claims())).await, "UnknownKey");
    let critical = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k1", "crit": ["x"] });
    assert_eq!(refused(&verifier, &issuer.key.sign_with(&critical, &issuer.claims())).await, "Malformed");
    for broken in
        ["", ".", "..", "a.b", "a.b.c", "é.é.é", &"x".repeat(2_000_000), &format!("{token}.x"), &format!(" {token}")]
    {
        assert_eq!(refused(&verifier, broken).await, "Malformed");
    }
}

/// TK-4, TK-5: another type, issuer, application, time.
#[tokio::test]
async fn other_tokens_of_the_issuer_are_refused() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    for typ in ["JWT", "statuslist+jwt", "token-introspection+jwt", "logout+jwt", ""] {
        assert_eq!(refused(&verifier, &issuer.key.sign(typ, &issuer.claims())).await, "Type", "{typ}");
    }
    verifier.verify(&issuer.key.sign("application/AT+JWT", &issuer.claims())).await.expect("the same type");
    let now = issuer.now();
    for (others, reason) in [
        (json!({ "iss": "https://other.example" }), "Issuer"),
        (json!({ "iss": format!("{ISSUER}/") }), "Issuer"),
        (json!({ "aud": "other" }), "Audience"),
        (json!({ "aud": ["crm", "other"] }), "Audience"),
        (json!({ "aud": format!("{ISSUER}/scim/v2") }), "Audience"),
        (json!({ "exp": now - 30 }), "Expired"),
        (json!({ "exp": 0 }), "Expired"),
        (json!({ "iat": now + 31 }), "NotYet"),
        (json!({ "nbf": now + 31 }), "NotYet"),
        (json!({ "exp": null }), "Malformed"),
        (json!({ "sub": null }), "Malformed"),
        (json!({ "tenant": null }), "Malformed"),
        (json!({ "exp": "tomorrow" }), "Malformed"),
    ] {
        assert_eq!(refused(&verifier, &issuer.token_with(&others)).await, reason, "{others}");
    }
    for good in [json!({ "exp": now - 29 }), json!({ "iat": now + 30 }), json!({ "nbf": now - 1 })] {
        verifier.verify(&issuer.token_with(&good)).await.expect("clocks may be apart by half a minute");
    }
    let strict = verifier.with_leeway(std::time::Duration::ZERO);
    assert_eq!(refused(&strict, &issuer.token_with(&json!({ "exp": now }))).await, "Expired");
}

/// TK-16: a key that is new is found; for names that somebody invents the broker is asked once in ten seconds.
#[tokio::test]
async fn an_unknown_key_is_asked_for_now_and_then() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.verify(&issuer.token()).await.expect("it counts");
    let next = TestKey::new("k2");
    let token = next.sign("at+jwt", &issuer.claims());
    issuer.asked();
    issuer.advance(10);
    for _ in 0..20 {
        assert_eq!(refused(&verifier, &token).await, "UnknownKey");
    }
    assert_eq!(issuer.asked(), [JWKS]);
    issuer.publish(&[&issuer.key, &next]);
    assert_eq!(refused(&verifier, &token).await, "UnknownKey", "the last question was a moment ago");
    issuer.advance(10);
    verifier.verify(&token).await.expect("it is known now");
    // A key that was withdrawn is gone after five minutes.
    issuer.publish(&[&next]);
    issuer.advance(300);
    assert_eq!(refused(&verifier, &issuer.token()).await, "UnknownKey");
}

/// Keys outlive an outage of the broker for an hour, and no longer; without any the fault is not the token's.
#[tokio::test]
async fn keys_outlive_an_outage_for_a_while() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.verify(&issuer.token()).await.expect("it counts");
    issuer.serve(JWKS, None);
    issuer.advance(3_599);
    issuer.list(LIST, &[]);
    verifier.verify(&issuer.token()).await.expect("the keys are still believed");
    issuer.advance(1);
    let error = verifier.verify(&issuer.token()).await.expect_err("no longer");
    assert_eq!((error.status(), error.challenge()), (StatusCode::SERVICE_UNAVAILABLE, None));
    let cold = issuer.verifier();
    for broken in [None, Some("{}"), Some("[]"), Some("<html>")] {
        issuer.advance(10);
        issuer.serve(JWKS, broken.map(str::to_owned));
        assert_eq!(refused(&cold, &issuer.token()).await, "Keys", "{broken:?}");
    }
    issuer.publish(&[&issuer.key]);
    assert_eq!(refused(&cold, &issuer.token()).await, "Keys", "the last question was a moment ago");
    issuer.advance(10);
    issuer.list(LIST, &[]);
    cold.verify(&issuer.token()).await.expect("it counts");
}

/// A header is read as RFC 6750 §2.1 has it.
#[tokio::test]
async fn a_request_bears_its_token_in_one_way() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let token = issuer.token();
    let ask = async |value: &str| {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a value"))]);
        verifier.verify_request(&headers).await
    };
    ask(&format!("Bearer {token}")).await.expect("it counts");
    ask(&format!("bearer {token}")).await.expect("it counts");
    for wrong in ["", "Bearer", &token, &format!("Basic {token}")] {
        assert!(matches!(ask(wrong).await, Err(Error::Missing)), "{wrong}");
    }
    assert!(matches!(verifier.verify_request(&HeaderMap::new()).await, Err(Error::Missing)));
    assert!(matches!(ask("Bearer x").await, Err(Error::Malformed)));
}
