//! Test logins: what an administrator learns of a connection without anybody being signed in.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::key;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Account, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, ISSUER, TestBroker};
use vestibule_tests::watched_store::{Yields, watched};

const CONNECTION: &str = "/tenants/acme/connections/idp";

/// A broker in which whatever is done at once really is.
async fn busy() -> TestBroker {
    let test = TestBroker::new().await;
    test.another_process(Some(watched(&test.store, Yields).0))
}

/// A new test login: where it is read, and its link as a path.
async fn make(test: &TestBroker) -> (String, String) {
    let made = test.admin(Method::POST, &format!("{CONNECTION}/test-login"), &Value::Null).await;
    let member = |name: &str| made[name].as_str().expect("a text").to_owned();
    let path = member("url").strip_prefix(ISSUER).expect("it is ours").to_owned();
    (format!("{CONNECTION}/test-logins/{}", member("id")), path)
}

async fn follow(test: &TestBroker, link: &str) -> (url::Url, String) {
    TestBroker::started(&test.get(link, "").await)
}

/// The whole of it: the page at the end.
async fn through(test: &TestBroker, link: &str) -> Reply {
    let (authorization, cookie) = follow(test, link).await;
    test.finish(&authorization, &cookie).await
}

async fn seen(test: &TestBroker, at: &str) -> Value {
    test.admin(Method::GET, at, &Value::Null).await
}

/// Everything that the tenant's directory and sessions hold.
async fn people(test: &TestBroker) -> usize {
    let mut found = test.store.list(&key::directory("acme"), "", None, 100).await.expect("a store").records.len();
    for number in 0..8 {
        let shard = key::SessionShard { tenant: "acme".to_owned(), number };
        found += test.store.list(&shard.partition(), "", None, 100).await.expect("a store").records.len();
    }
    found
}

