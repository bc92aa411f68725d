//! The audit log: what it is asked, how long it remembers, where from a request came.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::{TestBroker, claims};
use vestibule_web::ClientAddress;

const LOG: &str = "/tenants/acme/audit";

/// Everything that a question yields, page by page, and how many pages that took.
async fn asked(test: &TestBroker, query: &str) -> (Vec<Value>, usize) {
    let (mut events, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = test.admin(Method::GET, &format!("{LOG}?{query}{cursor}"), &Value::Null).await;
        pages += 1;
        events.extend(page["events"].as_array().expect("events").clone());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (events, pages),
        }
    }
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["kind"].as_str()).collect()
}

/// One person signs in on each of three days; the second day they are switched off and on by a token of its own.
async fn three_days(test: &TestBroker) -> (String, String) {
    let token = test.admin(Method::POST, "/tokens", &json!({ "name": "CI", "scopes": ["deployment"] })).await;
    let user = claims(&test.tokens().await["id_token"])["sub"].as_str().expect("a user").to_owned();
    test.audited(&[]).await;
    for day in 0..2 {
        test.clock.advance(Seconds(86_400));
        test.idp_clock.advance(Seconds(86_400));
        for active in (day == 0).then_some([false, true]).into_iter().flatten() {
            let request = Request::put(format!("/admin/v1/tenants/acme/users/{user}"));
            let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
            let body = Body::from(json!({ "active": active }).to_string());
            let sent = test.send(request.header(header::AUTHORIZATION, bearer).body(body).expect("a request")).await;
            assert_eq!(sent.status, 200, "{}", sent.body);
            // Events of one second have no order.
            test.clock.advance(Seconds(1));
        }
        test.tokens().await;
        test.audited(&[]).await;
    }
    (user, token["id"].as_str().expect("an id").to_owned())
}

/// By days, by what events say, and in pages: whatever the question, nothing is left out or told twice.
#[tokio::test]
async fn events_are_found_by_time_and_by_what_they_say() {
    let test = TestBroker::new().await;
    let (user, token) = three_days(&test).await;
    let (today, _) = asked(&test, "kind=signed_in").await;
    assert_eq!(today.len(), 1);
    let (all, _) = asked(&test, "from=2025-06-15").await;
    let (in_parts, pages) = asked(&test, "from=2025-06-15&limit=2").await;
    assert_eq!((&in_parts, pages >= all.len() / 2), (&all, true));
    let times: Vec<_> = all.iter().map(|event| event["time"].as_i64()).collect();
    assert!(times.is_sorted(), "oldest first");
    let (second, _) = asked(&test, "from=2025-06-16&until=2025-06-16&kind=user_activated,%20user_deactivated").await;
    assert_eq!(kinds(&second), ["user_deactivated", "user_activated"]);
    let (by_token, _) = asked(&test, &format!("from=2025-06-15&limit=1&actor={token}")).await;
    assert_eq!(by_token, second);
    let (about, _) = asked(&test, &format!("from=2025-06-15&user={user}&kind=signed_in")).await;
    assert_eq!(about.len(), 3);
    let of_session = format!("from=2025-06-15&session={}", about[0]["session"].as_str().expect("a session"));
    assert_eq!(kinds(&asked(&test, &of_session).await.0), ["signed_in", "session_ended"]);
    for nothing in ["user=nobody", "kind=nothing", "actor=nobody", "client=other", "connection=other", "request=none"] {
        assert_eq!(asked(&test, &format!("from=2025-06-15&{nothing}")).await.0, Vec::<Value>::new(), "{nothing}");
    }
    assert_eq!(asked(&test, "from=2025-06-17&until=2025-06-15").await.0, Vec::<Value>::new());
}

/// What cannot be asked is said, and where.
#[tokio::test]
async fn what_is_no_question_is_refused() {
    let test = TestBroker::new().await;
    let wrong = ["from=yesterday", "until=2025-02-30", "limit=0", "limit=1001", "limit=x", "cursor=x", "from=1&from=2"];
    for wrong in wrong {
        let reply = test.try_admin(Method::GET, &format!("{LOG}?{wrong}"), &Value::Null).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
    }
}

