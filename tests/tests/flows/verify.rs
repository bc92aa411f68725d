//! Forward authentication, as a proxy asks for it.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Account;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, CALLBACK, TestBroker, authorization, claims, signed_in};
use vestibule_tests::watched_store::{Counter, watched};

const APP: &str = "/oauth2/verify?client_id=app";

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().expect("a token")
}

/// A proxy's question about a request with this header.
async fn ask(test: &TestBroker, target: &str, name: header::HeaderName, value: &str) -> Reply {
    test.send(Request::get(target).header(name, value).body(Body::empty()).expect("a request")).await
}

async fn bearer(test: &TestBroker, target: &str, token: &str) -> Reply {
    ask(test, target, header::AUTHORIZATION, &format!("Bearer {token}")).await
}

/// A mapping that gives everybody a role.
fn everybody_is(role: &str) -> Value {
    let granted = json!({ "claim": "name", "value": "*", "grants": "role", "name": role });
    json!({ "roles": [{ "name": "ops" }, { "name": "Büro" }], "rules": [granted] })
}

/// ED-2: on a process that knows the session, a question costs no call to the store; with a role neither.
#[tokio::test]
async fn a_warm_question_asks_nobody() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/acme/mapping", &everybody_is("ops")).await;
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    let tokens = test.tokens().await;
    let with_role = format!("{APP}&role=ops");
    bearer(&test, &with_role, text(&tokens, "access_token")).await;
    counter.calls();
    for target in [APP, &with_role] {
        for _ in 0..5 {
            assert_eq!(bearer(&test, target, text(&tokens, "access_token")).await.status, StatusCode::OK, "{target}");
        }
    }
    assert_eq!(counter.calls(), (0, vec![]));
}

/// ED-7: whoever is signed out, deactivated or revoked elsewhere is refused within a minute.
#[tokio::test]
async fn an_end_elsewhere_is_followed_within_a_minute() {
    let test = TestBroker::new().await;
    let elsewhere = test.another_process(None);
    for way in ["revoked", "signed out", "deactivated"] {
        let tokens = test.tokens().await;
        let token = text(&tokens, "access_token");
        assert_eq!(bearer(&test, APP, token).await.status, StatusCode::OK);
        let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
        match way {
            "revoked" => elsewhere.revoke(token).await,
            "signed out" => {
                let hint = text(&tokens, "id_token");
                elsewhere.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
            }
            _ => {
                let path = format!("/tenants/acme/users/{user}");
                elsewhere.admin(Method::PUT, &path, &json!({ "active": false })).await;
            }
        }
        test.clock.advance(Seconds(60));
        test.idp_clock.advance(Seconds(60));
        let reply = bearer(&test, APP, token).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{way}");
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("x-auth")), "{:?}", reply.headers);
    }
}

/// Who it is stands in headers: an address only if the provider verified it and the scope reveals it, and never a byte
/// that a header may not have.
#[tokio::test]
async fn headers_hold_what_was_verified() {
    let test = TestBroker::new().await;
    let told = async |account: Account, scope: &str| {
        let username = account.username.clone();
        test.idp.add_account(account);
        let asked = authorization(&[]).replace("scope=openid+email+profile", &format!("scope={scope}"));
        let there = test.get(&asked, "").await;
        let (authorization, cookie) = TestBroker::started(&there);
        let code = signed_in(&test.finish_as(&username, &authorization, &cookie).await).code;
        let tokens = test.redeem(&code).await.json();
        bearer(&test, APP, text(&tokens, "access_token")).await
    };
    let plain = told(Account::new(ALICE, "password", "alice-1", "Alice"), "openid+email").await;
    assert_eq!(plain.header("x-auth-request-email"), Some(ALICE));
    assert_eq!(plain.header("x-auth-request-tenant"), Some("acme"));
    assert!(plain.header("x-auth-request-user").is_some() && plain.header("x-auth-request-session").is_some());
    assert_eq!(plain.header("cache-control"), Some("no-store"));
    let hidden = told(Account::new(ALICE, "password", "alice-1", "Alice"), "openid").await;
    assert_eq!((hidden.status, hidden.header("x-auth-request-email")), (StatusCode::OK, None));
    let unverified = Account::new("mallory@corp.example", "password", "mallory-1", "Mallory");
    let unverified = told(unverified.with_claim("email_verified", json!(false)), "openid+email").await;
    assert_eq!((unverified.status, unverified.header("x-auth-request-email")), (StatusCode::OK, None));
    let odd = told(Account::new("jö%\u{7f} b@corp.example", "password", "odd-1", "Odd"), "openid+email").await;
    assert_eq!(odd.header("x-auth-request-email"), Some("j%C3%B6%25%7F%20b@corp.example"));
}

