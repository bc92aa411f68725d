//! The SCIM server on the wire: who is let in, what bodies are taken, what errors look like, what the server says of
//! itself.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::scim::{Directory, GROUP, USER};
use vestibule_tests::{Reply, World};

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

fn refused(reply: &Reply, status: u16) {
    let error = reply.scim();
    assert_eq!((reply.status.as_u16(), &error["status"]), (status, &json!(status.to_string())), "{error}");
    assert_eq!(error["schemas"], json!([ERROR]));
    assert!(error["detail"].is_string());
}

/// SC-2, SC-3: without a token nobody learns anything, not even what there is.
#[tokio::test]
async fn nobody_is_let_in_without_a_token() {
    let directory = Directory::new().await;
    let user = directory.user("ada").await;
    for path in
        ["/Users", &format!("/Users/{user}"), "/Groups/x", "/Me", "/Schemas", "/ServiceProviderConfig", "/Nope", ""]
    {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let none = Reply::of(directory.anonymous(method.clone(), path)).await;
            refused(&none, 401);
            assert!(none.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
            refused(&Reply::of(directory.anonymous(method, path).bearer_auth("nonsense")).await, 401);
        }
    }
    let basic = directory.anonymous(Method::GET, "/Users/x").basic_auth("a", Some(&directory.token));
    refused(&Reply::of(basic).await, 401);
}

/// SC-2: a tenant's token knows nobody of another tenant.
#[tokio::test]
async fn another_tenants_people_are_not_there() {
    let (directory, other) = (Directory::new().await, Directory::new().await);
    let user = directory.user("ada").await;
    let group = directory.group("Ops", &[&user]).await;
    for path in [format!("/Users/{user}"), format!("/Groups/{group}")] {
        for method in [Method::GET, Method::DELETE] {
            refused(&other.call(method, &path, None).await, 404);
        }
        let operations = json!([{ "op": "replace", "path": "displayName", "value": "Mine" }]);
        refused(&other.patch(&path, &operations).await, 404);
    }
    assert_eq!(directory.call(Method::GET, &format!("/Users/{user}"), None).await.scim()["displayName"], "ada");
}

