//! Groups, pushed by a directory: who is in them is right after every kind of change, and what is wrong changes nothing.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::Reply;
use vestibule_tests::scim::{Directory, GROUP};

async fn get(directory: &Directory, path: &str) -> Value {
    let reply = directory.call(Method::GET, path, None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.scim()
}

/// The ids of a group's members.
async fn members(directory: &Directory, group: &str) -> Vec<String> {
    let group = get(directory, &format!("/Groups/{group}")).await;
    let members = group["members"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<String> =
        members.iter().map(|member| member["value"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

/// The names of somebody's groups, as they themselves show them.
async fn groups_of(directory: &Directory, user: &str) -> Vec<String> {
    let user = get(directory, &format!("/Users/{user}")).await;
    let groups = user["groups"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<String> =
        groups.iter().map(|group| group["display"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

fn refused(reply: &Reply, scim_type: &str, words: &str) {
    let error = reply.scim();
    assert_eq!((reply.status.as_u16(), &error["scimType"]), (400, &json!(scim_type)), "{error}");
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{error}");
}

/// SC-5: a group is created, shown with references, and shows with its members.
#[tokio::test]
async fn a_group_and_its_members_name_each_other() {
    let directory = Directory::new().await;
    let ada = directory.user("ada").await;
    let body = json!({ "schemas": [GROUP], "displayName": "Tour Guides", "externalId": "g1",
        "members": [{ "value": ada, "$ref": null, "display": "Ada", "type": "User" }] });
    let made = directory.call(Method::POST, "/Groups", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let group = made.scim();
    let id = group["id"].as_str().expect("an id");
    let at = |kind: &str, id: &str| format!("{}/scim/v2/{kind}/{id}", directory.broker.url);
    assert_eq!(made.header("location"), Some(&*at("Groups", id)));
    assert_eq!(made.header("etag"), group["meta"]["version"].as_str());
    assert_eq!(group["members"], json!([{ "value": ada, "$ref": at("Users", &ada), "type": "User" }]));
    assert_eq!((&group["displayName"], &group["externalId"]), (&json!("Tour Guides"), &json!("g1")));
    let user = get(&directory, &format!("/Users/{ada}")).await;
    let shown = json!([{ "value": id, "$ref": at("Groups", id), "display": "Tour Guides", "type": "direct" }]);
    assert_eq!(user["groups"], shown);
    let again = directory.call(Method::POST, "/Groups", Some(&body)).await;
    assert_eq!((again.status.as_u16(), &again.scim()["scimType"]), (409, &json!("uniqueness")));
    let without = directory.query(&format!("/Groups/{id}"), &[("excludedAttributes", "members")]).await.scim();
    assert_eq!((without.get("members"), &without["displayName"]), (None, &json!("Tour Guides")));
}

/// SC-9, SC-19: members come and go in all the ways in which directories ask for it.
#[tokio::test]
async fn members_come_and_go() {
    let directory = Directory::new().await;
    let (ada, bob, eve) = (directory.user("ada").await, directory.user("bob").await, directory.user("eve").await);
    let group = directory.group("Ops", &[&ada]).await;
    let path = format!("/Groups/{group}");
    for (operations, expected) in [
        (json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": bob }] }]), vec![&ada, &bob]),
        (
            json!([{ "op": "add", "value": { "members": [{ "value": bob }, { "value": eve }] } }]),
            vec![&ada, &bob, &eve],
        ),
        (json!([{ "op": "Remove", "path": "members", "value": [{ "value": ada }] }]), vec![&bob, &eve]),
        (json!([{ "op": "remove", "path": format!("members[value eq \"{bob}\"]") }]), vec![&eve]),
        (json!([{ "op": "remove", "path": "members", "value": [{ "value": "nobody" }] }]), vec![&eve]),
        (
            json!([{ "op": "replace", "path": "members", "value": [{ "value": ada }, { "value": bob }] }]),
            vec![&ada, &bob],
        ),
        (json!([{ "op": "remove", "path": "members" }]), vec![]),
        (json!([{ "op": "add", "path": "members", "value": [{ "value": eve }] }]), vec![&eve]),
        (json!([{ "op": "replace", "value": { "members": [], "displayName": "Ops" } }]), vec![]),
    ] {
        let reply = directory.patch(&path, &operations).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (204, ""), "{operations}");
        assert_eq!(members(&directory, &group).await, sorted(&expected), "{operations}");
        for user in [&ada, &bob, &eve] {
            let groups: &[&str] = if expected.contains(&user) { &["Ops"] } else { &[] };
            assert_eq!(groups_of(&directory, user).await, groups, "{operations}");
        }
    }
    let operations = json!([{ "op": "add", "path": "members", "value": [{ "value": ada }] }]);
    let body = json!({ "schemas": [vestibule_tests::scim::PATCH], "Operations": operations });
    let shown = directory.call(Method::PATCH, &format!("{path}?attributes=members"), Some(&body)).await;
    assert_eq!((shown.status.as_u16(), &shown.scim()["members"][0]["value"]), (200, &json!(ada)));
}

/// SC-10, SC-14: a PUT says who is in the group; its tag follows the members.
#[tokio::test]
async fn a_put_says_who_is_in_the_group() {
    let directory = Directory::new().await;
    let (ada, bob) = (directory.user("ada").await, directory.user("bob").await);
    let group = directory.group("Ops", &[&ada]).await;
    let path = format!("/Groups/{group}");
    let tag = get(&directory, &path).await["meta"]["version"].clone();
    let body =
        json!({ "schemas": [GROUP], "displayName": "Operations", "members": [{ "value": bob, "display": null }] });
    let put = directory.call(Method::PUT, &path, Some(&body)).await;
    assert_eq!(put.status, 200, "{}", put.body);
    assert_eq!(put.scim()["members"][0]["value"], json!(bob));
    assert_ne!(put.scim()["meta"]["version"], tag);
    assert_eq!(groups_of(&directory, &ada).await, Vec::<String>::new());
    assert_eq!(groups_of(&directory, &bob).await, ["Operations"]);
    let stale = directory.anonymous(Method::PUT, &path).bearer_auth(&directory.token);
    let stale = stale.header("if-match", tag.as_str().expect("a tag")).header("content-type", "application/scim+json");
    assert_eq!(Reply::of(stale.body(body.to_string())).await.status, 412);
    let nobody = json!({ "schemas": [GROUP], "displayName": "Operations" });
    assert_eq!(directory.call(Method::PUT, &path, Some(&nobody)).await.status, 200);
    assert_eq!(members(&directory, &group).await, Vec::<String>::new());
}

/// SC-21: groups in groups and people who are not there are refused; nothing of the request is done.
#[tokio::test]
async fn only_people_who_are_there_can_be_members() {
    let directory = Directory::new().await;
    let ada = directory.user("ada").await;
    let inner = directory.group("Inner", &[]).await;
    let group = directory.group("Outer", &[]).await;
    let other = Directory::new().await.user("elsewhere").await;
    let path = format!("/Groups/{group}");
    let long = "x".repeat(2_000);
    for (member, words) in [
        (json!({ "value": inner }), "groups in groups are not supported"),
        (json!({ "value": inner, "type": "Group" }), "groups in groups are not supported"),
        (json!({ "value": "nobody" }), "names no user"),
        (json!({ "value": other }), "names no user"),
        (json!({ "value": "a#b" }), "names no user"),
        (json!({ "value": long }), "names no user"),
    ] {
        let operations = json!([
            { "op": "replace", "path": "displayName", "value": "Renamed" },
            { "op": "add", "path": "members", "value": [{ "value": ada }, member] },
        ]);
        let reply = directory.patch(&path, &operations).await;
        refused(&reply, "invalidValue", words);
        refused(&reply, "invalidValue", "Operations[1].value[1].value");
        let body = json!({ "schemas": [GROUP], "displayName": "New", "members": [member] });
        refused(&directory.call(Method::POST, "/Groups", Some(&body)).await, "invalidValue", "members[0].value");
        refused(&directory.call(Method::PUT, &path, Some(&body)).await, "invalidValue", words);
    }
    let unchanged = get(&directory, &path).await;
    assert_eq!((&unchanged["displayName"], unchanged.get("members")), (&json!("Outer"), None));
    assert_eq!(groups_of(&directory, &ada).await, Vec::<String>::new());
}

/// SC-9, SC-19: a new name reaches those who are in the group, its end leaves nothing of it with them.
#[tokio::test]
async fn a_new_name_and_an_end_reach_the_members() {
    let directory = Directory::new().await;
    let mut people = Vec::new();
    for number in 0..40 {
        people.push(directory.user(&format!("person-{number}")).await);
    }
    let ids: Vec<&str> = people.iter().map(String::as_str).collect();
    let group = directory.group("Ops", &ids).await;
    let path = format!("/Groups/{group}");
    assert_eq!(members(&directory, &group).await.len(), 40);
    let rename = json!([{ "op": "replace", "value": { "id": group, "displayName": "Operations" } }]);
    assert_eq!(directory.patch(&path, &rename).await.status, 204);
    for user in [&people[0], &people[39]] {
        assert_eq!(groups_of(&directory, user).await, ["Operations"]);
    }
    assert_eq!(directory.call(Method::DELETE, &path, None).await.status, 204);
    for user in &people {
        assert_eq!(groups_of(&directory, user).await, Vec::<String>::new());
    }
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(directory.call(method, &path, None).await.status, 404);
    }
    assert_eq!(directory.patch(&path, &rename).await.status, 404);
}

/// SC-19: of concurrent changes none is lost.
#[tokio::test]
async fn concurrent_changes_lose_nobody() {
    let directory = Directory::new().await;
    let mut people = Vec::new();
    for number in 0..12 {
        people.push(directory.user(&format!("person-{number}")).await);
    }
    let group = directory.group("Ops", &[]).await;
    let path = format!("/Groups/{group}");
    let adds: Vec<Value> =
        people.iter().map(|id| json!([{ "op": "Add", "path": "members", "value": [{ "value": id }] }])).collect();
    let replies = futures_util::future::join_all(adds.iter().map(|add| directory.patch(&path, add))).await;
    let mut again = Vec::new();
    for (add, reply) in adds.iter().zip(&replies) {
        match reply.status.as_u16() {
            204 => {}
            // A store that was asked too much at once says so, and the directory asks again.
            503 => again.push(add),
            other => panic!("{other}: {}", reply.body),
        }
    }
    for add in again {
        assert_eq!(directory.patch(&path, add).await.status, 204);
    }
    assert_eq!(members(&directory, &group).await, sorted(&people.iter().collect::<Vec<_>>()));
}
