//! A tenant's tokens for SCIM in time: they end, are rotated and deleted; how much a second its directories may ask.

use std::sync::Arc;

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::scim::access::{self, ScimCaller};
use vestibule_core::store::{Store, StoreError, key};
use vestibule_protocol::time::{Seconds, Timestamp};
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::watched_store::{Call, Watch, Yields, watched};

const TOKENS: &str = "/tenants/acme/scim-tokens";

/// A broker in which whatever is done at once really is.
async fn busy() -> TestBroker {
    let test = TestBroker::new().await;
    test.another_process(Some(watched(&test.store, Yields).0))
}

async fn make(test: &TestBroker, members: Value) -> (String, String) {
    let mut body = json!({"name": "Entra"});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    id_and_token(&test.admin(Method::POST, TOKENS, &body).await)
}

fn id_and_token(made: &Value) -> (String, String) {
    let member = |name: &str| made[name].as_str().expect("a text").to_owned();
    (member("id"), member("token"))
}

/// Who is let in, or the status of the refusal.
async fn enter(test: &TestBroker, token: &str) -> Result<ScimCaller, u16> {
    access::admit(&test.broker, Some(token)).await.map_err(|error| match error {
        vestibule_core::Error::Scim(error) => error.status,
        other => panic!("{other:?}"),
    })
}

async fn status(test: &TestBroker, token: &str) -> u16 {
    enter(test, token).await.map_or_else(|status| status, |_| 200)
}

fn now(test: &TestBroker) -> i64 {
    test.broker.platform.clock.now().seconds()
}

/// SC-2: one answer for everything that is no token, and for what opens something else.
#[tokio::test]
async fn only_a_tokens_bearer_is_let_in() {
    let test = TestBroker::new().await;
    let (id, token) = make(&test, json!({"connection": "idp"})).await;
    let caller = enter(&test, &token).await.expect("it is let in");
    assert_eq!((caller.tenant.as_str(), caller.name.as_str(), caller.id), ("acme", "Entra", id));
    assert_eq!(caller.connection.as_deref(), Some("idp"));
    let (locator, secret) = token.split_once('.').expect("two parts");
    let forged = "vst_p_b3RoZXI6YQ";
    let tokens = test.tokens().await;
    let admin = test.admin(Method::POST, "/tokens", &json!({"name": "A", "scopes": ["deployment"]})).await;
    for wrong in [
        "",
        "x",
        locator,
        &format!("{locator}."),
        &format!("{locator}.{}", "A".repeat(43)),
        &format!("{forged}.{secret}"),
        &token.replace("vst_p", "vst_a"),
        &format!("{token} "),
        vestibule_tests::in_process::ADMIN,
        admin["token"].as_str().expect("a token"),
        tokens["access_token"].as_str().expect("a token"),
        tokens["id_token"].as_str().expect("a token"),
        tokens["refresh_token"].as_str().expect("a token"),
    ] {
        assert_eq!(status(&test, wrong).await, 401, "{wrong}");
    }
    assert!(access::admit(&test.broker, None).await.is_err());
}

/// SC-2: a token's text names its tenant, and only there its secret counts.
#[tokio::test]
async fn a_token_is_its_tenants_only() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    let (id, token) = make(&test, json!({})).await;
    let made = test.admin(Method::POST, "/tenants/other/scim-tokens", &json!({"name": "Okta"})).await;
    let (other, theirs) = id_and_token(&made);
    assert_eq!(enter(&test, &theirs).await.expect("it is let in").tenant, "other");
    let swapped = |locator: &str, secret: &str| {
        format!("{}.{}", locator.split('.').next().expect("a part"), secret.split('.').nth(1).expect("a part"))
    };
    assert_eq!(status(&test, &swapped(&token, &theirs)).await, 401);
    for (tenant, id) in [("acme", &other), ("other", &id)] {
        let path = format!("/tenants/{tenant}/scim-tokens/{id}");
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status, 404);
        assert_eq!(test.try_admin(Method::DELETE, &path, &Value::Null).await.status, 404);
        let rotated = test.try_admin(Method::POST, &format!("{path}/rotate"), &json!({})).await;
        assert_eq!(rotated.status, 404);
    }
    assert_eq!((status(&test, &token).await, status(&test, &theirs).await), (200, 200));
    test.admin(Method::DELETE, "/tenants/acme", &Value::Null).await;
    assert_eq!((status(&test, &token).await, status(&test, &theirs).await), (401, 200), "a removed tenant's");
}

