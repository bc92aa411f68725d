//! What an administrator can set for a connection, and what it changes in a login.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::platform::Clock;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{ClientAuth, Document, Lie, Registration};
use vestibule_tests::in_process::{ALICE, ISSUER, TestBroker, claims};

async fn sign_in_status(test: &TestBroker) -> StatusCode {
    let (authorization, cookie) = test.start().await;
    test.finish(&authorization, &cookie).await.status
}

/// Our subject for whoever signs in.
async fn subject(test: &TestBroker) -> String {
    let tokens = test.tokens().await;
    claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned()
}

async fn user(test: &TestBroker) -> Value {
    let path = format!("/tenants/acme/users/{}", subject(test).await);
    test.admin(Method::GET, &path, &Value::Null).await
}

fn directory_token(test: &TestBroker, directory: &str) {
    let issuer = format!("https://idp.example/{directory}/v2.0");
    test.idp.say(Document::IdToken, "iss", json!(issuer));
    test.idp.say(Document::IdToken, "tid", json!(directory));
}

/// A provider without discovery: its endpoints are set by hand, and nothing else is asked for.
#[tokio::test]
async fn endpoints_set_by_hand_need_no_discovery() {
    let test = TestBroker::new().await;
    test.idp.lie(Lie::DiscoveryDown);
    test.idp.lie(Lie::CallbackWithoutIssuer);
    let at = |path: &str| format!("https://idp.example{path}");
    let endpoints = json!({"authorization": at("/authorize"), "token": at("/token"), "jwks": at("/jwks"), "userinfo": at("/userinfo")});
    let shown = test.connect(&json!({"endpoints": endpoints})).await;
    assert_eq!(shown["endpoints"], endpoints);
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), 0);
    assert_eq!(test.idp.requests("/userinfo"), 1);
    test.connect(
        &json!({"endpoints": {"authorization": at("/authorize"), "token": at("/token"), "jwks": at("/jwks")}}),
    )
    .await;
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    assert_eq!(test.idp.requests("/userinfo"), 1, "no userinfo endpoint, no question");
    test.idp.lie(Lie::OtherKey);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "signatures count all the same");
}