/// SC-1, SC-3: JSON of either type is taken, anything else refused with its reason.
#[tokio::test]
async fn bodies_are_json() {
    let directory = Directory::new().await;
    let send = async |kind: Option<&str>, body: String| {
        let request = directory.anonymous(Method::POST, "/Users").bearer_auth(&directory.token);
        let request = kind.into_iter().fold(request, |request, kind| request.header("content-type", kind));
        Reply::of(request.body(body)).await
    };
    let user = |name: &str| json!({ "schemas": [USER], "userName": name }).to_string();
    for (at, kind) in
        ["application/scim+json", "application/json; charset=utf-8", "Application/SCIM+JSON"].iter().enumerate()
    {
        assert_eq!(send(Some(kind), user(&format!("user-{at}"))).await.status, 201, "{kind}");
    }
    for kind in [Some("text/plain"), Some("application/xml"), Some("application/x-www-form-urlencoded"), None] {
        refused(&send(kind, user("nobody")).await, 415);
    }
    for wrong in ["", "{", "[]", "null", "{\"schemas\": [", "{\"userName\": \"\\ud800\"}"] {
        let reply = send(Some("application/scim+json"), wrong.to_owned()).await;
        refused(&reply, 400);
        assert_eq!(reply.scim()["scimType"], "invalidSyntax", "{wrong}");
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    refused(&send(Some("application/scim+json"), deep).await, 400);
    refused(&send(Some("application/scim+json"), user(&"x".repeat(1024 * 1024))).await, 413);
    refused(&send(Some("application/scim+json"), user(&"x".repeat(100 * 1024))).await, 413);
    let many: Vec<Value> = (0..21).map(|at| json!({ "value": format!("{at}@corp.example") })).collect();
    let many = json!({ "schemas": [USER], "userName": "many", "emails": many });
    refused(&send(Some("application/scim+json"), many.to_string()).await, 400);
}

/// SC-3: what is not there is 404, what cannot be done there 405, in SCIM's form.
#[tokio::test]
async fn other_addresses_and_methods_are_errors_of_scim() {
    let directory = Directory::new().await;
    for path in
        ["", "/", "/Nope", "/users", "/Users/x/y", "/Users/no%20id", "/Users/a%2Fb", "/Groups/nobody", "/Schemas/nope"]
    {
        refused(&directory.call(Method::GET, path, None).await, 404);
    }
    for (method, path) in [
        (Method::POST, "/Users/x"),
        (Method::PUT, "/Users"),
        (Method::DELETE, "/Groups"),
        (Method::POST, "/Schemas"),
        (Method::DELETE, "/ServiceProviderConfig"),
    ] {
        let reply = directory.call(method, path, None).await;
        refused(&reply, 405);
        assert!(reply.header("allow").is_some_and(|allowed| !allowed.is_empty()), "{path}");
    }
}

/// SC-15: what describes the server is complete, true, and not to be filtered.
#[tokio::test]
async fn the_server_describes_itself() {
    let directory = Directory::new().await;
    let get = async |path: &str| {
        let reply = directory.call(Method::GET, path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.scim()
    };
    let config = get("/ServiceProviderConfig").await;
    for name in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(config[name]["supported"], true, "{name}");
    }
    assert_eq!(config["changePassword"]["supported"], false);
    let limits = vestibule_core::scim::LIMITS;
    assert_eq!(config["bulk"]["maxOperations"], limits.max_bulk_operations);
    assert_eq!((&config["bulk"]["maxPayloadSize"], &config["filter"]["maxResults"]), (&json!(1_048_576), &json!(1000)));
    assert_eq!(config["pagination"]["cursor"], true);
    let schemas = get("/Schemas").await;
    assert_eq!(schemas["totalResults"], 3);
    for schema in schemas["Resources"].as_array().expect("schemas") {
        let id = schema["id"].as_str().expect("an id");
        assert_eq!(get(&format!("/Schemas/{id}")).await, *schema);
        assert_eq!(get(&format!("/Schemas/{}", id.replace(':', "%3A"))).await, *schema);
    }
    let types = get("/ResourceTypes").await;
    assert_eq!((&types["Resources"][0]["schema"], &types["Resources"][1]["schema"]), (&json!(USER), &json!(GROUP)));
    assert_eq!(get("/ResourceTypes/Group").await, types["Resources"][1]);
    for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
        refused(&directory.query(path, &[("filter", "id pr")]).await, 403);
    }
}

/// SC-15, SC-7: a tenant's own attributes are described, taken, kept and patched as the standard's are.
#[tokio::test]
async fn a_tenant_has_attributes_of_its_own() {
    let directory = Directory::new().await;
    let path = format!("/tenants/{}/scim-schemas", directory.tenant);
    let hr = json!({ "id": "urn:example:hr:2.0:User", "name": "HR", "attributes": [{ "name": "badge" }, { "name": "floor", "type": "integer" }] });
    let put = async |body: Value| directory.broker.admin(Method::PUT, &path, Some(&body)).await;
    let upper = json!({ "id": "urn:EXAMPLE:hr:2.0:User", "name": "HR", "attributes": [{ "name": "x" }] });
    for (wrong, place) in [
        (json!({ "user": [hr, upper] }), "/user/1/id"),
        (json!({ "user": [hr], "group": [upper] }), "/group/0/id"),
        (json!({ "user": [{ "id": USER, "name": "x", "attributes": [{ "name": "x" }] }] }), "/user/0"),
        (json!({ "user": [{ "id": "urn:example:x", "name": "x", "attributes": [] }] }), "/user/0"),
        (json!({ "user": [{ "id": "urn:example:x", "name": "x", "attributes": [{ "name": "1" }] }] }), "/user/0"),
    ] {
        let reply = put(wrong).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["problems"][0]["path"]),
            (400, &json!(place)),
            "{}",
            reply.body
        );
    }
    // Set before anything is asked: a tenant's schemas may be read from a copy for two minutes.
    assert_eq!(put(json!({ "user": [hr] })).await.status, 201);
    let uri = "urn:example:hr:2.0:User";
    let body =
        json!({ "schemas": [USER, uri], "userName": "ada", "URN:example:HR:2.0:User": { "Badge": 7, "floor": "3" } });
    let made = directory.call(Method::POST, "/Users", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let user = made.scim();
    assert_eq!((&user[uri], &user["schemas"]), (&json!({ "badge": "7", "floor": 3 }), &json!([USER, uri])));
    let at = format!("/Users/{}", user["id"].as_str().expect("an id"));
    let operations = json!([{ "op": "replace", "path": format!("{uri}:badge"), "value": "8" }]);
    assert_eq!(directory.patch(&at, &operations).await.scim()[uri]["badge"], "8");
    assert_eq!(directory.call(Method::GET, &format!("/Schemas/{uri}"), None).await.status, 200);
    let operations = json!([{ "op": "replace", "path": format!("{uri}:floor"), "value": "up" }]);
    refused(&directory.patch(&at, &operations).await, 400);
}