#[tokio::test]
async fn a_token_ends_when_it_says_and_when_it_is_deleted() {
    let test = TestBroker::new().await;
    let (_, short) = make(&test, json!({"expires_at": now(&test) + 3600})).await;
    let (id, other) = make(&test, json!({})).await;
    let elsewhere = test.another_process(None);
    assert_eq!((status(&elsewhere, &short).await, status(&elsewhere, &other).await), (200, 200));
    test.admin(Method::DELETE, &format!("{TOKENS}/{id}"), &Value::Null).await;
    assert_eq!((status(&elsewhere, &short).await, status(&elsewhere, &other).await), (200, 401), "at once, everywhere");
    test.clock.advance(Seconds(3599));
    assert_eq!(status(&elsewhere, &short).await, 200);
    test.clock.advance(Seconds(1));
    assert_eq!(status(&elsewhere, &short).await, 401);
    assert_eq!(test.admin(Method::GET, TOKENS, &Value::Null).await["items"], json!([]));
}

/// The old one ends at once, or after the overlap, and never later than it would have.
#[tokio::test]
async fn a_token_can_be_rotated() {
    let test = TestBroker::new().await;
    let rotate =
        async |id: &str, overlap: Value| test.try_admin(Method::POST, &format!("{TOKENS}/{id}/rotate"), &overlap).await;
    let (first_id, first) = make(&test, json!({"connection": "idp", "expires_at": now(&test) + 86_400})).await;
    let reply = rotate(&first_id, json!({})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let (second_id, second) = id_and_token(&reply.json());
    assert_eq!((status(&test, &first).await, status(&test, &second).await), (401, 200));
    assert_eq!((&reply.json()["name"], &reply.json()["connection"]), (&json!("Entra"), &json!("idp")));
    assert_eq!(reply.json()["expires_at"], now(&test) + 86_400);
    assert_eq!(rotate(&first_id, json!({})).await.status, 404);

    test.clock.advance(Seconds(3600));
    let reply = rotate(&second_id, json!({"overlap_seconds": 7200})).await;
    let (third_id, third) = id_and_token(&reply.json());
    assert_eq!(reply.json()["expires_at"], now(&test) + 86_400, "as long as the old one was made for");
    assert_eq!((status(&test, &second).await, status(&test, &third).await), (200, 200));
    let old = test.admin(Method::GET, &format!("{TOKENS}/{second_id}"), &Value::Null).await;
    assert_eq!((&old["replaced_by"], &old["expires_at"]), (&json!(third_id), &json!(now(&test) + 7200)));
    let again = rotate(&second_id, json!({"overlap_seconds": 60})).await;
    assert_eq!(again.status, 400, "there is one successor: {}", again.body);
    test.clock.advance(Seconds(7200));
    assert_eq!((status(&test, &second).await, status(&test, &third).await), (401, 200));

    let (id, late) = make(&test, json!({"expires_at": now(&test) + 600})).await;
    rotate(&id, json!({"overlap_seconds": 3600})).await;
    test.clock.advance(Seconds(600));
    assert_eq!(status(&test, &late).await, 401, "an overlap makes no life longer");
    for wrong in
        [json!({"overlap_seconds": -1}), json!({"overlap_seconds": 604_801}), json!({"expires_at": now(&test)})]
    {
        assert_eq!(rotate(&third_id, wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(status(&test, &third).await, 200);
}

/// Two administrators at once: one new token, and the old one is not left behind.
#[tokio::test]
async fn of_two_rotations_one_succeeds() {
    for overlap in [0, 600] {
        let test = busy().await;
        let (id, old) = make(&test, json!({})).await;
        let (path, body) = (format!("{TOKENS}/{id}/rotate"), json!({"overlap_seconds": overlap}));
        let rotations = (0..10).map(|_| test.try_admin(Method::POST, &path, &body));
        let replies = futures_util::future::join_all(rotations).await;
        let made: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(status(&test, &id_and_token(&made[0].json()).1).await, 200);
        assert_eq!(status(&test, &old).await, if overlap == 0 { 401 } else { 200 });
        let listed = test.admin(Method::GET, TOKENS, &Value::Null).await;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(if overlap == 0 { 1 } else { 2 }));
    }
}

/// A token is deleted right before its use is noted.
struct DeletedFirst(Arc<dyn Store>, String);

#[async_trait]
impl Watch for DeletedFirst {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("tenant") {
            key::scim_token("acme", &self.1).take(&*self.0).await?;
        }
        Ok(())
    }
}

/// Its last use is written once an hour, and a use that races a delete does not bring a token back.
#[tokio::test]
async fn use_is_noted_and_revives_nothing() {
    let test = TestBroker::new().await;
    let (id, token) = make(&test, json!({})).await;
    let version = async || {
        let found = key::scim_token("acme", &id).get(&*test.store).await.expect("a store").expect("a token");
        (found.version, found.value.last_used_at.map(Timestamp::seconds))
    };
    assert_eq!(version().await.1, None);
    enter(&test, &token).await.expect("it is let in");
    let (first, used) = version().await;
    assert_eq!(used, Some(now(&test) - now(&test).rem_euclid(3600)));
    for _ in 0..5 {
        enter(&test, &token).await.expect("it is let in");
    }
    assert_eq!(version().await.0, first, "nothing was written");
    test.clock.advance(Seconds(3600));
    let late = test.another_process(Some(watched(&test.store, DeletedFirst(Arc::clone(&test.store), id.clone())).0));
    enter(&late, &token).await.expect("it was there when it was read");
    assert_eq!(status(&test, &token).await, 401);
    assert!(key::scim_token("acme", &id).get(&*test.store).await.expect("a store").is_none());
}

/// TK-3, ED-10: what is stored and shown of a token opens nothing.
#[tokio::test]
async fn a_token_is_stored_hashed_and_shown_once() {
    let test = TestBroker::new().await;
    let (id, token) = make(&test, json!({})).await;
    let secret = token.split_once('.').expect("two parts").1;
    let page = test.store.list(&key::tenant_partition("acme"), key::SCIM_TOKEN, None, 10).await.expect("a store");
    assert_eq!(page.records.len(), 1);
    let stored: Value = serde_json::from_str(&page.records[0].value).expect("JSON");
    assert!(!page.records[0].value.contains(secret), "{stored}");
    assert_eq!(status(&test, &token.replace(secret, stored["secret"].as_str().expect("a hash"))).await, 401);
    for path in [TOKENS, &format!("{TOKENS}/{id}")] {
        let shown = test.try_admin(Method::GET, path, &Value::Null).await;
        assert!(!shown.body.contains(secret) && !shown.body.contains("\"secret\""), "{}", shown.body);
    }
    let refused = [
        (json!({"name": ""}), "/name"),
        (json!({"name": "x", "expires_at": now(&test)}), "/expires_at"),
        (json!({"name": "x", "connection": "nowhere"}), "/connection"),
        (json!({"name": "x", "connection": "../x"}), "/connection"),
    ];
    for (body, path) in refused {
        let reply = test.try_admin(Method::POST, TOKENS, &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["problems"][0]["path"]), (400, &json!(path)), "{body}");
    }
    for _ in 1..20 {
        make(&test, json!({})).await;
    }
    assert_eq!(test.try_admin(Method::POST, TOKENS, &json!({"name": "21"})).await.status, 400);
    let rotate = format!("{TOKENS}/{id}/rotate");
    assert_eq!(test.try_admin(Method::POST, &rotate, &json!({"overlap_seconds": 60})).await.status, 400);
    assert_eq!(test.try_admin(Method::POST, &rotate, &json!({})).await.status, 200);
}

/// SC-20: by tenant, whichever of its tokens; 25 a second go through by far.
#[tokio::test]
async fn too_many_requests_are_put_off() {
    let test = TestBroker::new().await;
    let ((_, one), (_, two)) = (make(&test, json!({})).await, make(&test, json!({})).await);
    let asked = async |token: &str, times: usize| {
        let mut answers = Vec::new();
        for _ in 0..times {
            answers.push(status(&test, token).await);
        }
        answers.iter().filter(|status| **status == 200).count()
    };
    assert_eq!(asked(&one, 150).await, 150);
    assert_eq!(asked(&two, 100).await, 50, "twice the hundred at once");
    assert_eq!(status(&test, &one).await, 429);
    assert_eq!(status(&test, "wrong").await, 401, "whoever has no token learns nothing of it");
    test.clock.advance(Seconds(1));
    assert_eq!(asked(&one, 150).await, 100);
    let tenant = json!({"name": "Acme", "provisioning": {"scim_requests_per_second": 1}});
    test.admin(Method::PUT, "/tenants/acme", &tenant).await;
    test.clock.advance(Seconds(60));
    assert_eq!(asked(&one, 10).await, 2);
    for wrong in [0, 50_001] {
        let tenant = json!({"name": "Acme", "provisioning": {"scim_requests_per_second": wrong}});
        let reply = test.try_admin(Method::PUT, "/tenants/acme", &tenant).await;
        assert_eq!(reply.json()["problems"][0]["path"], "/provisioning/scim_requests_per_second");
    }
}
