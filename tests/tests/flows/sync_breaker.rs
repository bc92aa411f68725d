//! Too many people gone at once, limits of a connection, and how its examinations go, as an administrator sees it.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::{Account, Canned};
use vestibule_tests::in_process::{TestBroker, signed_in};

const SYNC: &str = "/tenants/acme/connections/idp/sync";
const PEOPLE: usize = 30;

fn name(number: usize) -> String {
    format!("p{number}@corp.example")
}

/// Thirty people who signed in and were examined once; our ids of them.
async fn crowd() -> (TestBroker, Vec<String>) {
    let test = TestBroker::new().await;
    for number in 0..PEOPLE {
        test.idp.add_account(Account::new(&name(number), "password", &format!("subject-{number}"), "Somebody"));
        let (authorization, login) = test.start().await;
        signed_in(&test.finish_as(&name(number), &authorization, &login).await);
    }
    assert_eq!(test.minutes(15).await, 30);
    let page = test.admin(Method::GET, "/tenants/acme/users?limit=100", &Value::Null).await;
    let ids =
        page["items"].as_array().expect("people").iter().map(|user| user["id"].as_str().expect("an id").to_owned());
    (test, ids.collect())
}

fn switch_all(test: &TestBroker, active: bool) {
    (0..PEOPLE).for_each(|number| test.idp.set_active(&name(number), active));
}

async fn active(test: &TestBroker, people: &[String]) -> usize {
    let mut active = 0;
    for id in people {
        active += usize::from(test.is_active(id).await);
    }
    active
}

async fn status(test: &TestBroker) -> Value {
    test.admin(Method::GET, SYNC, &Value::Null).await
}

/// Whom the stopped decommissions would be of, by pages.
async fn held(test: &TestBroker) -> Vec<Value> {
    let (mut held, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = test.admin(Method::GET, &format!("{SYNC}/held?limit=2{cursor}"), &Value::Null).await;
        held.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { return held };
        cursor = format!("&cursor={next}");
    }
}

async fn resume(test: &TestBroker, held: &str) -> StatusCode {
    test.try_admin(Method::POST, &format!("{SYNC}/resume"), &json!({ "held": held })).await.status
}

/// ED-6: when a provider does not know anybody any more, fewer than ten are out, and the rest waits for an administrator.
#[tokio::test]
async fn a_mass_deactivation_stops_and_waits() {
    let (test, people) = crowd().await;
    switch_all(&test, false);
    test.minutes(15).await;
    let left = active(&test, &people).await;
    assert!(left > PEOPLE - 10 && left < PEOPLE, "{left}");
    let stopped = status(&test).await["stopped"].clone();
    assert!(stopped["people"].as_u64() >= Some(10) && stopped["examined"] == 30, "{stopped}");
    let waiting = held(&test).await;
    assert!(!waiting.is_empty() && waiting.len() < 10);
    assert!(
        waiting.iter().all(
            |one| one["evidence"] == "tokens_refused" && people.contains(&one["user"].to_string().replace('"', ""))
        )
    );
    let asked = test.idp.requests("/token");
    assert_eq!(test.audited(&["sync_stopped"]).await.len(), 1);
    assert_eq!((active(&test, &people).await, test.idp.requests("/token")), (left, asked), "nobody is asked about");

    assert_eq!(resume(&test, "carry_out").await, StatusCode::OK);
    test.minutes(15).await;
    assert_eq!((active(&test, &people).await, held(&test).await.len()), (0, 0));
    let events = test.audited(&["sync_resumed", "user_deactivated"]).await;
    let by = events.iter().filter(|event| event["kind"] == "sync_resumed" && event["held"] == "carry_out");
    assert_eq!((by.count(), events.len()), (1, 1 + PEOPLE));
    assert_eq!(status(&test).await["decommissioned"], 30);
}

