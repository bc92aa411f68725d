//! A mapping before it is saved: what is wrong with it, and what it would do.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::world::connection;
use vestibule_tests::{Reply, World};

fn problems(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 400, "{}", reply.body);
    let body = reply.json();
    let paths = body["problems"].as_array().expect("problems").iter();
    let mut paths: Vec<String> = paths.map(|problem| problem["path"].as_str().expect("a path").to_owned()).collect();
    paths.sort();
    paths
}

/// Everything that is wrong is told at once, with its place and without what was sent; nothing is stored. AZ-13.
#[tokio::test]
async fn every_problem_of_a_mapping_is_told() {
    let world = World::new().await;
    let path = format!("/tenants/{}/mapping", world.tenant);
    let body = json!({
        "roles": [{ "name": "admin" }, { "name": "ADMIN" }, { "name": " x" }, { "title": "y" }],
        "role_choice": "loudest",
        "rules": [
            { "claim": "$.secret[", "value": "*", "grants": "team" },
            { "claim": "groups", "value": "eng-*", "grants": "team" },
            { "claim": "groups", "value": "a", "grants": "role", "name": "owner" },
            { "claim": "groups", "value": "a", "grants": "role" },
            { "claim": "groups", "value": "a", "grants": "team", "name": "two words" },
            { "claim": "groups", "value": "*", "grants": "squad", "split": "" },
            { "claim": "groups", "value": "*", "grants": "team", "connection": "NO" },
            { "claim": "$..a..b", "value": "*", "grants": "team" },
        ],
        "scim": { "groups": "no attribute" },
        "surprise": true,
    });
    let reply = world.broker.admin(Method::PUT, &path, Some(&body)).await;
    assert_eq!(
        problems(&reply),
        [
            "/role_choice",
            "/roles/1/name",
            "/roles/2/name",
            "/roles/3/name",
            "/roles/3/title",
            "/rules/0/claim",
            "/rules/1/value",
            "/rules/2/name",
            "/rules/3/name",
            "/rules/4/name",
            "/rules/5/grants",
            "/rules/5/split",
            "/rules/6/connection",
            "/rules/7/claim",
            "/scim/groups",
            "/surprise",
        ]
    );
    assert!(!reply.body.contains("secret"), "{}", reply.body);
    assert_eq!(world.broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
    let unknown = json!({ "rules": [{ "claim": "a", "value": "*", "grants": "team" }], "scim": { "a": "usertypo" } });
    assert_eq!(problems(&world.broker.admin(Method::PUT, &path, Some(&unknown)).await), ["/scim/a"]);
    let unasked = json!({ "scim": { "none": "userType" } });
    assert_eq!(problems(&world.broker.admin(Method::PUT, &path, Some(&unasked)).await), ["/scim/none"]);
    let nobody = json!({ "require_role": true });
    assert_eq!(problems(&world.broker.admin(Method::PUT, &path, Some(&nobody)).await), ["/require_role"]);
    let many = json!({ "rules": vec![json!({ "claim": "a", "value": "b", "grants": "team" }); 501] });
    assert_eq!(problems(&world.broker.admin(Method::PUT, &path, Some(&many)).await), ["/rules"]);
}

/// Paths of a connection that cannot be read, and attributes with names that are taken.
#[tokio::test]
async fn every_problem_of_a_connections_claims_is_told() {
    let world = World::new().await;
    let wrong = json!({
        "email_claim": "$.a[", "name_claim": "", "groups_claim": "$[?$.a]",
        "attributes": {
            "email": { "path": "a" }, "sub": { "path": "a" }, "roles": { "path": "a" }, "a b": { "path": "a" },
            "x": { "path": "a", "values": "some" }, "y": {}, "z": { "path": "a", "split": "seventeen letters" },
        },
    });
    let path = format!("/tenants/{}/connections/corp", world.tenant);
    let body = connection(world.idp.issuer(), &wrong);
    assert_eq!(
        problems(&world.broker.admin(Method::PUT, &path, Some(&body)).await),
        [
            "/attributes/a b",
            "/attributes/email",
            "/attributes/roles",
            "/attributes/sub",
            "/attributes/x/values",
            "/attributes/y/path",
            "/attributes/z/split",
            "/email_claim",
            "/groups_claim",
            "/name_claim",
        ]
    );
}

/// A preview says what would be granted, by which rule, claim and value, and why other rules grant nothing; with a draft
/// as with what is saved. Nothing is stored.
#[tokio::test]
async fn a_preview_gives_reasons_and_stores_nothing() {
    let world = World::new().await;
    let attributes = json!({ "attributes": { "title": { "path": "job.title" }, "level": { "path": "level" } } });
    let body = connection(world.idp.issuer(), &attributes);
    let mut disabled = body.clone();
    disabled["enabled"] = json!(false);
    world.broker.put(&format!("/tenants/{}/connections/corp", world.tenant), disabled).await;
    let at = format!("/tenants/{}/mapping", world.tenant);
    let draft = json!({
        "roles": [{ "name": "admin" }, { "name": "viewer" }],
        "rules": [
            { "claim": "groups", "value": "staff", "grants": "role", "name": "viewer" },
            { "claim": "groups", "value": "*", "grants": "role" },
            { "claim": "groups", "value": "/${*}", "grants": "team" },
            { "claim": "site", "value": "*", "grants": "business_unit" },
            { "claim": "groups", "value": "x", "grants": "team", "connection": "other" },
        ],
    });
    let asked = json!({
        "connection": "corp", "mapping": draft,
        "id_token": { "sub": "s-1", "groups": ["old"], "email": "c@corp.example", "job": { "title": "Dr" } },
        "userinfo": { "sub": "s-1", "groups": ["Staff", "/Ops"] },
    });
    let reply = world.broker.admin(Method::POST, &format!("{at}/preview"), Some(&asked)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let shown = reply.json();
    assert_eq!((&shown["unique_id"], &shown["profile"]), (&json!("s-1"), &json!({ "email": "c@corp.example" })));
    assert_eq!(shown["groups"], json!({ "state": "known", "names": ["Staff", "/Ops"] }), "userinfo is the fresher");
    assert_eq!((&shown["role"], &shown["refused"]), (&json!("viewer"), &json!(false)));
    let because = |rule: u32, value: &str| json!([{ "rule": rule, "claim": "groups", "value": value }]);
    assert_eq!(shown["roles"], json!([{ "grants": "role", "name": "viewer", "reasons": because(0, "Staff") }]));
    assert_eq!(shown["teams"], json!([{ "grants": "team", "name": "Ops", "reasons": because(2, "/Ops") }]));
    let unmet = json!([
        { "rule": 1, "because": "no_such_role" }, { "rule": 3, "because": "no_value" }, { "rule": 4, "because": "not_asked" },
    ]);
    assert_eq!(shown["unmet"], unmet);
    assert_eq!(shown["attributes"][1], json!({ "name": "title", "path": "job.title", "value": "Dr" }));
    assert_eq!(shown["attributes"][0]["value"], Value::Null);
    assert_eq!(world.broker.admin(Method::GET, &at, None).await.status, 404, "nothing was stored");
    let people = world.broker.admin(Method::GET, &format!("/tenants/{}/users", world.tenant), None).await.json();
    assert_eq!(people["items"], json!([]));
    world.broker.put(&at, draft).await;
    let saved = json!({ "connection": "corp", "id_token": asked["id_token"], "userinfo": asked["userinfo"] });
    assert_eq!(world.broker.admin(Method::POST, &format!("{at}/preview"), Some(&saved)).await.json(), shown);
}

/// What cannot be previewed is refused with its place, a draft's problems included; so is another tenant's. AZ-13.
#[tokio::test]
async fn what_cannot_be_previewed_is_refused() {
    let (world, other) = (World::new().await, World::new().await);
    let at = format!("/tenants/{}/mapping", world.tenant);
    let preview = async |body: Value| {
        let reply = world.broker.admin(Method::POST, &format!("{at}/preview"), Some(&body)).await;
        problems(&reply)
    };
    assert_eq!(preview(json!({})).await, ["/connection"]);
    assert_eq!(preview(json!({ "connection": "none" })).await, ["/connection"]);
    assert_eq!(preview(json!({ "connection": "corp", "id_token": [] })).await, ["/id_token"]);
    let broken = json!({ "rules": [{ "claim": "a", "value": "**", "grants": "team" }] });
    assert_eq!(preview(json!({ "connection": "corp", "mapping": broken })).await, ["/mapping/rules/0/value"]);
    let wrong_page = world.broker.admin(Method::POST, &format!("{at}/dry-run"), Some(&json!({ "limit": 101 }))).await;
    assert_eq!(wrong_page.status, 400);
    let (_, stranger) = other.broker.token(&[&format!("tenant:{}", other.tenant)]).await;
    for (method, path) in [
        (Method::GET, at.clone()),
        (Method::PUT, at.clone()),
        (Method::POST, format!("{at}/preview")),
        (Method::POST, format!("{at}/dry-run")),
    ] {
        assert_eq!(stranger.admin(method.clone(), &path, Some(&json!({}))).await.status, 404, "{method} {path}");
    }
    let (_, reader) = world.broker.token(&[&format!("tenant:{}:read", world.tenant)]).await;
    assert_eq!(reader.admin(Method::PUT, &at, Some(&json!({}))).await.status, 403, "a reader changes nothing");
    let dry_run = reader.admin(Method::POST, &format!("{at}/dry-run"), Some(&json!({}))).await;
    assert_eq!(dry_run.status, 200, "and may look");
}

/// Of changes that race, one wins; a mapping that is removed is gone.
#[tokio::test]
async fn a_mapping_has_states() {
    let world = World::new().await;
    let at = format!("/tenants/{}/mapping", world.tenant);
    let body = json!({ "roles": [{ "name": "admin" }] });
    let made = world.broker.admin(Method::PUT, &at, Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let tag = made.header("etag").expect("a tag").to_owned();
    assert_eq!(world.broker.admin_if(("if-match", &tag), Method::PUT, &at, Some(&json!({}))).await.status, 200);
    assert_eq!(world.broker.admin_if(("if-match", &tag), Method::PUT, &at, Some(&body)).await.status, 412);
    assert_eq!(world.broker.admin(Method::DELETE, &at, None).await.status, 204);
    assert_eq!(world.broker.admin(Method::GET, &at, None).await.status, 404);
    let nowhere = world.broker.admin(Method::PUT, "/tenants/no-such-tenant/mapping", Some(&body)).await;
    assert_eq!(nowhere.status, 404);
}
