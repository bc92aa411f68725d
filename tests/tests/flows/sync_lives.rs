//! How long sessions live whose identity provider cannot be asked again.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_tests::in_process::TestBroker;

async fn lives(test: &TestBroker) -> Value {
    test.tokens().await["refresh_token_expires_in"].clone()
}

async fn set(test: &TestBroker, lifetimes: Value) -> StatusCode {
    test.try_admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "lifetimes": lifetimes })).await.status
}

/// CK-4, CK-6: a session that nobody can be asked about lives for half a day, or as its tenant says; never longer than others.
#[tokio::test]
async fn a_session_that_cannot_be_watched_is_shorter() {
    let (unwatched, watched) = (TestBroker::unwatched().await, TestBroker::new().await);
    for (lifetimes, short, long) in [
        (json!({}), 43_200, 604_800),
        (json!({ "session": 3_600 }), 3_600, 3_600),
        (json!({ "session_unwatched": 600 }), 600, 604_800),
        (json!({ "session_unwatched": 604_800 }), 604_800, 604_800),
        (json!({ "session_unwatched": 86_400, "session": 7_200 }), 7_200, 7_200),
    ] {
        for (test, life) in [(&unwatched, short), (&watched, long)] {
            assert!(set(test, lifetimes.clone()).await.is_success());
            assert_eq!(lives(test).await, json!(life), "{lifetimes}");
        }
    }
    assert_eq!((unwatched.among_sessions("watch#").await, watched.among_sessions("watch#").await), (0, 5));
    for impossible in [599, 604_801] {
        assert_eq!(set(&unwatched, json!({ "session_unwatched": impossible })).await, StatusCode::BAD_REQUEST);
    }
}

/// A session that waited at a checkpoint is watched from its sign-in on, and examined with what was kept there.
#[tokio::test]
async fn a_sign_in_that_waited_is_watched() {
    let test = TestBroker::new().await;
    let asks = json!({ "name": "Acme", "checkpoint": { "justification": { "prompt": "Why?", "min_length": 1 } } });
    test.admin(Method::PUT, "/tenants/acme", &asks).await;
    let (authorization, login) = test.start().await;
    let waits = test.finish(&authorization, &login).await;
    let cookie = waits.set_cookies().into_iter().find(|cookie| cookie.contains("checkpoint")).expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let page = waits.location().expect("a page");
    let id = page.query_pairs().find(|(name, _)| name == "login").expect("an id").1.into_owned();
    assert_eq!(test.among_sessions("watch#").await, 0);
    let form = format!("login={id}&justification=because");
    let request = http::Request::post("/oauth2/checkpoint")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie)
        .header("origin", "https://sso.example")
        .header("sec-fetch-site", "same-origin");
    let reply = test.send(request.body(form.into()).expect("a request")).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.body);
    assert_eq!((test.among_sessions("watch#").await, test.minutes(15).await), (1, 1));
    assert_eq!(test.idp.unexpected(), Vec::<String>::new());
}
