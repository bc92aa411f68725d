//! Global Token Revocation, as an identity provider sends it: LO-9.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_testkit::Account;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, ISSUER, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{DiesAtWrite, watched};

const BOB: &str = "bob@corp.example";
const TYP: Option<&str> = Some("global-token-revocation+jwt");

fn path(connection: &str) -> String {
    format!("/oauth2/global-token-revocation/acme/{connection}")
}

/// A token for a connection's endpoint, with these members too; null takes one away.
async fn token(test: &TestBroker, typ: Option<&str>, name: &str, members: &Value) -> String {
    let mut token = test.idp.logout_claims(&format!("{ISSUER}{}", path("idp")), name);
    if let (Some(token), Some(members)) = (token.as_object_mut(), members.as_object()) {
        token.remove("events");
        token.extend(members.clone());
        token.retain(|_, value| !value.is_null());
    }
    test.idp.notice(typ, &token).await.expect("the provider signs")
}

async fn send(test: &TestBroker, connection: &str, token: &str, body: &Value) -> Reply {
    let request = Request::post(path(connection)).header(header::AUTHORIZATION, format!("Bearer {token}"));
    let request = request.header(header::CONTENT_TYPE, "application/json");
    test.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

/// Sends what is right, about somebody.
async fn revoke(test: &TestBroker, name: &str, about: &Value) -> StatusCode {
    let token = token(test, TYP, name, &json!({})).await;
    send(test, "idp", &token, &json!({"sub_id": about})).await.status
}

fn alice() -> Value {
    json!({"format": "iss_sub", "iss": "https://idp.example", "sub": "alice-1"})
}

async fn is_over(test: &TestBroker, tokens: &Value) -> bool {
    test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.status == StatusCode::BAD_REQUEST
}

async fn tokens(test: &TestBroker, connection: &str, who: &str) -> Value {
    let code = signed_in(&test.try_sign_in(connection, who).await).code;
    test.redeem(&code).await.json()
}

/// LO-9: all sessions of the person end, named either way; they may sign in again, and nobody else is touched.
#[tokio::test]
async fn a_revoked_person_is_signed_out() {
    for about in [alice(), json!({"format": "email", "email": "Alice@CORP.example"})] {
        let test = TestBroker::new().await;
        test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
        let ended = [test.tokens().await, test.tokens().await];
        let stays = tokens(&test, "idp", BOB).await;
        assert_eq!(revoke(&test, "1", &about).await, StatusCode::NO_CONTENT, "{about}");
        for tokens in &ended {
            assert!(is_over(&test, tokens).await, "{about}");
        }
        assert!(!is_over(&test, &stays).await);
        assert!(!is_over(&test, &test.tokens().await).await);
        assert_eq!(test.audited(&["sessions_revoked"]).await.len(), 1);
    }
}

/// LO-9: where the connection says so, whoever is revoked is deactivated, too.
#[tokio::test]
async fn a_connection_may_deactivate() {
    let test = TestBroker::new().await;
    test.connect(&json!({"revocation": {"deactivates": true}})).await;
    let tokens = test.tokens().await;
    assert_eq!(revoke(&test, "1", &alice()).await, StatusCode::NO_CONTENT);
    assert!(is_over(&test, &tokens).await);
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a person").to_owned();
    assert_eq!(test.user(&user).await["active"], false);
    let events = test.audited(&["user_deactivated"]).await;
    assert_eq!((&events[0]["cause"], &events[0]["connection"]), (&json!("revocation"), &json!("idp")));
}

/// LO-9: somebody who is not known is 404, or 204 where the connection hides it; whoever never came through this
/// connection is not known to its provider.
#[tokio::test]
async fn somebody_unknown_is_not_revoked() {
    let test = TestBroker::new().await;
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    let stays = tokens(&test, "second", ALICE).await;
    let unknown = [
        alice(),
        json!({"format": "email", "email": ALICE}),
        json!({"format": "email", "email": "nobody@corp.example"}),
        json!({"format": "iss_sub", "iss": "https://other.example", "sub": "alice-1"}),
    ];
    for (number, about) in unknown.iter().enumerate() {
        assert_eq!(revoke(&test, &format!("a{number}"), about).await, StatusCode::NOT_FOUND, "{about}");
    }
    test.connect(&json!({"revocation": {"hides_unknown": true}})).await;
    for (number, about) in unknown.iter().enumerate() {
        assert_eq!(revoke(&test, &format!("b{number}"), about).await, StatusCode::NO_CONTENT, "{about}");
    }
    assert!(!is_over(&test, &stays).await);
}

/// LO-9: whatever is not the provider's word to this endpoint, now and once, is refused, and ends nothing.
#[tokio::test]
async fn broken_revocations_are_refused() {
    let test = TestBroker::new().await;
    let stays = test.tokens().await;
    let good = token(&test, TYP, "good", &json!({})).await;
    let payload = good.split('.').nth(1).expect("claims").to_owned();
    let mut broken = vec![
        ("no token", String::new()),
        ("unsigned", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        ("an ID token", stays["id_token"].as_str().expect("a token").to_owned()),
        ("a logout token's type", token(&test, Some("logout+jwt"), "t", &json!({})).await),
    ];
    for (why, members) in [
        ("for the client", json!({"aud": "broker"})),
        ("for another endpoint", json!({"aud": format!("{ISSUER}{}", path("other"))})),
        ("another issuer", json!({"iss": "https://other.example"})),
        ("over", json!({"exp": 1_749_999_000})),
        ("no end", json!({"exp": null})),
        ("no name", json!({"jti": null})),
    ] {
        broken.push((why, token(&test, TYP, why, &members).await));
    }
    let body = json!({"sub_id": alice()});
    for (why, token) in broken {
        let reply = send(&test, "idp", &token, &body).await;
        assert_eq!(
            (reply.status, reply.text("error")),
            (StatusCode::UNAUTHORIZED, "invalid_token".to_owned()),
            "{why}"
        );
    }
    for body in [json!({}), json!({"sub_id": {"format": "opaque", "id": "x"}}), json!({"sub_id": {"format": "email"}})]
    {
        assert_eq!(send(&test, "idp", &good, &body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(send(&test, "none", &good, &body).await.status, StatusCode::BAD_REQUEST);
    assert!(!is_over(&test, &stays).await);
    assert_eq!(send(&test, "idp", &good, &body).await.status, StatusCode::NO_CONTENT);
    let after = test.tokens().await;
    assert_eq!(send(&test, "idp", &good, &body).await.status, StatusCode::UNAUTHORIZED, "it was used");
    assert!(!is_over(&test, &after).await);
}

/// LO-9: a process that dies after the token was spent leaves the rest to the tick.
#[tokio::test]
async fn a_crash_forgets_no_revocation() {
    let test = TestBroker::new().await;
    let ended = test.tokens().await;
    let good = token(&test, TYP, "1", &json!({})).await;
    let dying = test.another_process(Some(watched(&test.store, DiesAtWrite::to("sessions", 1)).0));
    let reply = send(&dying, "idp", &good, &json!({"sub_id": alice()})).await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    test.quarters_of_an_hour(2).await;
    assert!(is_over(&test, &ended).await);
}

/// LO-2: whoever signs out is out, whatever became of their identity provider.
#[tokio::test]
async fn signing_out_needs_no_provider() {
    let test = TestBroker::new().await;
    let mut signed_in = Vec::new();
    for _ in 0..3 {
        signed_in.push(test.tokens().await);
    }
    test.idp.lie(vestibule_testkit::Lie::DiscoveryDown);
    test.idp.lie(vestibule_testkit::Lie::JwksDown);
    test.idp.lie(vestibule_testkit::Lie::TokenEndpointFails);
    let cold = test.another_process(None);
    for (number, tokens) in signed_in.iter().enumerate() {
        match number {
            0 => {}
            1 => drop(test.connect(&json!({"enabled": false})).await),
            _ => drop(test.admin(Method::DELETE, "/tenants/acme/connections/idp", &Value::Null).await),
        }
        cold.sign_out(tokens).await;
        assert!(is_over(&cold, tokens).await, "{number}");
    }
}