/// A public client at the provider: no secret, PKCE only.
#[tokio::test]
async fn a_public_client_at_the_provider_has_no_secret() {
    let test = TestBroker::new().await;
    test.connect(&json!({"client_auth": "none", "client_secret": null})).await;
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_REQUEST, "the provider wants a secret");
    test.idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: "unused".to_owned(),
        client_auth: ClientAuth::None,
        redirect_uris: vec![format!("{ISSUER}/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
}

/// We prove ourselves by an assertion: for the right audience, for five minutes at most, each with a name of its own.
#[tokio::test]
async fn our_key_proves_who_we_are() {
    let test = TestBroker::new().await;
    test.idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: "unused".to_owned(),
        client_auth: ClientAuth::PrivateKeyJwt,
        redirect_uris: vec![format!("{ISSUER}/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_REQUEST, "the secret is not enough");
    let by_key = |audience: &str| json!({"client_auth": "private_key_jwt", "client_secret": null, "assertion_audience": audience});
    test.connect(&by_key("token_endpoint")).await;
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_REQUEST, "the provider does not know our key");
    test.idp.trust_keys(&test.get("/oauth2/jwks", "").await.json());
    let mut names = std::collections::HashSet::new();
    for (audience, aud) in [
        ("token_endpoint", "https://idp.example/token"),
        ("token_endpoint", "https://idp.example/token"),
        ("issuer", "https://idp.example"),
    ] {
        let shown = test.connect(&by_key(audience)).await;
        assert_eq!(shown["assertion_audience"], audience);
        assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
        let claims = test.idp.last_assertion().expect("an assertion");
        assert_eq!((&claims["aud"], &claims["iss"], &claims["sub"]), (&json!(aud), &json!("broker"), &json!("broker")));
        let life = claims["exp"].as_i64().expect("a time") - claims["iat"].as_i64().expect("a time");
        assert!((1..=300).contains(&life), "{life}");
        assert!(names.insert(claims["jti"].as_str().expect("a name").to_owned()), "a name used twice");
    }
}

/// Everything that can be asked of the sign-in is in the request, and nothing of ours is replaced.
#[tokio::test]
async fn the_request_holds_what_was_set() {
    let test = TestBroker::new().await;
    test.connect(&json!({
        "scopes": ["openid", "email", "offline_access"], "prompt": ["login", "consent"], "acr_values": ["phr", "mfa"],
        "max_age": 3600, "authorization_parameters": {"access_type": "offline", "domain_hint": "corp.example"},
    }))
    .await;
    let (authorization, _) = test.start().await;
    let all = |name: &str| {
        let found = authorization.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        found.collect::<Vec<_>>()
    };
    for (name, value) in [
        ("scope", "openid email offline_access"),
        ("prompt", "login consent"),
        ("acr_values", "phr mfa"),
        ("max_age", "3600"),
        ("access_type", "offline"),
        ("domain_hint", "corp.example"),
        ("code_challenge_method", "S256"),
        ("client_id", "broker"),
    ] {
        assert_eq!(all(name), [value], "{name}");
    }
}

/// RP-4: asked for with `max_age`, `auth_time` must be there and recent, within the skew.
#[tokio::test]
async fn max_age_is_asked_for_and_checked() {
    let test = TestBroker::new().await;
    test.connect(&json!({"max_age": 600, "skew_seconds": 10})).await;
    let now = claims(&test.tokens().await["id_token"])["auth_time"].as_i64().expect("a time");
    for (auth_time, status) in [
        (json!(now - 610), StatusCode::SEE_OTHER),
        (json!(now - 611), StatusCode::BAD_GATEWAY),
        (json!(now + 11), StatusCode::BAD_GATEWAY),
        (Value::Null, StatusCode::BAD_GATEWAY),
    ] {
        test.idp.say(Document::IdToken, "auth_time", auth_time.clone());
        assert_eq!(sign_in_status(&test).await, status, "{auth_time} {now}");
    }
    test.connect(&json!({})).await;
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER, "not asked for, not needed");
}

/// RP-4: `aud` holds what was set, in place of the client id; for several audiences `azp` must name us.
#[tokio::test]
async fn the_audience_can_be_another() {
    let test = TestBroker::new().await;
    let tries: [(Value, Value, Value, StatusCode); 8] = [
        (Value::Null, json!("broker"), Value::Null, StatusCode::SEE_OTHER),
        (json!("api://acme"), json!("broker"), Value::Null, StatusCode::BAD_GATEWAY),
        (json!("api://acme"), json!("api://acme"), Value::Null, StatusCode::SEE_OTHER),
        (json!("api://acme"), json!(["api://acme", "other"]), Value::Null, StatusCode::BAD_GATEWAY),
        (Value::Null, json!(["broker", "project"]), json!("broker"), StatusCode::SEE_OTHER),
        (Value::Null, json!(["broker", "project"]), json!("project"), StatusCode::BAD_GATEWAY),
        (Value::Null, json!(["project"]), json!("broker"), StatusCode::BAD_GATEWAY),
        (Value::Null, json!([]), json!("broker"), StatusCode::BAD_GATEWAY),
    ];
    for (audience, aud, azp, status) in tries {
        test.connect(&json!({"audience": audience})).await;
        test.idp.say(Document::IdToken, "aud", aud.clone());
        test.idp.say(Document::IdToken, "azp", azp.clone());
        assert_eq!(sign_in_status(&test).await, status, "{audience} {aud} {azp}");
    }
}

/// RP-6: the claim that names people can be another than `sub`, such as Entra's `oid`; without it nobody comes in.
#[tokio::test]
async fn the_unique_id_claim_names_the_person() {
    let test = TestBroker::new().await;
    test.connect(&json!({"unique_id_claim": "oid"})).await;
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "there is no oid");
    for wrong in [json!(""), json!([]), json!({"a": 1}), json!(true), json!("x".repeat(256))] {
        test.idp.say(Document::IdToken, "oid", wrong.clone());
        assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "{wrong}");
    }
    test.idp.say(Document::IdToken, "oid", json!("object-1"));
    let first = subject(&test).await;
    test.idp.say(Document::IdToken, "sub", json!("pairwise-2"));
    test.idp.say(Document::Userinfo, "sub", json!("pairwise-2"));
    assert_eq!(subject(&test).await, first, "another sub, the same person");
    test.idp.say(Document::Userinfo, "oid", json!("object-2"));
    assert_eq!(subject(&test).await, first, "the signed word counts");
    test.idp.say(Document::IdToken, "oid", json!("object-2"));
    assert_ne!(subject(&test).await, first, "another oid, another person");
}

/// The e-mail address can be in another claim. `email_verified` says nothing of that one.
#[tokio::test]
async fn the_email_claim_can_be_another() {
    let test = TestBroker::new().await;
    assert_eq!(user(&test).await["profile"]["email_verified"], json!(true));
    test.connect(&json!({"email_claim": "upn"})).await;
    test.idp.say(Document::IdToken, "upn", json!("alice@upn.example"));
    let profile = user(&test).await["profile"].clone();
    assert_eq!(
        (&profile["email"], &profile["email_verified"]),
        (&json!("alice@upn.example"), &Value::Null),
        "{profile}"
    );
    test.idp.say(Document::IdToken, "upn", Value::Null);
    assert_eq!(user(&test).await["profile"]["email"], Value::Null, "{ALICE} is in another claim");
}

