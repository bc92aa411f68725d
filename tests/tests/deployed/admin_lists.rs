//! Lists of the admin API: complete, in order, a page at a time, and nobody else's.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::world::member;
use vestibule_tests::{Deployment, World};

/// All items, fetched in pages of `limit`.
async fn all(broker: &Deployment, path: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    for _ in 0..10_000 {
        let reply = broker.admin(Method::GET, &format!("{path}?limit={limit}{cursor}"), None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let page = reply.json();
        let found = page["items"].as_array().expect("items");
        assert!(found.len() <= limit, "{path}: {page}");
        items.extend(found.clone());
        match &page["next"] {
            Value::Null => return items,
            next => cursor = format!("&cursor={}", next.as_str().expect("a cursor")),
        }
    }
    panic!("{path} has no end");
}

fn names(items: &[Value], member: &str) -> Vec<String> {
    items.iter().map(|item| item[member].as_str().expect("a name").to_owned()).collect()
}

/// What is put is listed once, in order, whatever the size of a page; what is deleted is not. An item is what a GET
/// shows.
#[tokio::test]
async fn what_is_there_is_listed() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "Acme" })).await;
    let connection = json!({
        "name": "Corp", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "x", "client_auth": "none",
    });
    for (path, member, end, body) in [
        (format!("/tenants/{tenant}/connections"), "id", "", connection),
        (format!("/tenants/{tenant}/domains"), "domain", ".example", json!({})),
        (format!("/tenants/{tenant}/hosts"), "host", ".example", json!({})),
    ] {
        assert_eq!(all(&broker, &path, 10).await, Vec::<Value>::new(), "{path}");
        let made: BTreeSet<String> = (0..7).map(|_| format!("{}{end}", unique("n"))).collect();
        for name in &made {
            broker.put(&format!("{path}/{name}"), body.clone()).await;
        }
        for limit in [1, 3, 7, 100] {
            let listed = names(&all(&broker, &path, limit).await, member);
            assert_eq!(listed, made.iter().cloned().collect::<Vec<_>>(), "{path} by {limit}");
        }
        for (item, name) in all(&broker, &path, 100).await.iter().zip(&made) {
            assert_eq!(*item, broker.admin(Method::GET, &format!("{path}/{name}"), None).await.json());
        }
        let gone = made.first().expect("seven");
        assert_eq!(broker.admin(Method::DELETE, &format!("{path}/{gone}"), None).await.status, 204);
        assert_eq!(names(&all(&broker, &path, 2).await, member).len(), 6, "{path}");
        broker.put(&format!("{path}/{gone}"), body).await;
        assert_eq!(names(&all(&broker, &path, 2).await, member).len(), 7, "{path}: made anew");
    }
}

/// Tenants and applications are in partitions of their own and are listed all the same.
#[tokio::test]
async fn the_deployment_is_listed() {
    let broker = Deployment::from_env();
    let client = json!({ "name": "App", "redirect_uris": ["https://app.example/"], "client_auth": "none" });
    for (path, body) in [("/tenants", json!({ "name": "Acme" })), ("/clients", client)] {
        let mut made: Vec<String> = (0..3).map(|_| unique("n")).collect();
        made.sort();
        for name in &made {
            broker.put(&format!("{path}/{name}"), body.clone()).await;
        }
        let listed = all(&broker, path, 100).await;
        let everything = names(&listed, "id");
        assert!(everything.is_sorted(), "{everything:?}");
        let ours: Vec<_> = everything.into_iter().filter(|id| made.contains(id)).collect();
        assert_eq!(ours, made);
        let shown = broker.admin(Method::GET, &format!("{path}/{}", made[0]), None).await.json();
        assert!(listed.contains(&shown), "{shown}");
        broker.admin(Method::DELETE, &format!("{path}/{}", made[0]), None).await;
        let left = names(&all(&broker, path, 100).await, "id");
        assert!(!left.contains(&made[0]) && left.contains(&made[1]), "{left:?}");
    }
}

/// A tenant's people are its own.
#[tokio::test]
async fn people_are_listed() {
    let world = World::new().await;
    let claims = vestibule_testkit::relying_party::payload(&member(&world.tokens().await, "id_token")).expect("claims");
    let people = all(&world.broker, &format!("/tenants/{}/users", world.tenant), 10).await;
    assert_eq!(names(&people, "id"), [claims["sub"].as_str().expect("a subject")]);
    let other = unique("t");
    world.broker.put(&format!("/tenants/{other}"), json!({ "name": "Other" })).await;
    assert_eq!(all(&world.broker, &format!("/tenants/{other}/users"), 10).await, Vec::<Value>::new());
}

/// AZ-13: what is no page, and whose list there is not.
#[tokio::test]
async fn what_is_no_page_is_refused() {
    let broker = Deployment::from_env();
    for query in ["limit=0", "limit=101", "limit=x", "limit=1&limit=2", "cursor=%00", "cursor=a", "cursor=%2A"] {
        let reply = broker.admin(Method::GET, &format!("/tenants?{query}"), None).await;
        assert_eq!(reply.status, 400, "{query}: {}", reply.body);
    }
    for list in ["connections", "domains", "hosts", "users"] {
        let reply = broker.admin(Method::GET, &format!("/tenants/{}/{list}", unique("t")), None).await;
        assert_eq!(reply.status, 404, "{list}: {}", reply.body);
    }
}
