//! Changes that rest on a state: tags, `If-Match` and `If-None-Match` (RFC 9110 §13.1), alone and racing.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::world::member;
use vestibule_tests::{Deployment, Reply, World};

fn tag(reply: &Reply) -> String {
    assert!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    let tag = reply.header("etag").expect("a tag").to_owned();
    assert!(tag.len() > 20 && tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    tag
}

fn named(name: &str) -> Value {
    json!({ "name": name })
}

/// Every object that can be put, with two bodies for it; the second changes what is stored, where anything can.
async fn objects(broker: &Deployment) -> Vec<(String, Value, Value)> {
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), named("Acme")).await;
    let connection = |name| {
        json!({
            "name": name, "protocol": "oidc", "issuer": "https://idp.example", "client_id": "x", "client_auth": "none",
        })
    };
    let client = |name| json!({ "name": name, "redirect_uris": ["https://app.example/"], "client_auth": "none" });
    let name = unique("n");
    vec![
        (format!("/tenants/{}", unique("t")), named("One"), named("Two")),
        (format!("/clients/{}", unique("c")), client("One"), client("Two")),
        (format!("/tenants/{tenant}/connections/c"), connection("One"), connection("Two")),
        (format!("/tenants/{tenant}/domains/{name}.example"), json!({}), json!({})),
        (format!("/tenants/{tenant}/hosts/{name}.example"), json!({}), json!({})),
    ]
}

/// The tag of an answer is the one that is read later, and another one after a change.
#[tokio::test]
async fn every_object_has_a_tag() {
    let broker = Deployment::from_env();
    for (path, one, two) in objects(&broker).await {
        let created = tag(&broker.admin(Method::PUT, &path, Some(&one)).await);
        assert_eq!(tag(&broker.admin(Method::GET, &path, None).await), created, "{path}");
        assert_eq!(tag(&broker.admin(Method::PUT, &path, Some(&one)).await), created, "{path}: nothing changed");
        let replaced = tag(&broker.admin(Method::PUT, &path, Some(&two)).await);
        assert_eq!(replaced == created, one == two, "{path}");
        assert_eq!(tag(&broker.admin(Method::GET, &path, None).await), replaced, "{path}");
    }
    tag(&broker.admin(Method::GET, "/signing-keys", None).await);
}

/// `If-None-Match: *` creates only, `If-Match` changes only what was read; what does not hold changes nothing.
#[tokio::test]
async fn conditions_are_kept() {
    let broker = Deployment::from_env();
    for (path, one, two) in objects(&broker).await {
        let put = async |condition, body: &Value| broker.admin_if(condition, Method::PUT, &path, Some(body)).await;
        let refused = async |condition| {
            for method in [Method::PUT, Method::DELETE] {
                let reply = broker.admin_if(condition, method.clone(), &path, Some(&two)).await;
                assert_eq!(reply.status, 412, "{method} {path} {condition:?}: {}", reply.body);
                assert_eq!(reply.text("error"), "precondition_failed");
            }
        };
        for condition in [("if-match", "*"), ("if-match", "\"x\"")] {
            assert_eq!(put(condition, &one).await.status, 412, "{path} is not there");
            let deleted = broker.admin_if(condition, Method::DELETE, &path, None).await;
            assert_eq!(deleted.status, 404, "{path}");
        }
        let created = put(("if-none-match", "*"), &one).await;
        assert_eq!(created.status, 201, "{path}: {}", created.body);
        let first = tag(&created);
        let weak = format!("W/{first}");
        for condition in
            [("if-none-match", "*"), ("if-none-match", &*first), ("if-match", "\"other\""), ("if-match", &*weak)]
        {
            refused(condition).await;
        }
        assert_eq!(tag(&broker.admin(Method::GET, &path, None).await), first, "{path}: nothing changed");
        let several = format!("\"other\", {first}");
        let second = put(("if-match", &several), &two).await;
        assert_eq!(second.status, 200, "{path}: {}", second.body);
        let second = tag(&second);
        if one != two {
            refused(("if-match", &first)).await;
        }
        assert_eq!(broker.admin_if(("if-match", &second), Method::DELETE, &path, None).await.status, 204, "{path}");
        assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "{path}");
    }
}

