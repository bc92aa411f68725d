//! Where a request comes from.

use http::Method;
use serde_json::json;
use vestibule_tests::World;

/// Every answer names its request, by an id of ours, whatever the client calls it; an error page shows it.
#[tokio::test]
async fn answers_name_their_request() {
    let world = World::new().await;
    let path = format!("/tenants/{}", world.tenant);
    let body = json!({ "name": "Renamed" });
    let reply = world.broker.admin_if(("x-request-id", "mine"), Method::PUT, &path, Some(&body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let id = reply.header("x-request-id").expect("an id").to_owned();
    assert!(id != "mine" && id.len() == 22, "{id}");
    for path in ["/healthz", "/oauth2/authorize", "/no/such/place", "/scim/v2/Users", "/admin/v1/tenants"] {
        let other = world.broker.get(path).await;
        assert_ne!(other.header("x-request-id").expect("an id"), id, "{path}");
    }
    let page = world.broker.get("/oauth2/authorize").await;
    let reference = page.header("x-request-id").expect("an id");
    assert!(page.body.contains(reference), "{}", page.body);
    let refused = world.broker.admin_if(("if-match", "\"other\""), Method::PUT, &path, Some(&body)).await;
    assert_eq!(refused.header("x-request-id"), Some(refused.text("reference").as_str()));
}
