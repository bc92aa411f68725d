//! How old a session may be when it signs somebody in, and what the provider has to say about that.

use http::Method;
use serde_json::{Value, json};
use url::Url;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Account, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};

const STARTED: i64 = 1_750_000_000;

fn told(reply: &Reply) -> Url {
    reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body))
}

fn error(reply: &Reply) -> String {
    Reply::one_param(&told(reply), "error")
}

fn resumed(reply: &Reply) -> bool {
    told(reply).query_pairs().any(|(name, _)| name == "code")
}

/// AZ-12: a session signs in for as long as `max_age` allows, counted from the login at the provider, and `auth_time`
/// says when that was.
#[tokio::test]
async fn max_age_is_counted_from_the_login() {
    let test = TestBroker::new().await;
    let cookie = test.sign_in().await.cookie;
    test.clock.advance(Seconds(99));
    let reply = test.authorize(&[("max_age", "100")], &cookie).await;
    assert!(resumed(&reply));
    let code = Reply::one_param(&told(&reply), "code");
    let tokens = test.redeem(&code).await.json();
    assert_eq!(claims(&tokens["id_token"])["auth_time"], STARTED, "the use of a session is no login");
    test.clock.advance(Seconds(1));
    let there = told(&test.authorize(&[("max_age", "100")], &cookie).await);
    assert_eq!(Reply::one_param(&there, "max_age"), "100", "the provider is asked");
    assert_eq!(error(&test.authorize(&[("max_age", "100"), ("prompt", "none")], &cookie).await), "login_required");
    let there = told(&test.authorize(&[("max_age", "0")], &cookie).await);
    assert_eq!(Reply::one_param(&there, "max_age"), "0", "no login is young enough");
}

/// AZ-12, RP-4: a provider that was asked for a recent login must show one; old and undated ones do not count.
#[tokio::test]
async fn a_recent_login_must_be_shown() {
    let test = TestBroker::new().await;
    let (authorization, login) = TestBroker::started(&test.authorize(&[("max_age", "100")], "").await);
    signed_in(&test.finish(&authorization, &login).await);

    test.idp.lie(Lie::NoAuthTime);
    let (authorization, login) = TestBroker::started(&test.authorize(&[("max_age", "100")], "").await);
    let reply = test.finish(&authorization, &login).await;
    assert_eq!(error(&reply), "login_required");
    assert_eq!(reply.headers.get_all("set-cookie").iter().count(), 1, "the login's cookie goes, no session's comes");

    let (authorization, login) = test.start().await;
    let code = signed_in(&test.finish(&authorization, &login).await).code;
    let tokens = test.redeem(&code).await.json();
    assert_eq!(claims(&tokens["id_token"])["auth_time"], STARTED, "nobody asked: the end of the login is its time");
}

/// AZ-12: what the provider did earlier is an earlier login, whatever it answers now.
#[tokio::test]
async fn an_old_login_at_the_provider_is_old() {
    let test = TestBroker::new().await;
    // The provider signs in from a session of its own, half an hour old.
    test.idp.lie(Lie::NoAuthTime);
    let old = json!(STARTED - 1_800);
    test.idp.add_account(Account::new(ALICE, "password", "alice-1", "Alice").with_claim("auth_time", old.clone()));
    let (authorization, login) = TestBroker::started(&test.authorize(&[("max_age", "1000")], "").await);
    assert_eq!(error(&test.finish(&authorization, &login).await), "login_required");

    let (authorization, login) = TestBroker::started(&test.authorize(&[("max_age", "1800")], "").await);
    let signed = signed_in(&test.finish(&authorization, &login).await);
    let tokens = test.redeem(&signed.code).await.json();
    assert_eq!(claims(&tokens["id_token"])["auth_time"], old);
    assert!(!resumed(&test.authorize(&[("max_age", "1800")], &signed.cookie).await), "and the session knows");
    assert!(resumed(&test.authorize(&[("max_age", "1801")], &signed.cookie).await));
}

/// The provider's words on how somebody signed in reach the application, in every token of the session.
#[tokio::test]
async fn how_somebody_signed_in_is_told() {
    let test = TestBroker::new().await;
    let account = Account::new(ALICE, "password", "alice-1", "Alice").with_claim("acr", json!("phr"));
    test.idp.add_account(account.with_claim("amr", json!(["pwd", "hwk"])));
    let tokens = test.tokens().await;
    let refreshed = test.refresh(tokens["refresh_token"].as_str().expect("a token")).await.json();
    for tokens in [&tokens, &refreshed] {
        let claims = claims(&tokens["id_token"]);
        assert_eq!((&claims["acr"], &claims["amr"]), (&json!("phr"), &json!(["pwd", "hwk"])));
    }
}

/// CK-5, LO-8: a session that ended signs nobody in: by logout, by the person's deactivation, by its age, by its
/// connection's or tenant's end.
#[tokio::test]
async fn an_ended_session_signs_nobody_in() {
    for end in ["logout", "deactivation", "age", "connection", "tenant", "client"] {
        let test = TestBroker::new().await;
        let signed = test.sign_in().await;
        assert!(resumed(&test.authorize(&[], &signed.cookie).await), "{end}");
        let tokens = test.redeem(&signed.code).await.json();
        let user = claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned();
        match end {
            "logout" => {
                let hint = tokens["id_token"].as_str().expect("a token");
                test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
            }
            "deactivation" => {
                test.admin(Method::PUT, &format!("/tenants/acme/users/{user}"), &json!({"active": false})).await;
            }
            "age" => test.clock.advance(Seconds(604_800)),
            "connection" => {
                test.admin(Method::DELETE, "/tenants/acme/connections/idp", &Value::Null).await;
            }
            "tenant" => {
                test.admin(Method::DELETE, "/tenants/acme", &Value::Null).await;
            }
            _ => {
                let body = json!({
                    "name": "App", "tenants": ["other"], "redirect_uris": ["https://app.example/callback"],
                    "client_auth": "none",
                });
                test.admin(Method::PUT, "/clients/app", &body).await;
            }
        }
        assert_eq!(error(&test.authorize(&[("prompt", "none")], &signed.cookie).await), "login_required", "{end}");
        assert!(!resumed(&test.authorize(&[], &signed.cookie).await), "{end}");
    }
}

/// RFC 8252 §8.6: a public client that any program on the device could be is given nothing in passing.
#[tokio::test]
async fn a_client_that_could_be_anybody_is_not_signed_in_in_passing() {
    let test = TestBroker::new().await;
    let cookie = test.sign_in().await.cookie;
    for (auth, address, passes) in [
        ("none", "com.example.app:/callback", false),
        ("none", "http://localhost:9999/callback", false),
        ("none", "https://native.example/callback", true),
        ("client_secret_post", "http://localhost:9999/callback", true),
    ] {
        let mut body = json!({ "name": "App", "redirect_uris": [address], "client_auth": auth });
        if auth != "none" {
            body["client_secret"] = json!("secret-of-the-application-0123456789");
        }
        let name = format!("native-{auth}").replace('_', "-");
        test.admin(Method::PUT, &format!("/clients/{name}"), &body).await;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("client_id", name.as_str()),
                ("redirect_uri", address),
                ("response_type", "code"),
                ("scope", "openid"),
                ("tenant", "acme"),
                ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let reply = test.get(&format!("/oauth2/authorize?{query}"), &cookie).await;
        assert_eq!(resumed(&reply), passes, "{auth} {address}");
        let silent = test.get(&format!("/oauth2/authorize?{query}&prompt=none"), &cookie).await;
        assert_eq!(resumed(&silent), passes, "{auth} {address}");
    }
}