/// RP-4: Entra's template stands for the listed directories, each only in its own name.
#[tokio::test]
async fn entras_template_lets_listed_directories_in() {
    const OURS: &str = "11111111-2222-3333-4444-555555555555";
    const FOREIGN: &str = "99999999-2222-3333-4444-555555555555";
    let test = TestBroker::new().await;
    let template = "https://idp.example/{tenantid}/v2.0";
    test.connect(&json!({"issuer": template, "entra_directories": [OURS]})).await;
    test.idp.say(Document::Metadata, "issuer", json!(template));
    test.idp.lie(Lie::CallbackWithoutIssuer);
    test.idp.say(Document::Metadata, "authorization_response_iss_parameter_supported", json!(false));
    directory_token(&test, OURS);
    assert_eq!(sign_in_status(&test).await, StatusCode::SEE_OTHER);
    assert_eq!(test.idp.requests("/organizations/v2.0/.well-known/openid-configuration"), 1);
    directory_token(&test, FOREIGN);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "a directory that is not listed");
    directory_token(&test, OURS);
    test.idp.say(Document::IdToken, "tid", json!(FOREIGN));
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "issuer and tid disagree");
    test.idp.say(Document::IdToken, "tid", Value::Null);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "no tid");
    test.idp.say(Document::IdToken, "iss", json!(template));
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "the template is nobody");
}

/// RP-9: a list of groups is kept; too many of them are said to be too many, never to be none.
#[tokio::test]
async fn groups_that_were_not_sent_are_not_none() {
    let test = TestBroker::new().await;
    assert_eq!(user(&test).await["groups"], json!({"state": "not_sent"}));
    test.idp.say(Document::IdToken, "groups", json!(["staff", "admins"]));
    assert_eq!(user(&test).await["groups"], json!({"state": "known", "names": ["staff", "admins"]}));
    test.idp.say(Document::IdToken, "groups", Value::Null);
    test.idp.say(Document::IdToken, "_claim_names", json!({"groups": "src1"}));
    test.idp.say(Document::IdToken, "_claim_sources", json!({"src1": {"endpoint": "https://graph.example/x"}}));
    for _ in 0..2 {
        assert_eq!(user(&test).await["groups"], json!({"state": "overage"}));
    }
    assert_eq!(overage_events(&test).await, 1, "said when it begins, not at every login");
    test.idp.say(Document::Userinfo, "groups", json!(["staff"]));
    assert_eq!(user(&test).await["groups"], json!({"state": "known", "names": ["staff"]}), "userinfo has them");
    test.connect(&json!({"groups_claim": "roles"})).await;
    assert_eq!(user(&test).await["groups"], json!({"state": "not_sent"}), "another claim");
    assert_eq!(test.idp.unexpected(), Vec::<String>::new(), "nobody follows _claim_sources");
}

async fn overage_events(test: &TestBroker) -> usize {
    for _ in 0..15 {
        test.clock.advance(Seconds(60));
        test.idp_clock.advance(Seconds(60));
        test.broker.tick().await.expect("a tick");
    }
    let page = test.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
    let events = page["events"].as_array().expect("events");
    events.iter().filter(|event| event["kind"] == "groups_overage").count()
}

/// RP-5: signed userinfo is verified like an ID token: signature, issuer, audience, expiry, subject.
#[tokio::test]
async fn signed_userinfo_is_verified() {
    let test = TestBroker::new().await;
    test.idp.lie(Lie::SignedUserinfo);
    test.idp.say(Document::Userinfo, "name", json!("Alice, signed"));
    assert_eq!(user(&test).await["profile"]["name"], json!("Alice, signed"));
    for (claim, wrong) in [
        ("iss", json!("https://other.example")),
        ("iss", Value::Null),
        ("aud", json!("somebody-else")),
        ("aud", Value::Null),
        ("aud", json!(["a", "b"])),
        ("exp", json!(test.idp_clock.now().seconds() - 60)),
        ("exp", json!("soon")),
        ("sub", json!("somebody-else")),
        ("sub", Value::Null),
    ] {
        test.idp.be_honest();
        test.idp.lie(Lie::SignedUserinfo);
        test.idp.say(Document::Userinfo, claim, wrong.clone());
        assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "{claim} {wrong}");
    }
    test.idp.be_honest();
    test.idp.lie(Lie::SignedUserinfo);
    test.idp.lie(Lie::UserinfoForged);
    assert_eq!(sign_in_status(&test).await, StatusCode::BAD_GATEWAY, "the signature of something else");
}
