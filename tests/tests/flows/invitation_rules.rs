//! What an administrator may do with invitations, and where a link leads on to.

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, TestBroker};

const ALL: &str = "/tenants/acme/invitations";

async fn inviting() -> TestBroker {
    let test = TestBroker::new().await;
    test.set_mode("invite_only").await;
    test
}

async fn invite(test: &TestBroker, body: &Value) -> Value {
    test.admin(Method::POST, ALL, body).await
}

/// What is wrong, by its place; nothing when it was made.
async fn problems(test: &TestBroker, body: &Value) -> Vec<String> {
    let reply = test.try_admin(Method::POST, ALL, body).await;
    if reply.status == StatusCode::CREATED {
        return Vec::new();
    }
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.body);
    let problems = reply.json()["problems"].clone();
    let paths = problems.as_array().expect("problems").iter();
    paths.map(|problem| problem["path"].as_str().expect("a path").to_owned()).collect()
}

#[tokio::test]
async fn what_cannot_be_right_is_told_at_once() {
    let test = inviting().await;
    for wrong in ["", "alice", "@corp.example", "alice@corp", "al ice@corp.example", "\u{e9}@corp.example", "a@b.c\n"] {
        assert_eq!(problems(&test, &json!({"email": wrong})).await, ["/email"], "{wrong}");
    }
    for wrong in [0, 59, 2_592_001] {
        assert_eq!(problems(&test, &json!({"email": ALICE, "expires_in": wrong})).await, ["/expires_in"]);
    }
    let wrong = json!({
        "email": "x", "expires_in": 1, "client": "nobody", "roles": [" "], "teams": ["a", "a"], "surprise": 1,
    });
    let mut all = problems(&test, &wrong).await;
    all.sort_unstable();
    assert_eq!(all, ["/client", "/email", "/expires_in", "/roles/0", "/surprise", "/teams/1"]);
    let other = json!({"name": "B", "tenants": ["b"], "redirect_uris": ["https://b.example/"], "client_auth": "none"});
    test.admin(Method::PUT, "/clients/b", &other).await;
    assert_eq!(problems(&test, &json!({"email": ALICE, "client": "b"})).await, ["/client"], "another tenant's");
    assert!(problems(&test, &json!({"email": ALICE, "client": "app", "expires_in": 60})).await.is_empty());
}

#[tokio::test]
async fn one_invitation_waits_for_an_address() {
    let test = inviting().await;
    let first = invite(&test, &json!({"email": ALICE, "expires_in": 60})).await;
    let first = format!("{ALL}/{}", first["id"].as_str().expect("an id"));
    assert_eq!(problems(&test, &json!({"email": "ALICE@CORP.example"})).await, ["/email"]);
    test.admin(Method::DELETE, &first, &Value::Null).await;
    test.admin(Method::DELETE, &first, &Value::Null).await;
    let second = invite(&test, &json!({"email": ALICE, "expires_in": 60})).await;
    let second = format!("{ALL}/{}", second["id"].as_str().expect("an id"));
    // One that has expired makes room, and does not come back beside the next.
    test.clock.advance(Seconds(61));
    let third = invite(&test, &json!({"email": ALICE})).await;
    let resent = test.try_admin(Method::POST, &format!("{second}/resend"), &json!({})).await;
    assert_eq!(resent.status, StatusCode::BAD_REQUEST, "{}", resent.body);
    // Nor does revoking it make room beside the one that waits.
    test.admin(Method::DELETE, &second, &Value::Null).await;
    assert_eq!(problems(&test, &json!({"email": ALICE})).await, ["/email"]);
    let list = test.admin(Method::GET, ALL, &Value::Null).await;
    let mut states: Vec<_> = list["items"].as_array().expect("a list").iter().map(|item| &item["state"]).collect();
    states.sort_by_key(ToString::to_string);
    assert_eq!(states, ["pending", "revoked", "revoked"]);
    test.clock.advance(Seconds(98 * 86_400));
    let gone = format!("{ALL}/{}", third["id"].as_str().expect("an id"));
    assert_eq!(test.try_admin(Method::GET, &gone, &Value::Null).await.status, StatusCode::NOT_FOUND);
}

