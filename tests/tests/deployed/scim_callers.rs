//! Who may speak SCIM, at the routes of SCIM themselves.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::scim::Directory;
use vestibule_tests::{Reply, World};

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

async fn with(directory: &Directory, token: Option<&str>, method: Method, path: &str) -> Reply {
    let request = directory.anonymous(method, path);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Reply::of(request).await
}

async fn status(directory: &Directory, token: &str) -> u16 {
    with(directory, Some(token), Method::GET, "/Users").await.status.as_u16()
}

/// An OAuth client of the tenant, and what the token endpoint gives it.
async fn oauth(directory: &Directory) -> (String, String) {
    let clients = format!("/tenants/{}/scim-clients", directory.tenant);
    let body = json!({ "name": "Entra", "client_auth": "client_secret_post" });
    let made = directory.broker.admin(Method::POST, &clients, Some(&body)).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("scope", "scim"),
        ("client_id", &made.text("client_id")),
        ("client_secret", &made.text("client_secret")),
    ];
    let reply = Reply::of(directory.broker.request(Method::POST, "/oauth2/token").form(&form)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    (format!("{clients}/{}", made.text("client_id")), reply.text("access_token"))
}

/// SC-2, SC-3: no token, somebody else's, and tokens for other things.
#[tokio::test]
async fn whoever_has_no_token_is_told_so() {
    let world = World::new().await;
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let person = world.tokens().await;
    let (_, administrator) = world.broker.token(&["deployment"]).await;
    let text = |name: &str| person[name].as_str().expect("a token").to_owned();
    let cut = directory.token.trim_end_matches(char::is_alphanumeric);
    let wrong = [
        text("access_token"),
        text("id_token"),
        text("refresh_token"),
        administrator.admin_token,
        world.broker.admin_token.clone(),
        cut.to_owned(),
        "x".repeat(5000),
    ];
    for token in wrong.iter().map(|token| Some(token.as_str())).chain([None]) {
        for (method, path) in [
            (Method::GET, "/Users"),
            (Method::POST, "/Users"),
            (Method::GET, "/Groups/none"),
            (Method::PATCH, "/Users/none"),
            (Method::DELETE, "/Groups/none"),
            (Method::POST, "/Bulk"),
        ] {
            let reply = with(&directory, token, method.clone(), path).await;
            assert_eq!(reply.status, 401, "{method} {path} {token:?}: {}", reply.body);
            assert!(reply.header("www-authenticate").is_some_and(|asks| asks.starts_with("Bearer")), "{path}");
            let error: Value = serde_json::from_str(&reply.body).expect("JSON");
            assert_eq!((&error["schemas"], &error["status"]), (&json!([ERROR]), &json!("401")));
        }
    }
    assert_eq!(status(&directory, &directory.token).await, 200);
}

/// SC-2: whatever another tenant's directory asks for is not there, and stays as it was.
#[tokio::test]
async fn another_tenant_sees_nothing() {
    let (own, other) = (Directory::new().await, Directory::new().await);
    let name = format!("{}@corp.example", unique("u"));
    let (user, group) = (own.user(&name).await, own.group("Engineering", &[]).await);
    let (_, oauth) = oauth(&other).await;
    let mut reaching = other.clone();
    for token in [other.token.clone(), oauth] {
        reaching.token = token;
        for path in [format!("/Users/{user}"), format!("/Groups/{group}")] {
            assert_eq!(reaching.call(Method::GET, &path, None).await.status, 404, "{path}");
            assert_eq!(reaching.call(Method::DELETE, &path, None).await.status, 404, "{path}");
            let change = json!([{ "op": "replace", "path": "externalId", "value": "taken" }]);
            assert_eq!(reaching.patch(&path, &change).await.status, 404, "{path}");
        }
        let filter = format!("userName eq \"{name}\"");
        let listed = reaching.query("/Users", &[("filter", &filter)]).await;
        assert_eq!(listed.scim()["totalResults"], 0, "{}", listed.body);
        assert_eq!(reaching.call(Method::GET, "/Groups", None).await.scim()["totalResults"], 0);
        let member = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
        let theirs = reaching.group(&unique("g"), &[]).await;
        assert_eq!(reaching.patch(&format!("/Groups/{theirs}"), &member).await.status, 400, "no member of theirs");
        reaching.call(Method::DELETE, &format!("/Groups/{theirs}"), None).await;
    }
    assert_eq!(own.call(Method::GET, &format!("/Users/{user}"), None).await.scim()["userName"], json!(name));
}

/// EN-9: what the token endpoint gives opens SCIM as a token does; whichever is deleted or rotated is out at once.
#[tokio::test]
async fn revocation_counts_at_once() {
    let directory = Directory::new().await;
    let (client, access_token) = oauth(&directory).await;
    for _ in 0..4 {
        assert_eq!(status(&directory, &access_token).await, 200);
    }
    assert_eq!(directory.broker.admin(Method::DELETE, &client, None).await.status, 204);
    for _ in 0..4 {
        assert_eq!(status(&directory, &access_token).await, 401, "in every process");
    }
    let tokens = format!("/tenants/{}/scim-tokens", directory.tenant);
    let listed = directory.broker.admin(Method::GET, &tokens, None).await.json();
    let id = listed["items"][0]["id"].as_str().expect("an id").to_owned();
    let rotate = format!("{tokens}/{id}/rotate");
    let new = directory.broker.admin(Method::POST, &rotate, Some(&json!({ "overlap_seconds": 600 }))).await;
    for token in [&directory.token, &new.text("token")] {
        assert_eq!(status(&directory, token).await, 200, "both, for as long as they overlap");
    }
    let last = format!("{tokens}/{}", new.text("id"));
    let newest = directory.broker.admin(Method::POST, &format!("{last}/rotate"), Some(&json!({}))).await;
    assert_eq!(status(&directory, &new.text("token")).await, 401);
    assert_eq!(status(&directory, &newest.text("token")).await, 200);
    assert_eq!(directory.broker.admin(Method::DELETE, &format!("{tokens}/{id}"), None).await.status, 204);
    assert_eq!(status(&directory, &directory.token).await, 401);
}

/// SC-20: a directory that asks too much is put off, and told for how long. How many processes share the work is theirs.
#[tokio::test]
async fn too_many_requests_are_put_off() {
    let world = World::new().await;
    let tenant = unique("t");
    let body = json!({ "name": "Slow", "provisioning": { "scim_requests_per_second": 1 } });
    world.broker.put(&format!("/tenants/{tenant}"), body).await;
    let directory = Directory::of(&world.broker, &tenant).await;
    let mut put_off = None;
    for _ in 0..200 {
        let reply = directory.call(Method::GET, "/ServiceProviderConfig", None).await;
        let reply = if reply.status == 200 { directory.call(Method::GET, "/Users", None).await } else { reply };
        if reply.status != 200 {
            put_off = Some(reply);
            break;
        }
    }
    let reply = put_off.expect("two hundred are too many");
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, Some("1")), "{}", reply.body);
    let error: Value = serde_json::from_str(&reply.body).expect("JSON");
    assert_eq!((&error["schemas"], &error["status"]), (&json!([ERROR]), &json!("429")));
    let fast = Directory::of(&world.broker, &world.tenant).await;
    assert_eq!(status(&fast, &fast.token).await, 200, "another tenant is not held up");
}
