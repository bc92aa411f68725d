//! How much a directory can say of a person and a group, and that whatever is less than that works.

use http::Method;
use serde_json::{Value, json};
use vestibule_core::model::user::GroupName;
use vestibule_core::store::{Expect, key};
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::scim::{GROUP, USER};

/// Attributes of so many bytes, about.
fn large(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// What is too much is refused with its limit, and nothing of it is kept.
#[tokio::test]
async fn too_much_is_refused() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let path = format!("/Users/{}", test.scim_user(&token, "ada").await);
    let before = test.scim_get(&token, &path).await;
    let user = |members: Value| {
        let mut user = json!({"schemas": [USER], "userName": "ada"});
        user.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        user
    };
    let addresses =
        |count: usize| (0..count).map(|at| json!({"value": format!("{at}@corp.example")})).collect::<Value>();
    for (body, status, words) in
        [(user(json!({"title": large(64 * 1024)})), 413, "64 KiB"), (user(json!({"emails": addresses(21)})), 400, "20")]
    {
        let refused = test.scim(&token, Method::PUT, &path, &body).await;
        assert_eq!(refused.status, status, "{}", refused.body);
        assert!(refused.scim()["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{}", refused.body);
    }
    let operations = json!([{"op": "add", "path": "title", "value": large(64 * 1024)}]);
    assert_eq!(test.scim_patch(&token, &path, &operations).await.status, 413);
    let group = json!({"schemas": [GROUP], "displayName": large(64 * 1024)});
    assert_eq!(test.scim(&token, Method::POST, "/Groups", &group).await.status, 413);
    let group = json!({"schemas": [GROUP], "displayName": large(513)});
    assert_eq!(test.scim(&token, Method::POST, "/Groups", &group).await.status, 400);
    assert_eq!(test.scim_get(&token, &path).await, before);
    let most = user(json!({"emails": addresses(20), "title": large(60 * 1024)}));
    assert_eq!(test.scim(&token, Method::PUT, &path, &most).await.status, 200);
    let other = (20..40).map(|at| json!({"value": format!("{at}@corp.example")})).collect::<Value>();
    let other = user(json!({"emails": other, "externalId": "x", "userName": "bob"}));
    assert_eq!(test.scim(&token, Method::PUT, &path, &other).await.status, 200, "every index changes at once");
}

/// SC-19: people of the largest size fit a group, in more commits than small ones.
#[tokio::test]
async fn large_people_come_in_more_commits() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let mut people = Vec::new();
    for number in 0..70 {
        let body = json!({"schemas": [USER], "userName": format!("{number}"), "title": large(63 * 1024)});
        let made = test.scim(&token, Method::POST, "/Users", &body).await.scim();
        people.push(made["id"].as_str().expect("an id").to_owned());
    }
    let group = test.scim_group(&token, "Large", &people).await;
    let shown = test.scim_get(&token, &format!("/Groups/{group}")).await;
    assert_eq!(shown["members"].as_array().map(Vec::len), Some(70));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Very large"}]);
    assert_eq!(test.scim_patch(&token, &format!("/Groups/{group}"), &rename).await.status, 204);
    let ended = test.scim(&token, Method::DELETE, &format!("/Groups/{group}"), &Value::Null).await;
    assert_eq!(ended.status, 204, "{}", ended.body);
}

/// A person can be in a thousand groups, not in one more.
#[tokio::test]
async fn a_person_is_in_a_thousand_groups_at_most() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let user = test.scim_user(&token, "ada").await;
    let record = key::user("acme", &user);
    let mut found = record.get(&*test.store).await.expect("a read").expect("a person");
    for number in 0..999 {
        found
            .value
            .member_of
            .insert(format!("group-{number}"), GroupName { display: format!("Group {number}"), connection: None });
    }
    let write = record.put(&found.value, Expect::Present).expect("a write");
    test.store.commit(record.partition(), vec![write]).await.expect("a commit");
    test.scim_group(&token, "The last", std::slice::from_ref(&user)).await;
    let body = json!({"schemas": [GROUP], "displayName": "One more", "members": [{"value": user}]});
    let refused = test.scim(&token, Method::POST, "/Groups", &body).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.scim()["scimType"]),
        (400, &json!("invalidValue")),
        "{}",
        refused.body
    );
    let gone = test.scim(&token, Method::DELETE, &format!("/Users/{user}"), &Value::Null).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
}

/// A new name that does not fit into somebody's record keeps nobody else from it.
#[tokio::test]
async fn a_full_record_stops_nobody_else() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let (full, other) = (test.scim_user(&token, "full").await, test.scim_user(&token, "other").await);
    let group = test.scim_group(&token, "Ops", &[full.clone(), other.clone()]).await;
    let record = key::user("acme", &full);
    let mut found = record.get(&*test.store).await.expect("a read").expect("a person");
    for number in 0..520 {
        found.value.member_of.insert(format!("group-{number}"), GroupName { display: large(450), connection: None });
    }
    let write = record.put(&found.value, Expect::Present).expect("a write");
    test.store.commit(record.partition(), vec![write]).await.expect("a commit");
    let name = large(500);
    let rename = json!([{"op": "replace", "path": "displayName", "value": name}]);
    assert_eq!(test.scim_patch(&token, &format!("/Groups/{group}"), &rename).await.status, 204);
    let list = test.scim_get(&token, "/Users?attributes=groups&filter=userName+eq+%22other%22").await;
    assert_eq!(list["Resources"][0]["groups"][0]["display"], json!(name));
    let stored = record.get(&*test.store).await.expect("a read").expect("a person").value;
    assert_eq!(stored.member_of[&group].display, "Ops", "it does not fit");
    let alone = test.scim_get(&token, &format!("/Users/{full}")).await;
    assert_eq!(
        alone["groups"],
        json!([{
            "value": group, "$ref": alone["groups"][0]["$ref"], "display": name, "type": "direct",
        }])
    );
}
