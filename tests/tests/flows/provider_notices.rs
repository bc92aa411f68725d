//! Logout tokens that an identity provider sends.

use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Account, Document, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::deliveries::LOGOUT;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{DiesAtWrite, watched};

const BOB: &str = "bob@corp.example";
const TYP: Option<&str> = Some("logout+jwt");

/// The tokens of somebody who signs in through a connection, in a session that the provider calls `sid`.
async fn tokens(test: &TestBroker, connection: &str, who: &str, sid: &str) -> Value {
    test.idp.say(Document::IdToken, "sid", json!(sid));
    let code = signed_in(&test.try_sign_in(connection, who).await).code;
    test.redeem(&code).await.json()
}

async fn is_over(test: &TestBroker, tokens: &Value) -> bool {
    test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status == StatusCode::BAD_REQUEST
}

async fn send(test: &TestBroker, connection: &str, token: &str) -> Reply {
    test.post(&format!("/oauth2/backchannel-logout/acme/{connection}"), &[("logout_token", token)]).await
}

/// A logout token of the provider with these members too; null takes one away.
async fn notice(test: &TestBroker, typ: Option<&str>, name: &str, members: &Value) -> String {
    let mut token = test.idp.logout_claims("broker", name);
    if let (Some(token), Some(members)) = (token.as_object_mut(), members.as_object()) {
        token.extend(members.clone());
        token.retain(|_, value| !value.is_null());
    }
    test.idp.notice(typ, &token).await.expect("the provider signs")
}

/// LO-3, LO-4: `sid` ends that session only, wherever it lies; the application is told.
#[tokio::test]
async fn one_session_is_ended() {
    let test = TestBroker::listening(200).await;
    let (ended, stays) = (tokens(&test, "idp", ALICE, "s1").await, tokens(&test, "idp", ALICE, "s2").await);
    for (name, members) in [("1", json!({"sid": "s1"})), ("2", json!({"sid": "nobody"}))] {
        let reply = send(&test, "idp", &notice(&test, TYP, name, &members).await).await;
        assert_eq!((reply.status, reply.body.as_str()), (StatusCode::OK, ""));
        assert_eq!(reply.headers.get(header::CACHE_CONTROL).expect("a header"), "no-store");
    }
    assert!(is_over(&test, &ended).await);
    assert!(!is_over(&test, &stays).await);
    test.quarters_of_an_hour(2).await;
    let told = test.network.received(LOGOUT);
    assert_eq!(told.len(), 1);
    assert_eq!(claims(&json!(told[0].field("logout_token")))["sid"], claims(&ended["id_token"])["sid"]);
    let events = test.audited(&["session_ended"]).await;
    assert_eq!((events.len(), &events[0]["reason"]), (1, &json!("provider_notice")));
}