/// A tenant's log forgets when its tenant says, counted from each event.
#[tokio::test]
async fn events_are_kept_as_long_as_the_tenant_says() {
    let test = TestBroker::new().await;
    for wrong in [0, 3_651] {
        let reply = test.try_admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "audit_days": wrong })).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
    }
    test.tokens().await;
    test.audited(&[]).await;
    test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "audit_days": 30 })).await;
    test.tokens().await;
    let signed_in = async |test: &TestBroker| asked(test, "from=2025-06-15&kind=signed_in").await.0.len();
    test.audited(&[]).await;
    assert_eq!(signed_in(&test).await, 2);
    test.clock.advance(Seconds(29 * 86_400));
    assert_eq!(signed_in(&test).await, 2);
    test.clock.advance(Seconds(86_400));
    assert_eq!(signed_in(&test).await, 1, "the older one was to be kept for good");
}

/// An event says which request did it and from where; what the tick does has no such thing. A header that nobody was
/// told to believe is not believed.
#[tokio::test]
async fn events_say_where_from() {
    let test = TestBroker::new().await;
    let behind = test.with_settings(|config| {
        config.client_address_header = Some(header::HeaderName::from_static("x-forwarded-for"));
    });
    let put = async |broker: &TestBroker, name: &str| {
        let request = Request::put("/admin/v1/tenants/acme").extension(ClientAddress("192.0.2.7".to_owned()));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", vestibule_tests::in_process::ADMIN));
        let request = request.header("x-forwarded-for", "198.51.100.1, 203.0.113.9").header("x-request-id", "mine");
        let body = Body::from(json!({ "name": name }).to_string());
        let reply = broker.send(request.body(body).expect("a request")).await;
        reply.header("x-request-id").expect("an id").to_owned()
    };
    let (direct, proxied) = (put(&test, "One").await, put(&behind, "Two").await);
    assert!(direct != "mine" && direct != proxied);
    test.audited(&[]).await;
    for (id, address) in [(direct, "192.0.2.7"), (proxied, "203.0.113.9")] {
        let (events, _) = asked(&test, &format!("request={id}")).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0]["origin"]["address"], address);
    }
}

/// A change of the configuration says what was before and what is now, and never a secret.
#[tokio::test]
async fn changes_say_what_is_different() {
    let test = TestBroker::new().await;
    let put = async |secret: &str, name: &str, scopes: &[&str]| {
        let members = json!({ "name": name, "client_secret": secret, "scopes": scopes });
        test.connect(&members).await;
    };
    let secrets = ["a-secret-of-the-first-day", "a-secret-of-the-second-day"];
    put(secrets[0], "One", &["openid"]).await;
    put(secrets[1], "Two", &["openid", "email"]).await;
    test.audited(&[]).await;
    let (events, _) = asked(&test, "kind=configured").await;
    let last = events.iter().find(|event| event["differences"][0]["before"] == "One").expect("a change");
    let of = |name: &str| json!({ "name": name });
    let found = last["differences"].as_array().expect("differences").clone();
    let names: Vec<_> = found.iter().map(|difference| of(difference["name"].as_str().unwrap_or_default())).collect();
    assert_eq!(names, [of("name"), of("scopes")], "{found:?}");
    assert_eq!((&found[0]["before"], &found[0]["after"]), (&json!("One"), &json!("Two")));
    assert_eq!(found[1]["after"], r#"["openid","email"]"#);
    let everything = serde_json::to_string(&events).expect("JSON");
    assert!(secrets.iter().all(|secret| !everything.contains(secret)), "{everything}");
}

/// An export is the same events, a line each, with a link to the rest as long as there is one.
#[tokio::test]
async fn events_are_exported_line_by_line() {
    let test = TestBroker::new().await;
    let (user, _) = three_days(&test).await;
    let (events, _) = asked(&test, &format!("from=2025-06-15&user={user}")).await;
    let (mut lines, mut next) = (Vec::new(), format!("?from=2025-06-15&limit=2&user={user}"));
    loop {
        let page = test.try_admin(Method::GET, &format!("{LOG}/export{next}"), &Value::Null).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("application/x-ndjson")));
        assert!(page.body.is_empty() || page.body.ends_with('\n'));
        lines.extend(page.body.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
        let Some(link) = page.header("link") else { break };
        let there = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        next = there.expect("a link to the next page").to_owned();
    }
    assert_eq!(lines, events);
    let wrong = test.try_admin(Method::GET, &format!("{LOG}/export?from=x"), &Value::Null).await;
    assert_eq!(wrong.status, 400);
}