/// A role that is asked for is the one that counts; without it nobody passes, and what an administrator grants is
/// followed within a minute.
#[tokio::test]
async fn a_role_can_be_asked_for() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/acme/mapping", &everybody_is("Büro")).await;
    let tokens = test.tokens().await;
    let ask = async |role: &str| bearer(&test, &format!("{APP}&role={role}"), text(&tokens, "access_token")).await;
    assert_eq!(ask("B%C3%BCro").await.header("x-auth-request-role"), Some("B%C3%BCro"));
    for other in ["ops", "b%C3%BCro", "nobody", "B%C3%BCro,ops"] {
        let reply = ask(other).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{other}");
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("x-auth")), "{:?}", reply.headers);
    }
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a user").to_owned();
    test.admin(Method::PUT, &format!("/tenants/acme/users/{user}/access"), &json!({ "roles": ["ops"] })).await;
    test.clock.advance(Seconds(60));
    assert_eq!(ask("ops").await.header("x-auth-request-role"), Some("ops"));
    assert_eq!(ask("B%C3%BCro").await.status, StatusCode::FORBIDDEN);
}

/// CK-10: what is no access token of this application opens nothing, and the answer says no more than that.
#[tokio::test]
async fn other_tokens_do_not_pass() {
    let test = TestBroker::new().await;
    let other = json!({ "name": "Other", "redirect_uris": [CALLBACK], "client_auth": "none" });
    test.admin(Method::PUT, "/clients/other", &other).await;
    let tokens = test.tokens().await;
    let access = text(&tokens, "access_token");
    for (what, target, token) in [
        ("another application's", "/oauth2/verify?client_id=other", access),
        ("an ID token", APP, text(&tokens, "id_token")),
        ("a refresh token", APP, text(&tokens, "refresh_token")),
        ("a changed token", APP, &format!("{}AAAA", &access[..access.len() - 4])),
        ("nothing", APP, ""),
    ] {
        let reply = bearer(&test, target, token).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}");
        assert!(reply.header("www-authenticate").is_some_and(|asked| asked.starts_with("Bearer")), "{what}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{what}");
        assert!(!reply.body.contains("acme") && !reply.body.contains("app"), "{what}: {}", reply.body);
    }
    test.clock.advance(Seconds(86_400));
    assert_eq!(bearer(&test, APP, access).await.status, StatusCode::UNAUTHORIZED, "expired");
    for wrong in ["/oauth2/verify", "/oauth2/verify?client_id=nobody", "/oauth2/verify?client_id=app&client_id=other"] {
        assert_eq!(bearer(&test, wrong, access).await.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// The relay's cookie is asked for under the name that its application chose, and under no other.
#[tokio::test]
async fn the_relays_cookie_passes() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let access = text(&tokens, "access_token");
    let names = ["accessToken", "__Host-accessToken"];
    let told = async || {
        let mut told = Vec::new();
        for name in names {
            told.push(ask(&test, APP, header::COOKIE, &format!("other=1; {name}={access}")).await.status.as_u16());
        }
        told
    };
    assert_eq!(told().await, [401, 401], "it has no relay");
    for (cookies, statuses) in [("plain", [200, 401]), ("prefixed", [401, 200])] {
        let app = json!({
            "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "none",
            "relay": { "control_plane_url": "https://app.example", "cookies": cookies },
        });
        test.admin(Method::PUT, "/clients/app", &app).await;
        assert_eq!(told().await, statuses, "{cookies}");
        let both = format!("accessToken={access}; __Host-accessToken=x");
        let both = ask(&test, APP, header::COOKIE, &both).await.status.as_u16();
        assert_eq!(both, statuses[0], "{cookies}: the other one is not looked at");
    }
}