/// The provider was mended: what was found is forgotten, and everybody is asked about again.
#[tokio::test]
async fn a_mistake_can_be_discarded() {
    let (test, people) = crowd().await;
    switch_all(&test, false);
    test.minutes(15).await;
    let left = active(&test, &people).await;
    switch_all(&test, true);
    assert_eq!(resume(&test, "discard").await, StatusCode::OK);
    assert_eq!(test.minutes(15).await, u32::try_from(left).expect("few"));
    assert_eq!((active(&test, &people).await, held(&test).await.len()), (left, 0));
    assert_eq!(test.among_sessions("session#").await, left);
    switch_all(&test, false);
    test.minutes(30).await;
    assert!(status(&test).await["stopped"].is_object(), "it stops again");
}

/// Nothing is resumed that was not stopped, and nothing is that no administrator can mean.
#[tokio::test]
async fn what_is_not_stopped_is_not_resumed() {
    let (test, _) = crowd().await;
    assert_eq!(resume(&test, "carry_out").await, StatusCode::CONFLICT);
    assert_eq!(resume(&test, "yes").await, StatusCode::BAD_REQUEST);
    for path in ["/tenants/acme/connections/none/sync", "/tenants/none/connections/idp/sync"] {
        assert_eq!(test.try_admin(Method::GET, path, &Value::Null).await.status, StatusCode::NOT_FOUND);
        let held = test.try_admin(Method::GET, &format!("{path}/held"), &Value::Null).await;
        assert_eq!(held.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(test.audited(&["sync_resumed"]).await.len(), 0);
}

/// A connection's limits are its own; impossible ones are refused, all at once.
#[tokio::test]
async fn limits_are_kept() {
    let test = TestBroker::new().await;
    for _ in 0..6 {
        test.sign_in().await;
    }
    let limited = |sync: Value| json!({ "sync": sync });
    test.connect(&limited(json!({ "per_minute": 2 }))).await;
    assert_eq!((test.minutes(15).await, test.minutes(15).await, test.minutes(15).await), (2, 2, 2));
    assert!(status(&test).await["lag_seconds"].as_i64() > Some(29 * 60));
    test.connect(&limited(json!({ "at_once": 1 }))).await;
    test.minutes(1).await;
    assert_eq!(test.minutes(14).await, 6, "in two steps");
    let mut broken = limited(json!({ "at_once": 7, "per_minute": 0, "breaker": { "percent": 0, "people": 0 } }));
    broken["name"] = json!("Acme login");
    for (member, value) in [("protocol", "oidc"), ("issuer", "https://idp.example"), ("client_id", "broker")] {
        broken[member] = json!(value);
    }
    broken["client_auth"] = json!("client_secret_basic");
    let reply = test.try_admin(Method::PUT, "/tenants/acme/connections/idp", &broken).await;
    let problems = reply.json()["problems"].as_array().map(Vec::len);
    assert_eq!((reply.status, problems), (StatusCode::BAD_REQUEST, Some(4)), "{}", reply.body);
}

/// What happened is counted, errors by their kind; a provider that does not answer is left alone for a minute.
#[tokio::test]
async fn what_happened_is_counted() {
    let (test, _) = crowd().await;
    let before = status(&test).await;
    assert_eq!((&before["asks_for_refresh_tokens"], &before["has_status_probe"]), (&json!(true), &json!(false)));
    assert_eq!((&before["examined"], &before["vouched"], &before["deferred"]), (&json!(30), &json!(30), &json!(0)));
    assert!(before["lag_seconds"].as_i64() <= Some(15 * 60) && before["paused_until"].is_null(), "{before}");
    let mut down = Canned::new("text/plain", "");
    down.status = StatusCode::SERVICE_UNAVAILABLE;
    test.idp.answer_with("/token", down);
    test.minutes(15).await;
    let after = status(&test).await;
    assert!(after["troubles"]["failing"].as_u64() > Some(1) && after["vouched"] == 30, "{after}");
    assert_eq!(after["troubles"]["failing"], after["deferred"]);
    test.idp.be_honest();
    test.minutes(60).await;
    let later = status(&test).await;
    assert_eq!((&later["deferred"], &later["ended"]), (&after["deferred"], &json!(0)));
    assert!(later["vouched"].as_u64() >= Some(90), "{later}");
}