/// AZ-13: what is no list of tags is the caller's fault, not no condition.
#[tokio::test]
async fn broken_conditions_are_refused() {
    let broker = Deployment::from_env();
    let path = format!("/tenants/{}", unique("t"));
    for name in ["if-match", "if-none-match"] {
        for value in ["abc", "\"abc", "\"a\" \"b\"", "*, \"a\"", "'a'"] {
            let reply = broker.admin_if((name, value), Method::PUT, &path, Some(&named("x"))).await;
            assert_eq!(reply.status, 400, "{name}: {value}: {}", reply.body);
        }
        let request = broker.request(Method::PUT, &format!("/admin/v1{path}")).bearer_auth(&broker.admin_token);
        // Several headers are one list (RFC 9110 §5.3), on some hosts before we see them.
        let twice = request.header(name, "\"a\"").header(name, "b").body(named("x").to_string());
        assert_eq!(Reply::of(twice).await.status, 400, "{name} twice");
    }
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was done");
}

/// ED-1: of many who change what they all read, one does, and what it wrote stands. Of many who create, one does.
#[tokio::test]
async fn of_racing_changes_one_wins() {
    let broker = Deployment::from_env();
    for (path, one, two) in objects(&broker).await {
        // No two bodies are the same: a change that changes nothing leaves the tag as it is.
        let race = async |condition: (&'static str, String)| {
            let mut tasks = Vec::new();
            for number in 0..12 {
                let (broker, path, mut body, condition) =
                    (broker.clone(), path.clone(), two.clone(), condition.clone());
                if let Some(name) = body.get_mut("name") {
                    *name = json!(format!("{} {number}", condition.0));
                }
                tasks.push(tokio::spawn(async move {
                    broker.admin_if((condition.0, &condition.1), Method::PUT, &path, Some(&body)).await
                }));
            }
            let mut won = Vec::new();
            for task in tasks {
                let reply = task.await.expect("no panic");
                match reply.status.as_u16() {
                    200 | 201 => won.push(reply),
                    412 | 503 => {}
                    other => panic!("{path}: {other} {}", reply.body),
                }
            }
            won
        };
        let created = race(("if-none-match", "*".to_owned())).await;
        assert_eq!(created.len(), 1, "{path}");
        assert_eq!(tag(&created[0]), tag(&broker.admin(Method::GET, &path, None).await), "{path}");
        if one != two {
            let replaced = race(("if-match", tag(&created[0]))).await;
            assert_eq!(replaced.len(), 1, "{path}");
            assert_eq!(tag(&replaced[0]), tag(&broker.admin(Method::GET, &path, None).await), "{path}");
        }
    }
}

/// A person is switched off only in the state that was read.
#[tokio::test]
async fn people_have_states_too() {
    let world = World::new().await;
    let claims = vestibule_testkit::relying_party::payload(&member(&world.tokens().await, "id_token")).expect("claims");
    let path = format!("/tenants/{}/users/{}", world.tenant, claims["sub"].as_str().expect("a subject"));
    let before = tag(&world.broker.admin(Method::GET, &path, None).await);
    let switch = async |condition, active: bool| {
        world.broker.admin_if(condition, Method::PUT, &path, Some(&json!({ "active": active }))).await
    };
    assert_eq!(switch(("if-match", "\"other\""), false).await.status, 412);
    assert_eq!(switch(("if-none-match", "*"), false).await.status, 412);
    let after = tag(&switch(("if-match", &before), false).await);
    assert_ne!(before, after);
    assert_eq!(switch(("if-match", &before), true).await.status, 412);
    assert_eq!(tag(&world.broker.admin(Method::GET, &path, None).await), after);
}
