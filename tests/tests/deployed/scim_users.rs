//! People, pushed by a directory: what it sends is kept as the standard says, and what is wrong is told.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::in_process::claims;
use vestibule_tests::scim::{Directory, PATCH, USER};
use vestibule_tests::{Reply, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A refusal in the form of RFC 7644 §3.12.
fn refused(reply: &Reply, status: u16, scim_type: Option<&str>) -> String {
    let error = reply.scim();
    assert_eq!(reply.status, status, "{error}");
    assert_eq!((&error["schemas"], &error["status"]), (&json!([ERROR]), &json!(status.to_string())));
    assert_eq!(error.get("scimType").and_then(Value::as_str), scim_type, "{error}");
    error["detail"].as_str().expect("a detail").to_owned()
}

async fn get(directory: &Directory, path: &str) -> Value {
    let reply = directory.call(Method::GET, path, None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.scim()
}

/// SC-1, SC-5: the user of RFC 7643 §8.2 is created, with an id, a place and a tag of ours.
#[tokio::test]
async fn the_full_user_of_the_standard_is_kept() {
    let directory = Directory::new().await;
    let body = json!({
        "schemas": [USER], "id": "theirs", "externalId": "701984", "userName": "bjensen@example.com",
        "name": { "formatted": "Ms. Barbara J Jensen, III", "familyName": "Jensen", "givenName": "Barbara" },
        "displayName": "Babs Jensen", "nickName": "Babs", "profileUrl": "https://login.example.com/bjensen",
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" },
        ],
        "addresses": [{ "streetAddress": "100 Universal City Plaza", "locality": "Hollywood", "type": "work" }],
        "phoneNumbers": [{ "value": "555-555-5555", "type": "work" }], "userType": "Employee", "title": "Tour Guide",
        "preferredLanguage": "en-US", "locale": "en-US", "timezone": "America/Los_Angeles", "active": true,
        "password": "t1meMa$heen", "meta": { "resourceType": "User", "version": "W/\"theirs\"" },
    });
    let made = directory.call(Method::POST, "/Users", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let user = made.scim();
    let id = user["id"].as_str().expect("an id");
    let location = format!("{}/scim/v2/Users/{id}", directory.broker.url);
    assert_eq!((made.header("location"), made.header("etag")), (Some(&*location), user["meta"]["version"].as_str()));
    assert_eq!((&user["meta"]["resourceType"], &user["meta"]["location"]), (&json!("User"), &json!(location)));
    assert!(user["meta"]["created"].is_string() && user["meta"]["created"] == user["meta"]["lastModified"]);
    assert!(made.header("etag").is_some_and(|tag| tag.starts_with("W/\"") && tag != "W/\"theirs\""));
    assert_ne!(id, "theirs");
    for (name, sent) in body.as_object().expect("an object") {
        if !["id", "password", "meta"].contains(&name.as_str()) {
            assert_eq!(&user[name], sent, "{name}");
        }
    }
    assert_eq!(user.get("password"), None);
    assert_eq!(get(&directory, &format!("/Users/{id}")).await, user);
}

/// SC-6: a name belongs to one, whatever its case; so does an `externalId`, in its case.
#[tokio::test]
async fn names_belong_to_one() {
    let directory = Directory::new().await;
    let user = |name: &str, external: &str| json!({ "schemas": [USER], "userName": name, "externalId": external });
    let create = async |body: Value| directory.call(Method::POST, "/Users", Some(&body)).await;
    assert_eq!(create(user("ada", "x")).await.status, 201);
    let other = create(user("bob", "X")).await;
    assert_eq!(other.status, 201, "{}", other.body);
    refused(&create(user("ADA", "y")).await, 409, Some("uniqueness"));
    refused(&create(user("carol", "x")).await, 409, Some("uniqueness"));
    let path = format!("/Users/{}", other.scim()["id"].as_str().expect("an id"));
    let renamed = directory.patch(&path, &json!([{ "op": "replace", "path": "userName", "value": "Ada" }])).await;
    refused(&renamed, 409, Some("uniqueness"));
    refused(&directory.call(Method::PUT, &path, Some(&user("aDA", "z"))).await, 409, Some("uniqueness"));
    let same = directory.patch(&path, &json!([{ "op": "replace", "path": "userName", "value": "BOB" }])).await;
    assert_eq!((same.status.as_u16(), &same.scim()["userName"]), (200, &json!("BOB")), "one's own in another case");
    assert_eq!(Directory::new().await.call(Method::POST, "/Users", Some(&user("ada", "x"))).await.status, 201);
}

/// SC-10: a PUT replaces: what is left out is cleared, what only we write is left alone.
#[tokio::test]
async fn a_put_replaces() {
    let directory = Directory::new().await;
    let body = json!({ "schemas": [USER, ENTERPRISE], "userName": "ada", "title": "Countess", "externalId": "x", "active": false,
        "emails": [{ "value": "ada@corp.example" }], ENTERPRISE: { "department": "Engines" } });
    let made = directory.call(Method::POST, "/Users", Some(&body)).await.scim();
    assert_eq!((&made["schemas"], &made["active"]), (&json!([USER, ENTERPRISE]), &json!(false)));
    let path = format!("/Users/{}", made["id"].as_str().expect("an id"));
    let body =
        json!({ "schemas": [USER], "userName": "ada", "nickName": "A", "id": "other", "groups": [{ "value": "g" }] });
    let put = directory.call(Method::PUT, &path, Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.body);
    let after = put.scim();
    assert_eq!((&after["id"], &after["nickName"], &after["schemas"]), (&made["id"], &json!("A"), &json!([USER])));
    for gone in ["title", "externalId", "emails", "groups", ENTERPRISE] {
        assert_eq!(after.get(gone), None, "{gone}");
    }
    assert_eq!(after["active"], false, "who says nothing of it lets nobody in again");
    assert_ne!(after["meta"]["version"], made["meta"]["version"]);
    for wrong in [
        json!({ "schemas": [USER] }),
        json!({ "schemas": [USER], "userName": "" }),
        json!({ "schemas": [PATCH], "userName": "a" }),
    ] {
        assert_eq!(directory.call(Method::PUT, &path, Some(&wrong)).await.status, 400, "{wrong}");
    }
    assert_eq!(get(&directory, &path).await, after);
}

/// SC-9: of a PATCH all or nothing is done.
#[tokio::test]
async fn a_patch_is_done_whole_or_not_at_all() {
    let directory = Directory::new().await;
    let path = format!("/Users/{}", directory.user("ada").await);
    let before = get(&directory, &path).await;
    for (second, scim_type) in [
        (json!({ "op": "replace", "path": "emails[type eq \"none\"].value", "value": "x" }), "noTarget"),
        (json!({ "op": "replace", "path": "nope", "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "remove", "path": "userName" }), "mutability"),
        (json!({ "op": "replace", "path": "active", "value": "perhaps" }), "invalidValue"),
        (json!({ "op": "copy", "path": "title", "value": "x" }), "invalidSyntax"),
        (json!({ "op": "remove" }), "noTarget"),
    ] {
        let reply = directory.patch(&path, &json!([{ "op": "add", "path": "title", "value": "T" }, second])).await;
        refused(&reply, 400, Some(scim_type));
    }
    assert_eq!(get(&directory, &path).await, before);
    let operations = json!([{ "op": "Add", "path": "title", "value": "T" }, { "op": "Replace", "value": { "name.givenName": "Ada" } }]);
    let done = directory.patch(&path, &operations).await;
    assert_eq!(
        (done.status.as_u16(), &done.scim()["title"], &done.scim()["name"]["givenName"]),
        (200, &json!("T"), &json!("Ada"))
    );
}

/// SC-14: changes and reads under conditions.
#[tokio::test]
async fn conditions_are_kept() {
    let directory = Directory::new().await;
    let path = format!("/Users/{}", directory.user("ada").await);
    let tag = get(&directory, &path).await["meta"]["version"].as_str().expect("a tag").to_owned();
    let body = json!({ "schemas": [USER], "userName": "ada", "title": "T" }).to_string();
    let send = async |method: Method, name: &'static str, value: &str| {
        let request = directory.anonymous(method, &path).bearer_auth(&directory.token).header(name, value);
        Reply::of(request.header("content-type", "application/json").body(body.clone())).await
    };
    let known = send(Method::GET, "if-none-match", &tag).await;
    assert_eq!((known.status.as_u16(), known.body.as_str(), known.header("etag")), (304, "", Some(&*tag)));
    assert_eq!(send(Method::PUT, "if-match", &tag).await.status, 200);
    assert_eq!(send(Method::GET, "if-none-match", &tag).await.status, 200, "it is another state");
    for method in [Method::PUT, Method::DELETE] {
        refused(&send(method, "if-match", &tag).await, 412, None);
    }
    refused(&send(Method::PUT, "if-match", "no tag").await, 400, Some("invalidValue"));
    assert_eq!(send(Method::DELETE, "if-match", "*").await.status, 204);
}

/// SC-13: what is shown can be chosen; nobody reads a password.
#[tokio::test]
async fn what_is_shown_can_be_chosen() {
    let directory = Directory::new().await;
    let path = format!("/Users/{}", directory.user("ada").await);
    let names = |user: &Value| user.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let some = directory.query(&path, &[("attributes", "userName,password")]).await.scim();
    assert_eq!(names(&some), ["id", "schemas", "userName"]);
    let others = directory.query(&path, &[("excludedAttributes", "displayName,meta,id")]).await.scim();
    assert_eq!(names(&others), ["active", "id", "schemas", "userName"]);
    let parameters = [("attributes", "userName"), ("excludedAttributes", "meta")];
    refused(&directory.query(&path, &parameters).await, 400, Some("invalidValue"));
    refused(&directory.query(&path, &[("attributes", "nope")]).await, 400, Some("invalidValue"));
    let created = json!({ "schemas": [USER], "userName": "bob", "password": "secret" });
    let created = directory.call(Method::POST, "/Users?attributes=userName", Some(&created)).await;
    assert_eq!(
        (created.status.as_u16(), names(&created.scim())),
        (201, vec!["id".into(), "schemas".into(), "userName".into()])
    );
}

/// SC-5: a manager is shown as they are called now; where nobody is meant, what was sent stays.
#[tokio::test]
async fn a_manager_has_the_name_that_they_have_now() {
    let directory = Directory::new().await;
    let (boss, ada) = (directory.user("boss").await, directory.user("ada").await);
    let path = format!("/Users/{ada}");
    let manager = json!([{ "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": boss }]);
    assert_eq!(directory.patch(&path, &manager).await.scim()[ENTERPRISE]["manager"]["displayName"], "boss");
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "The Boss" }]);
    directory.patch(&format!("/Users/{boss}"), &renamed).await;
    let shown = get(&directory, &path).await[ENTERPRISE]["manager"].clone();
    let reference = format!("{}/scim/v2/Users/{boss}", directory.broker.url);
    assert_eq!(shown, json!({ "value": boss, "$ref": reference, "displayName": "The Boss" }));
    let unknown = json!([{ "op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": "nobody at all" }]);
    let shown = directory.patch(&path, &unknown).await.scim()[ENTERPRISE]["manager"].clone();
    assert_eq!((&shown["value"], shown.get("displayName")), (&json!("nobody at all"), None));
}

/// SC-11, SC-12, RP-11: whoever is switched off is still there and gets in nowhere; whoever is deleted is not there.
#[tokio::test]
async fn off_is_not_gone() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let user = claims(&tokens["id_token"])["sub"].as_str().expect("a person").to_owned();
    let directory = Directory::of(&world.broker, &world.tenant).await;
    let path = format!("/Users/{user}");
    let off = directory.patch(&path, &json!([{ "op": "Replace", "path": "active", "value": "False" }])).await;
    assert_eq!((off.status.as_u16(), &off.scim()["active"]), (200, &json!(false)), "in every mode");
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(world.refresh(refresh).await.status, 400);
    assert_eq!(get(&directory, &path).await["active"], false);
    directory.patch(&path, &json!([{ "op": "Replace", "path": "active", "value": "True" }])).await;
    let tokens = world.tokens().await;
    assert_eq!(claims(&tokens["id_token"])["sub"], user, "the same person again");
    assert_eq!(directory.call(Method::DELETE, &path, None).await.status, 204);
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(world.refresh(refresh).await.status, 400);
    refused(&directory.call(Method::GET, &path, None).await, 404, None);
}