/// From both sources, as they came; nobody is created or signed in. Also through a disabled connection.
#[tokio::test]
async fn claims_are_shown_and_nobody_is_signed_in() {
    let test = TestBroker::new().await;
    let groups = json!(["Engineering", "<b>Ops</b>"]);
    let account =
        Account::new("bob@corp.example", "password", "bob-1", "Bob").with_claim("https://claims/groups", groups);
    test.idp.add_account(account.with_claim("leaked", json!("eyJhbGciOiJub25lIn0.e30.AA")));
    for enabled in [true, false] {
        test.connect(&json!({"enabled": enabled})).await;
        let (at, link) = make(&test).await;
        assert_eq!(seen(&test, &at).await["state"], "waiting");
        let (authorization, cookie) = follow(&test, &link).await;
        let query = authorization.query().unwrap_or_default();
        for needed in ["code_challenge_method=S256", "nonce=", "state="] {
            assert!(query.contains(needed), "{query}");
        }
        assert!(cookie.starts_with("__Host-test-"), "{cookie}");
        assert_eq!(seen(&test, &at).await["state"], "waiting");
        let page = test.finish_as("bob@corp.example", &authorization, &cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let set: Vec<_> = page.headers.get_all("set-cookie").iter().collect();
        assert_eq!(set.len(), 1, "its own cookie is dropped, and no other set: {set:?}");
        for needed in ["ID token", "Userinfo", "https://claims/groups", "Engineering", "bob-1", "&lt;b&gt;Ops"] {
            assert!(page.body.contains(needed), "{needed}: {}", page.body);
        }
        let view = seen(&test, &at).await;
        assert_eq!((&view["state"], &view["claims"]["id_token"]["sub"]), (&json!("done"), &json!("bob-1")));
        assert_eq!(view["claims"]["id_token"]["iss"], "https://idp.example");
        assert_eq!(view["claims"]["userinfo"]["sub"], "bob-1");
        for secret in ["nonce", "at_hash", "eyJ"] {
            assert!(!page.body.contains(secret) && !view.to_string().contains(secret), "{secret}: {view}");
        }
        assert_eq!(people(&test).await, 0);
    }
    let reply = test.start_reply().await;
    assert!(reply.location().is_some_and(|to| to.as_str().contains("error=")), "it is disabled all the same");
}

/// One start, one answer; another browser's, another test's or a login's cookie does not do.
#[tokio::test]
async fn a_link_and_its_answer_work_once() {
    let test = busy().await;
    let (at, link) = make(&test).await;
    let starts = futures_util::future::join_all((0..8).map(|_| test.get(&link, ""))).await;
    let gone_on: Vec<_> = starts.iter().filter(|reply| reply.location().is_some()).collect();
    assert_eq!(gone_on.len(), 1);
    assert!(starts.iter().filter(|reply| reply.location().is_none()).all(|reply| reply.status == 400));
    let (authorization, cookie) = TestBroker::started(gone_on[0]);
    let back = test.idp.sign_in(authorization.as_str(), ALICE).await.expect("the provider signs in");
    let back = back.strip_prefix(ISSUER).expect("it leads back").to_owned();
    assert_eq!(test.get(&back, "").await.status, 400, "another browser");
    let as_login = cookie.replace("__Host-test-", "__Host-login-");
    assert_eq!(test.get(&back, &as_login).await.status, 400, "a test is no login");
    assert_eq!(seen(&test, &at).await["state"], "waiting");
    assert_eq!(test.get(&back, &cookie).await.status, 200);
    assert_eq!(test.get(&back, &cookie).await.status, 400, "a second answer");
    assert_eq!(seen(&test, &at).await["state"], "done");

    let (authorization, login) = test.start().await;
    let as_test = login.replace("__Host-login-", "__Host-test-");
    let page = test.finish(&authorization, &as_test).await;
    assert_eq!(page.status, 400, "a login is no test: {}", page.body);
    assert!(!page.body.contains("alice-1"), "{}", page.body);
    assert_eq!(people(&test).await, 0);
}

/// The link for a quarter of an hour, what it brought for another; then nothing of it is left.
#[tokio::test]
async fn a_test_login_ends_by_itself() {
    let test = TestBroker::new().await;
    let (at, link) = make(&test).await;
    test.clock.advance(Seconds(900));
    assert_eq!(test.get(&link, "").await.status, 400);
    assert_eq!(test.try_admin(Method::GET, &at, &Value::Null).await.status, 404);
    let (at, link) = make(&test).await;
    test.clock.advance(Seconds(899));
    test.idp_clock.advance(Seconds(1799));
    let (authorization, cookie) = follow(&test, &link).await;
    test.clock.advance(Seconds(599));
    test.idp_clock.advance(Seconds(599));
    assert_eq!(test.finish(&authorization, &cookie).await.status, 200);
    test.clock.advance(Seconds(899));
    assert_eq!(seen(&test, &at).await["state"], "done");
    test.clock.advance(Seconds(1));
    assert_eq!(test.try_admin(Method::GET, &at, &Value::Null).await.status, 404);
    let (_, link) = make(&test).await;
    let (authorization, cookie) = follow(&test, &link).await;
    test.clock.advance(Seconds(600));
    assert_eq!(test.finish(&authorization, &cookie).await.status, 400, "an answer that comes too late");
}

/// What is wrong with a connection is said in words, on the page and to the administrator.
#[tokio::test]
async fn what_is_wrong_is_said() {
    for (lie, words) in [
        (Lie::DiscoveryDown, "it answered 500"),
        (Lie::TokenEndpointFails, "an error at the token endpoint"),
        (Lie::AccessDenied, "access_denied"),
        (Lie::WrongAudience, "ID token aud"),
        (Lie::WrongNonce, "ID token nonce"),
        (Lie::OtherKey, "ID token signature"),
        (Lie::CallbackOtherIssuer, "another issuer"),
        (Lie::UserinfoOtherSubject, "another subject"),
    ] {
        let test = TestBroker::new().await;
        let (at, link) = make(&test).await;
        test.idp.lie(lie);
        let started = test.get(&link, "").await;
        let page = match started.location() {
            Some(_) => {
                let (authorization, cookie) = TestBroker::started(&started);
                test.finish(&authorization, &cookie).await
            }
            None => started,
        };
        assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{lie:?}: {}", page.body);
        assert!(page.body.contains(words), "{lie:?}: {}", page.body);
        let view = seen(&test, &at).await;
        assert_eq!((&view["state"], view.get("claims")), (&json!("failed"), None), "{lie:?}");
        assert!(view["reason"].as_str().is_some_and(|reason| reason.contains(words)), "{lie:?}: {view}");
        test.idp.be_honest();
        assert_eq!(test.get(&link, "").await.status, 400, "{lie:?}: it worked once");
    }
}

/// ED-10: claims are sealed in the store, the link's secret hashed; the audit log knows that it happened and no more.
#[tokio::test]
async fn claims_are_nobody_elses_business() {
    let test = TestBroker::new().await;
    let (at, link) = make(&test).await;
    assert_eq!(through(&test, &link).await.status, 200);
    let page = test.store.list(&key::tenant_partition("acme"), "test-login#", None, 10).await.expect("a store");
    assert_eq!(page.records.len(), 1);
    let secret = link.rsplit('.').next().expect("a secret");
    for private in ["alice", "Alice", "corp.example", secret] {
        assert!(!page.records[0].value.contains(private), "{private}: {}", page.records[0].value);
    }
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let log = test.try_admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
    let made = format!("\"object\":\"{at}\"");
    assert!(log.body.contains(&made) && !log.body.contains("alice") && !log.body.contains("signed_in"), "{}", log.body);
}

/// Another tenant's, another connection's and invented ones are not there.
#[tokio::test]
async fn a_test_login_is_its_connections_only() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    let (at, link) = make(&test).await;
    let id = at.rsplit('/').next().expect("an id");
    for path in [
        format!("/tenants/other/connections/idp/test-logins/{id}"),
        format!("/tenants/acme/connections/another/test-logins/{id}"),
        format!("{CONNECTION}/test-logins/none"),
        format!("{CONNECTION}/test-logins/a%23b"),
    ] {
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status, 404, "{path}");
    }
    for path in ["/tenants/other/connections/idp/test-login", "/tenants/acme/connections/none/test-login"] {
        assert_eq!(test.try_admin(Method::POST, path, &Value::Null).await.status, 404, "{path}");
    }
    let (handle, secret) = link.rsplit_once('.').expect("two parts");
    for wrong in
        [handle.to_owned(), format!("{handle}.{}", "A".repeat(43)), link.replace("vst_t", "vst_p"), format!("{link}x")]
    {
        assert_eq!(test.get(&wrong, "").await.status, 400, "{wrong} {secret}");
    }
    test.admin(Method::DELETE, CONNECTION, &Value::Null).await;
    let page = test.get(&link, "").await;
    assert!(page.status == StatusCode::BAD_GATEWAY && page.body.contains("was removed"), "{}", page.body);
}