/// ED-1: of twenty administrators who invite one address at once, one does.
#[tokio::test]
async fn parallel_invitations_of_an_address_make_one() {
    let test = inviting().await;
    let body = json!({"email": ALICE});
    let replies = (0..20).map(|_| test.try_admin(Method::POST, ALL, &body));
    let replies = futures_util::future::join_all(replies).await;
    let made = replies.iter().filter(|reply| reply.status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    assert!(replies.iter().all(|reply| matches!(reply.status.as_u16(), 201 | 400 | 409)));
}

/// Inviting is one road of three; what was sent waits for the mode to come back.
#[tokio::test]
async fn only_a_tenant_that_invites_invites() {
    let test = inviting().await;
    let made = invite(&test, &json!({"email": ALICE})).await;
    let link = made["link"].as_str().expect("a link").to_owned();
    let path = format!("{ALL}/{}", made["id"].as_str().expect("an id"));
    for mode in ["just_in_time", "scim"] {
        test.set_mode(mode).await;
        for (path, body) in [(ALL, json!({"email": "b@corp.example"})), (&*format!("{path}/resend"), json!({}))] {
            let reply = test.try_admin(Method::POST, path, &body).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST);
            assert!(reply.body.contains("not invite_only"), "{}", reply.body);
        }
        assert_eq!(test.get(&link, "").await.status, StatusCode::NOT_FOUND, "{mode}");
        assert_eq!(test.admin(Method::GET, &path, &Value::Null).await["state"], "pending");
    }
    test.set_mode("invite_only").await;
    assert_eq!(test.get(&link, "").await.status, StatusCode::OK);
    for path in [format!("{ALL}/nobody"), format!("{ALL}/a%23b"), "/tenants/none/invitations/x".to_owned()] {
        assert_eq!(test.try_admin(Method::GET, &path, &Value::Null).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(test.try_admin(Method::DELETE, &path, &Value::Null).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn one_that_was_accepted_stays_so() {
    let test = inviting().await;
    let made = invite(&test, &json!({"email": ALICE})).await;
    let (authorization, login) =
        TestBroker::started(&test.authorize(&[], &cookie(&press(&test, &made["link"]).await)).await);
    assert_eq!(test.finish(&authorization, &login).await.status, StatusCode::SEE_OTHER);
    let path = format!("{ALL}/{}", made["id"].as_str().expect("an id"));
    for (method, path) in [(Method::DELETE, path.clone()), (Method::POST, format!("{path}/resend"))] {
        let reply = test.try_admin(method, &path, &json!({})).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.body.contains("was accepted"), "{}", reply.body);
    }
    assert!(problems(&test, &json!({"email": ALICE})).await.is_empty(), "the address is free again");
}

async fn press(test: &TestBroker, link: &Value) -> Reply {
    let token = link.as_str().and_then(|link| link.split_once("token=")).expect("a token").1;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let request = Request::post("/oauth2/invitation").header("sec-fetch-site", "same-origin");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    test.send(request.body(Body::from(body)).expect("a request")).await
}

fn cookie(reply: &Reply) -> String {
    let set = reply.set_cookies();
    set.first().and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned()
}

/// To the application's own beginning, with what it needs to ask for the right login; a page where there is none.
#[tokio::test]
async fn the_link_leads_on_to_the_application() {
    let test = inviting().await;
    let app = json!({
        "name": "Planning", "redirect_uris": ["https://app.example/cb"], "client_auth": "none",
        "initiate_login_uri": "https://app.example/start?from=mail",
    });
    test.admin(Method::PUT, "/clients/begun", &app).await;
    let link = async |client: Value, address: &str| {
        invite(&test, &json!({"email": address, "client": client})).await["link"].clone()
    };
    let begun = link(json!("begun"), "a@corp.example").await;
    let page = test.get(begun.as_str().expect("a link"), "").await;
    assert!(page.body.contains("Acme") && page.body.contains("Planning") && !page.body.contains("a@corp"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let reply = press(&test, &begun).await;
    let to = reply.location().expect("a redirect");
    assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
    let query = "from=mail&iss=https%3A%2F%2Fsso.example&tenant=acme&connection=idp";
    assert_eq!(to.as_str(), format!("https://app.example/start?{query}"));
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    let to = press(&test, &begun).await.location().expect("a redirect");
    assert!(!to.as_str().contains("connection="), "the person chooses: {to}");
    for (client, words) in [(json!("app"), "<strong>App</strong>"), (Value::Null, "the application that you were")] {
        let address = format!("{}@corp.example", words.len());
        let reply = press(&test, &link(client, &address).await).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.body.contains(words) && reply.body.contains("30 minutes"), "{}", reply.body);
    }
}