/// SC-17: a person's own token shows them themselves, if its scope reveals as much; it changes nothing.
#[tokio::test]
async fn a_person_sees_themselves() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let token = tokens["access_token"].as_str().expect("a token");
    let me = |method: Method, token: &str| Reply::of(directory.anonymous(method, "/Me").bearer_auth(token));
    let shown = me(Method::GET, token).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let user = format!("/Users/{}", shown.scim()["id"].as_str().expect("an id"));
    assert_eq!(directory.call(Method::GET, &user, None).await.scim(), shown.scim());
    for method in [Method::PUT, Method::PATCH, Method::POST, Method::DELETE] {
        refused(&me(method, token).await, 403);
    }
    refused(&me(Method::GET, &directory.token).await, 404);
    for other in [tokens["id_token"].as_str(), tokens["refresh_token"].as_str(), Some("x")].into_iter().flatten() {
        refused(&me(Method::GET, other).await, 401);
    }
    refused(&Reply::of(directory.anonymous(Method::GET, &user).bearer_auth(token)).await, 401);
}

/// SC-2: below the address of a connection there is what a token of that connection, or of none, may see.
#[tokio::test]
async fn a_connection_has_an_address_of_its_own() {
    let world = World::new().await;
    let path = format!("/tenants/{}/scim-tokens", world.tenant);
    let make = async |connection: Option<&str>| {
        let body = json!({ "name": "made by a test", "connection": connection });
        let made = world.broker.admin(Method::POST, &path, Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        Directory { token: made.text("token"), ..Directory::of(&world.broker, &world.tenant).await }
    };
    let other = json!({
        "name": "Other", "protocol": "oidc", "issuer": "https://other.example", "client_id": "x", "client_auth": "none",
    });
    world.broker.put(&format!("/tenants/{}/connections/other", world.tenant), other).await;
    let (free, bound) = (make(None).await, make(Some("other")).await);
    let group = free.group("Ops", &[]).await;
    for directory in [&free, &bound] {
        let shown = directory.call(Method::GET, &format!("/c/other/Groups/{group}"), None).await;
        assert_eq!((shown.status.as_u16(), &shown.scim()["displayName"]), (200, &json!("Ops")));
    }
    assert_eq!(free.call(Method::GET, "/c/corp/ServiceProviderConfig", None).await.status, 200);
    for nowhere in [
        "/c/corp/ServiceProviderConfig",
        "/c/none/Users",
        "/c/",
        "/c",
        "/c/other",
        "/c/other/Me",
        "/c/other/c/other/Users",
    ] {
        refused(&bound.call(Method::GET, nowhere, None).await, 404);
    }
    refused(&Reply::of(free.anonymous(Method::GET, "/c/other/Users")).await, 401);
}

/// Where people come by another road nobody is created; the rest of a directory's work is done.
#[tokio::test]
async fn people_are_created_in_one_mode_only() {
    let world = World::new().await;
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let body = json!({ "schemas": [USER], "userName": "ada" });
    let reply = directory.call(Method::POST, "/Users", Some(&body)).await;
    refused(&reply, 403);
    assert!(reply.scim()["detail"].as_str().is_some_and(|detail| detail.contains("provisioning mode")));
    directory.group("Ops", &[]).await;
}
