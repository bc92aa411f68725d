//! Authorization requests to a provider that are signed (RFC 9101) or sent ahead (RFC 9126).

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_core::platform::Clock;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Canned, ClientAuth, Demand, Document, Registration};
use vestibule_tests::in_process::{ALICE, CALLBACK, ISSUER, TestBroker};

const SECRET: &str = "secret:with/odd+chars &=%";

fn names(url: &Url) -> Vec<String> {
    url.query_pairs().map(|(name, _)| name.into_owned()).collect()
}

fn one(url: &Url, name: &str) -> String {
    vestibule_tests::Reply::one_param(url, name)
}

async fn trust(test: &TestBroker) {
    test.idp.trust_keys(&test.get("/oauth2/jwks", "").await.json());
}

async fn sign_in_status(test: &TestBroker) -> StatusCode {
    let (authorization, cookie) = test.start().await;
    test.finish(&authorization, &cookie).await.status
}

/// Everything that is asked is in the token, and only what OpenID Connect wants there is beside it. RP-2.
#[tokio::test]
async fn a_signed_request_is_whole() {
    let test = TestBroker::new().await;
    let mut settings = json!({
        "prompt": ["login"], "acr_values": ["mfa"], "max_age": 3600, "response_mode": "form_post", "skew_seconds": 10,
        "authorization_parameters": {"domain_hint": "corp.example"},
    });
    test.connect(&settings).await;
    let (plain, _) = test.start().await;
    settings["sign_requests"] = json!(true);
    test.connect(&settings).await;
    trust(&test).await;
    let (first, _) = test.start().await;
    assert_eq!(names(&first), ["response_type", "client_id", "scope", "request"]);
    test.idp.sign_in(first.as_str(), ALICE).await.expect("a good request");
    let claims = test.idp.last_request_object().expect("a signed request");
    let asked: BTreeSet<String> = names(&plain).into_iter().collect();
    let token = ["iss", "aud", "iat", "nbf", "exp", "jti"].map(str::to_owned);
    let inside: BTreeSet<String> = claims.as_object().expect("claims").keys().cloned().collect();
    assert_eq!(inside, asked.into_iter().chain(token).collect());
    for (name, value) in plain.query_pairs() {
        match &*name {
            "state" | "nonce" | "code_challenge" => assert!(claims[&*name].as_str().is_some_and(|it| it != value)),
            "max_age" => assert_eq!(claims[&*name], json!(3600), "a number"),
            _ => assert_eq!(claims[&*name], json!(value), "{name}"),
        }
    }
    let now = test.clock.now().seconds();
    for (name, value) in [
        ("iss", json!("broker")),
        ("aud", json!("https://idp.example")),
        ("iat", json!(now)),
        ("nbf", json!(now - 10)),
        ("exp", json!(now + 300)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let (second, _) = test.start().await;
    test.idp.sign_in(second.as_str(), ALICE).await.expect("a good request");
    assert_ne!(test.idp.last_request_object().expect("another")["jti"], claims["jti"]);
}

/// A provider that insists on signatures gets them, by either kind of key; without, nobody signs in.
#[tokio::test]
async fn either_kind_of_key_signs_requests() {
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        let test = TestBroker::empty().await.with_settings(|config| config.signing_algorithm = algorithm);
        test.admin(Method::PUT, "/tenants/acme", &json!({"name": "Acme"})).await;
        let app = json!({"name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "none"});
        test.admin(Method::PUT, "/clients/app", &app).await;
        test.connect(&json!({})).await;
        test.idp.demand(Demand::SignedRequests);
        let (unsigned, _) = test.start().await;
        assert!(test.idp.sign_in(unsigned.as_str(), ALICE).await.is_err());
        test.connect(&json!({"sign_requests": true})).await;
        let (signed, _) = test.start().await;
        assert!(test.idp.sign_in(signed.as_str(), ALICE).await.is_err(), "the key is not known there");
        trust(&test).await;
        assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "{}", algorithm.name());
    }
}

/// What the signature is for: a request that was changed, kept, or sent again is none.
#[tokio::test]
async fn a_signed_request_cannot_be_changed() {
    let test = TestBroker::new().await;
    test.connect(&json!({"sign_requests": true})).await;
    trust(&test).await;
    let (url, _) = test.start().await;
    let token = one(&url, "request");
    let changed: Vec<String> = vec![
        url.as_str().replace("client_id=broker", "client_id=other"),
        url.as_str().replace("scope=openid", "scope=openid+offline_access"),
        format!("{url}&state=mine"),
        format!("{url}&redirect_uri=https%3A%2F%2Fevil.example"),
        format!("{url}&request={token}"),
        url.as_str().replace(&token, &token[..token.len() - 4]),
        url.as_str().replace(&token, &token.replacen('.', ".e30", 1)),
    ];
    for changed in changed {
        assert_ne!(changed, url.as_str());
        assert!(test.idp.sign_in(&changed, ALICE).await.is_err(), "{changed}");
    }
    test.idp.sign_in(url.as_str(), ALICE).await.expect("nobody else can spend it");
    assert!(test.idp.sign_in(url.as_str(), ALICE).await.is_err(), "again");
    let (late, _) = test.start().await;
    test.idp_clock.advance(Seconds(300));
    assert!(test.idp.sign_in(late.as_str(), ALICE).await.is_err(), "five minutes later");
}

/// Where the provider insists, or the connection asks for it, the browser carries a name only. Otherwise a login's start
/// asks the provider nothing.
#[tokio::test]
async fn requests_are_sent_ahead_where_they_must() {
    let test = TestBroker::new().await;
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    let asked = || {
        ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo", "/par"]
            .map(|path| test.idp.requests(path))
    };
    let before = asked();
    test.start().await;
    assert_eq!(asked(), before, "a warm start asks nothing");
    assert_eq!(before[4], 0);

    test.connect(&json!({"push_requests": true})).await;
    let (url, cookie) = test.start().await;
    assert_eq!((names(&url), test.idp.requests("/par")), (vec!["client_id".to_owned(), "request_uri".to_owned()], 1));
    assert_eq!(test.finish(&url, &cookie).await.status, StatusCode::SEE_OTHER);
    assert!(test.idp.sign_in(url.as_str(), ALICE).await.is_err(), "the name is used up");

    test.idp.demand(Demand::PushedRequests);
    test.connect(&json!({})).await;
    let (url, cookie) = test.start().await;
    assert_eq!((names(&url).len(), test.idp.requests("/par")), (2, 2));
    assert_eq!(test.finish(&url, &cookie).await.status, StatusCode::SEE_OTHER);
    let endpoint = json!("https://idp.example/authorize?policy=a");
    test.idp.say(Document::Metadata, "authorization_endpoint", endpoint);
    test.connect(&json!({})).await;
    assert_eq!(names(&test.start().await.0), ["policy", "client_id", "request_uri"], "the endpoint keeps its query");
}

/// We authenticate where requests are sent ahead as we do at the token endpoint.
#[tokio::test]
async fn each_way_to_authenticate_sends_requests_ahead() {
    let test = TestBroker::new().await;
    trust(&test).await;
    test.idp.demand(Demand::PushedRequests);
    for (method, client_auth, secret) in [
        ("client_secret_basic", ClientAuth::Basic, json!(SECRET)),
        ("client_secret_post", ClientAuth::Post, json!(SECRET)),
        ("private_key_jwt", ClientAuth::PrivateKeyJwt, Value::Null),
        ("none", ClientAuth::None, Value::Null),
    ] {
        test.idp.register(Registration {
            client_id: "broker".to_owned(),
            client_secret: SECRET.to_owned(),
            client_auth,
            redirect_uris: vec![format!("{ISSUER}/oauth2/callback")],
            post_logout_redirect_uris: Vec::new(),
        });
        for (signed, audience) in [(false, "token_endpoint"), (true, "token_endpoint"), (true, "issuer")] {
            let settings = json!({
                "client_auth": method, "client_secret": secret, "sign_requests": signed, "assertion_audience": audience,
            });
            test.connect(&settings).await;
            assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "{method} {signed} {audience}");
        }
    }
    assert_eq!(test.idp.requests("/par"), 12);
    test.connect(&json!({"client_secret": "wrong"})).await;
    assert_eq!(refusal(&test).await, "server_error", "it is not us");
}

/// What the application is told when nobody can be sent away.
async fn refusal(test: &TestBroker) -> String {
    let reply = test.start_reply().await;
    assert_eq!(reply.set_cookies(), Vec::<&str>::new(), "no login has begun");
    let location = reply.location().expect("the application is told");
    assert!(location.as_str().starts_with(CALLBACK), "{location}");
    assert!(!location.as_str().contains("marker"), "{location}");
    one(&location, "error")
}

/// Outages and refusals of the endpoint are told apart, and end.
#[tokio::test]
async fn what_comes_of_a_failed_push() {
    let test = TestBroker::new().await;
    test.connect(&json!({"push_requests": true})).await;
    let reply = |status: u16, body: &str| {
        let status = StatusCode::from_u16(status).expect("a status");
        Canned { status, ..Canned::new("application/json", body.to_owned()) }
    };
    let long = json!({"request_uri": "x".repeat(1025)}).to_string();
    for (status, body, told) in [
        (500, "marker", "temporarily_unavailable"),
        (503, "{}", "temporarily_unavailable"),
        (429, "{}", "temporarily_unavailable"),
        (302, "", "temporarily_unavailable"),
        (201, "<html>marker", "temporarily_unavailable"),
        (201, "{}", "temporarily_unavailable"),
        (201, r#"{"request_uri":""}"#, "temporarily_unavailable"),
        (201, r#"{"request_uri":7}"#, "temporarily_unavailable"),
        (201, &long, "temporarily_unavailable"),
        (400, r#"{"error":"invalid_request","error_description":"marker"}"#, "server_error"),
        (401, r#"{"error":"invalid_client"}"#, "server_error"),
        (404, "marker", "server_error"),
    ] {
        test.idp.answer_with("/par", reply(status, body));
        assert_eq!(refusal(&test).await, told, "{status} {body}");
        test.idp.be_honest();
        assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "{status} {body} is over");
    }
    for endpoint in [json!("https://elsewhere.example/par"), Value::Null] {
        test.idp.say(Document::Metadata, "pushed_authorization_request_endpoint", endpoint.clone());
        test.connect(&json!({"push_requests": true})).await;
        let told = if endpoint.is_null() { "server_error" } else { "temporarily_unavailable" };
        assert_eq!(refusal(&test).await, told, "{endpoint}");
    }
}