/// What it brought can be tried with a mapping, in place of pasted claims; what is not done, and another's, cannot.
#[tokio::test]
async fn a_mapping_is_tried_with_what_came() {
    let test = TestBroker::new().await;
    let account = Account::new("bob@corp.example", "password", "bob-1", "Bob");
    test.idp.add_account(account.with_claim("groups", json!(["Engineering"])));
    let path = "/tenants/acme/mapping/preview";
    let rule = json!({"claim": "groups", "value": "*", "grants": "team"});
    let (at, link) = make(&test).await;
    let id = at.rsplit('/').next().expect("an id");
    let body = json!({"connection": "idp", "test_login": id, "mapping": {"rules": [rule]}});
    let waiting = test.try_admin(Method::POST, path, &body).await;
    assert_eq!(waiting.json()["problems"][0]["path"], "/test_login", "{}", waiting.body);
    let (authorization, cookie) = follow(&test, &link).await;
    assert_eq!(test.finish_as("bob@corp.example", &authorization, &cookie).await.status, 200);
    let preview = test.admin(Method::POST, path, &body).await;
    assert_eq!(
        (&preview["unique_id"], &preview["teams"][0]["name"]),
        (&json!("bob-1"), &json!("Engineering")),
        "{preview}"
    );
    for (member, value) in
        [("id_token", json!({"sub": "x"})), ("test_login", json!("none")), ("test_login", json!("a#b"))]
    {
        let mut wrong = body.clone();
        wrong[member] = value;
        let refused = test.try_admin(Method::POST, path, &wrong).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["problems"][0]["path"]),
            (400, &json!("/test_login")),
            "{wrong}"
        );
    }
}