/// LO-4: `sub` alone ends all sessions of the person through this connection, and through no other; nobody else's.
#[tokio::test]
async fn all_sessions_of_a_person_in_a_connection_are_ended() {
    let test = TestBroker::new().await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    let second = json!({
        "name": "The other way", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    let ended = [tokens(&test, "idp", ALICE, "s1").await, tokens(&test, "idp", ALICE, "s2").await];
    let stay = [tokens(&test, "second", ALICE, "s3").await, tokens(&test, "idp", BOB, "s4").await];
    let token = notice(&test, Some("JWT"), "1", &json!({"sub": "alice-1"})).await;
    assert_eq!(send(&test, "idp", &token).await.status, StatusCode::OK);
    for tokens in &ended {
        assert!(is_over(&test, tokens).await);
    }
    for tokens in &stay {
        assert!(!is_over(&test, tokens).await);
    }
}

/// LO-4: the person is known by `sub` where another claim names them for good, too.
#[tokio::test]
async fn another_unique_id_does_not_hide_a_person() {
    let test = TestBroker::new().await;
    test.connect(&json!({"unique_id_claim": "oid"})).await;
    test.idp.say(Document::IdToken, "oid", json!("object-1"));
    let (ended, also) = (tokens(&test, "idp", ALICE, "s1").await, tokens(&test, "idp", ALICE, "s2").await);
    let token = notice(&test, TYP, "1", &json!({"sub": "object-1"})).await;
    assert_eq!(send(&test, "idp", &token).await.status, StatusCode::OK);
    assert!(!is_over(&test, &ended).await, "that is not what the provider calls her");
    let token = notice(&test, TYP, "other", &json!({"sub": "bob-1", "sid": "s1"})).await;
    assert_eq!(send(&test, "idp", &token).await.status, StatusCode::OK);
    assert!(!is_over(&test, &also).await, "it is another person's");
    let token = notice(&test, TYP, "2", &json!({"sub": "alice-1", "sid": "s1"})).await;
    assert_eq!(send(&test, "idp", &token).await.status, StatusCode::OK);
    assert!(is_over(&test, &ended).await);
    assert!(!is_over(&test, &also).await);
    let token = notice(&test, TYP, "3", &json!({"sub": "alice-1"})).await;
    assert_eq!(send(&test, "idp", &token).await.status, StatusCode::OK);
    assert!(is_over(&test, &also).await);
}

/// LO-3: whatever breaks a rule ends nothing, and is refused in one way.
#[tokio::test]
async fn broken_logout_tokens_are_refused() {
    let test = TestBroker::new().await;
    let stays = tokens(&test, "idp", ALICE, "s1").await;
    let about = json!({"sub": "alice-1", "sid": "s1"});
    let good = notice(&test, TYP, "good", &about).await;
    let (input, _) = good.rsplit_once('.').expect("a signature");
    let (_, payload) = input.split_once('.').expect("claims");
    let mut broken = vec![
        ("no token", String::new()),
        ("unsigned", format!("eyJhbGciOiJub25lIiwidHlwIjoibG9nb3V0K2p3dCJ9.{payload}.")),
        ("another signature", format!("{input}.{}", "A".repeat(86))),
        ("an ID token", stays["id_token"].as_str().expect("a token").to_owned()),
        ("an access token's type", notice(&test, Some("at+jwt"), "t", &about).await),
    ];
    for (why, members) in [
        ("another issuer", json!({"iss": "https://other.example"})),
        ("another audience", json!({"aud": "somebody-else"})),
        ("over", json!({"exp": 1_749_999_000})),
        ("from the future", json!({"iat": 1_950_000_000})),
        ("never over", json!({"exp": 1_950_000_000})),
        ("no event", json!({"events": {}})),
        ("a nonce", json!({"nonce": "n"})),
        ("no name", json!({"jti": null})),
        ("nobody", json!({"sub": null, "sid": null})),
    ] {
        let mut members = members;
        for (name, value) in about.as_object().expect("members") {
            members.as_object_mut().expect("members").entry(name).or_insert_with(|| value.clone());
        }
        broken.push((why, notice(&test, TYP, why, &members).await));
    }
    test.idp.lie(Lie::OtherKey);
    broken.push(("another key", test.idp.vouch(&test.idp.logout_claims("broker", "key")).await.expect("a token")));
    for (why, token) in broken {
        let reply = send(&test, "idp", &token).await;
        assert_eq!(
            (reply.status, reply.text("error")),
            (StatusCode::BAD_REQUEST, "invalid_request".to_owned()),
            "{why}"
        );
        assert_eq!(reply.headers.get(header::CACHE_CONTROL).expect("a header"), "no-store", "{why}");
    }
    assert!(!is_over(&test, &stays).await);
    assert_eq!(send(&test, "idp", &good).await.status, StatusCode::OK, "it was not spent");
}

/// LO-3: a token is for the connection that it was made for: another one's provider knows us by another name.
#[tokio::test]
async fn another_connections_token_is_refused() {
    let test = TestBroker::new().await;
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker-2", "client_auth": "none",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    let stays = tokens(&test, "idp", ALICE, "s1").await;
    let mut members = test.idp.logout_claims("broker-2", "1");
    members["sub"] = json!("alice-1");
    let token = test.idp.notice(TYP, &members).await.expect("a token");
    for connection in ["idp", "none", "A"] {
        assert_eq!(send(&test, connection, &token).await.status, StatusCode::BAD_REQUEST, "{connection}");
    }
    assert_eq!(send(&test, "second", &token).await.status, StatusCode::OK);
    assert!(!is_over(&test, &stays).await, "nobody came through that one");
}

/// LO-3: of many that send one token at the same time, one is heard, and it is never heard again.
#[tokio::test]
async fn a_token_counts_once() {
    let test = TestBroker::new().await;
    let ended = tokens(&test, "idp", ALICE, "s1").await;
    let token = notice(&test, TYP, "1", &json!({"sub": "alice-1"})).await;
    let replies = futures_util::future::join_all((0..20).map(|_| send(&test, "idp", &token))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == StatusCode::OK).count(), 1);
    assert!(is_over(&test, &ended).await);
    let again = tokens(&test, "idp", ALICE, "s2").await;
    for wait in [0, 60, 119] {
        test.clock.advance(Seconds(wait));
        assert_eq!(send(&test.another_process(None), "idp", &token).await.status, StatusCode::BAD_REQUEST);
    }
    assert!(!is_over(&test, &again).await);
}

/// LO-3: a process that dies after the token was spent leaves the rest to the tick; one that dies before leaves the token.
#[tokio::test]
async fn a_crash_forgets_no_notice() {
    for writes in 0..3 {
        let test = TestBroker::new().await;
        let ended = tokens(&test, "idp", ALICE, "s1").await;
        let token = notice(&test, TYP, "1", &json!({"sid": "s1"})).await;
        let dying = test.another_process(Some(watched(&test.store, DiesAtWrite::to("sessions", writes)).0));
        assert_eq!(send(&dying, "idp", &token).await.status, StatusCode::INTERNAL_SERVER_ERROR, "{writes}");
        let again = send(&test, "idp", &token).await.status;
        assert_eq!(again, if writes == 0 { StatusCode::OK } else { StatusCode::BAD_REQUEST }, "{writes}");
        test.quarters_of_an_hour(1).await;
        assert!(is_over(&test, &ended).await, "{writes}");
    }
}

/// LO-3: a provider whose keys cannot be had is an outage: the token is not spent. A connection that is disabled still
/// signs out.
#[tokio::test]
async fn an_outage_spends_nothing() {
    let test = TestBroker::new().await;
    let ended = tokens(&test, "idp", ALICE, "s1").await;
    test.connect(&json!({"enabled": false})).await;
    let token = notice(&test, TYP, "1", &json!({"sid": "s1"})).await;
    let fresh = test.another_process(None);
    fresh.idp.lie(Lie::JwksDown);
    assert_eq!(send(&fresh, "idp", &token).await.status, StatusCode::SERVICE_UNAVAILABLE);
    fresh.idp.be_honest();
    assert_eq!(send(&fresh, "idp", &token).await.status, StatusCode::OK);
    assert!(is_over(&test, &ended).await);
}
