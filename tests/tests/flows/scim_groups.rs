//! A directory's groups: nobody is lost in a race, one more member costs as much in a group of thousands as in one of
//! two, and what a process that dies leaves half-done is done by the retry or by the tick.

use async_trait::async_trait;
use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::watched_store::{Call, Counter, DiesAfter, Watch, Yields, watched};

fn dying(test: &TestBroker, commits: usize) -> TestBroker {
    test.another_process(Some(watched(&test.store, DiesAfter::commits_to("directory", commits)).0))
}

/// A broker in which whatever is done at once really is.
async fn busy() -> TestBroker {
    let test = TestBroker::new().await;
    test.another_process(Some(watched(&test.store, Yields).0))
}

async fn people(test: &TestBroker, token: &str, count: usize) -> Vec<String> {
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        people.push(test.scim_user(token, &format!("person-{number}")).await);
    }
    people
}

fn listed(people: &[String]) -> Value {
    people.iter().map(|id| json!({"value": id})).collect()
}

fn add(people: &[String]) -> Value {
    json!([{"op": "add", "path": "members", "value": listed(people)}])
}

async fn members(test: &TestBroker, token: &str, group: &str) -> Vec<String> {
    let group = test.scim_get(token, &format!("/Groups/{group}")).await;
    let members = group["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|member| member["value"].as_str().expect("an id").to_owned()).collect()
}

/// What somebody's groups are called, as they themselves show it.
async fn groups_of(test: &TestBroker, token: &str, user: &str) -> Vec<String> {
    let user = test.scim_get(token, &format!("/Users/{user}")).await;
    let groups = user["groups"].as_array().cloned().unwrap_or_default();
    groups.iter().map(|group| group["display"].as_str().expect("a name").to_owned()).collect()
}

async fn a_quarter_of_an_hour(test: &TestBroker) {
    for _ in 0..15 {
        assert_eq!(test.broker.tick().await.expect("a tick").failed, 0);
        test.clock.advance(Seconds(60));
    }
}

/// SC-9, SC-19: fifty changes at once that each add somebody lose nobody, and as many that remove them leave nobody.
#[tokio::test]
async fn racing_patches_lose_nobody() {
    let test = busy().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 50).await;
    let group = test.scim_group(&token, "Ops", &[]).await;
    let path = format!("/Groups/{group}");
    let adds = people.iter().map(|one| add(std::slice::from_ref(one))).collect::<Vec<_>>();
    for reply in join_all(adds.iter().map(|operations| test.scim_patch(&token, &path, operations))).await {
        assert_eq!(reply.status, 204, "{}", reply.body);
    }
    assert_eq!(members(&test, &token, &group).await.len(), 50);
    assert_eq!(groups_of(&test, &token, &people[7]).await, ["Ops"]);
    let removes = people.iter().map(|id| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]));
    let removes = removes.collect::<Vec<_>>();
    for reply in join_all(removes.iter().map(|operations| test.scim_patch(&token, &path, operations))).await {
        assert_eq!(reply.status, 204, "{}", reply.body);
    }
    assert_eq!(members(&test, &token, &group).await, Vec::<String>::new());
    assert_eq!(groups_of(&test, &token, &people[7]).await, Vec::<String>::new());
}

/// SC-5: a group is another one when somebody joins or leaves.
#[tokio::test]
async fn a_change_of_members_is_a_change_of_the_group() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 1).await;
    let group = test.scim_group(&token, "Ops", &[]).await;
    let path = format!("/Groups/{group}");
    let mut before = test.scim_get(&token, &path).await["meta"].clone();
    for operations in [add(&people), json!([{"op": "remove", "path": "members"}])] {
        test.clock.advance(Seconds(60));
        assert_eq!(test.scim_patch(&token, &path, &operations).await.status, 204);
        let after = test.scim_get(&token, &path).await["meta"].clone();
        assert!(after["lastModified"].as_str() > before["lastModified"].as_str(), "{before} {after}");
        assert_ne!(after["version"], before["version"]);
        let listed = test.scim_get(&token, "/Groups").await;
        assert_eq!(listed["Resources"][0]["meta"], after, "a list says the same");
        before = after;
    }
}

/// SC-14, SC-19: of racing changes that each expect the group as it was, one is done.
#[tokio::test]
async fn a_condition_holds_for_members_too() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 2).await;
    let group = test.scim_group(&token, "Ops", &people[..1]).await;
    let path = format!("/Groups/{group}");
    let tag = test.scim_get(&token, &path).await["meta"]["version"].as_str().expect("a tag").to_owned();
    let request = |tag: String, one: &String| {
        let body = json!({"schemas": [vestibule_tests::scim::PATCH], "Operations": add(std::slice::from_ref(one))});
        let request = http::Request::patch(format!("/scim/v2{path}")).header("if-match", tag);
        let request = request.header("authorization", format!("Bearer {token}"));
        request.header("content-type", "application/scim+json").body(body.to_string().into()).expect("a request")
    };
    assert_eq!(test.send(request(tag.clone(), &people[1])).await.status, 204);
    assert_eq!(test.send(request(tag, &people[1])).await.status, 412, "somebody came in between");
}

/// SC-19: in a group of 10,000 one more member costs what it costs in an empty one.
#[tokio::test]
async fn one_member_more_costs_the_same_in_any_group() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let last = people(&test, &token, 1).await;
    let (small, big) = (test.scim_group(&token, "Small", &[]).await, test.scim_group(&token, "Big", &[]).await);
    test.crowd(&big, 9_999).await;
    let (store, counter) = watched(&test.store, Counter::default());
    let warm = test.another_process(Some(store));
    let remove = json!([{"op": "Remove", "path": "members", "value": listed(&last)}]);
    for warming in [add(&last), remove.clone()] {
        warm.scim_patch(&token, &format!("/Groups/{small}"), &warming).await;
    }
    for group in [&small, &big] {
        let path = format!("/Groups/{group}");
        counter.calls();
        assert_eq!(warm.scim_patch(&token, &path, &add(&last)).await.status, 204);
        let costs = (3, vec!["directory".to_owned()]);
        assert_eq!(counter.calls(), costs, "the token, the group, the person");
        assert_eq!(warm.scim_patch(&token, &path, &remove).await.status, 204);
        assert_eq!(counter.calls(), costs, "the same to go");
    }
    assert_eq!(members(&test, &token, &big).await.len(), 9_999);
}

/// SC-9, SC-19: a thousand members in one request, by a process that dies in the middle, and again by one that does not.
#[tokio::test]
async fn a_retry_completes_what_died_in_the_middle() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 1_000).await;
    let group = test.scim_group(&token, "Ops", &people[..5]).await;
    let path = format!("/Groups/{group}");
    let everybody = json!([
        {"op": "replace", "path": "members", "value": listed(&people[3..])},
        {"op": "replace", "path": "displayName", "value": "Operations"},
    ]);
    assert_eq!(dying(&test, 10).scim_patch(&token, &path, &everybody).await.status, 500);
    let some = members(&test, &token, &group).await.len();
    assert!((100..1_000).contains(&some), "{some}");
    assert_eq!(test.scim_get(&token, &path).await["displayName"], "Ops", "the name comes last");
    let again = test.scim_patch(&token, &path, &everybody).await;
    assert_eq!(again.status, 204, "{}", again.body);
    let mut expected = people[3..].to_vec();
    expected.sort();
    assert_eq!(members(&test, &token, &group).await, expected);
    for (user, groups) in [(&people[0], vec![]), (&people[3], vec!["Operations"]), (&people[999], vec!["Operations"])] {
        assert_eq!(groups_of(&test, &token, user).await, groups);
    }
}

/// SC-9, SC-21: a request that names one who is nobody changes nothing, however many others it names.
#[tokio::test]
async fn one_who_is_nobody_stops_everything() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let mut people = people(&test, &token, 100).await;
    let group = test.scim_group(&token, "Ops", &[]).await;
    let other = test.scim_group(&token, "Other", &[]).await;
    for (nobody, words) in [("zz-nobody", "names no user"), (other.as_str(), "groups in groups are not supported")] {
        people.push(nobody.to_owned());
        let refused = test.scim_patch(&token, &format!("/Groups/{group}"), &add(&people)).await;
        let error = refused.scim();
        assert_eq!((refused.status.as_u16(), &error["scimType"]), (400, &json!("invalidValue")));
        let detail = error["detail"].as_str().expect("a text");
        assert!(detail.contains(words) && detail.contains("Operations[0].value[100]"), "{detail}");
        assert!(!detail.contains(nobody));
        people.pop();
    }
    assert_eq!(members(&test, &token, &group).await, Vec::<String>::new());
}

/// SC-19: a new name and an end reach the members, by the tick if need be.
#[tokio::test]
async fn the_tick_completes_renames_and_ends() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 100).await;
    let group = test.scim_group(&token, "Ops", &people).await;
    let path = format!("/Groups/{group}");
    let rename = json!([{"op": "replace", "value": {"displayName": "Operations"}}]);
    assert_eq!(dying(&test, 4).scim_patch(&token, &path, &rename).await.status, 500);
    assert_eq!(groups_of(&test, &token, &people[99]).await, ["Operations"], "who is asked for alone is right at once");
    let names = async || {
        let list = test.scim_get(&token, "/Users?attributes=groups&count=1000").await;
        let people = list["Resources"].as_array().expect("people").clone();
        let groups = people.iter().filter_map(|user| user["groups"].as_array()).flatten();
        groups.map(|group| group["display"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let carried = names().await.iter().filter(|name| *name == "Operations").count();
    assert!((1..100).contains(&carried), "{carried}");
    a_quarter_of_an_hour(&test).await;
    assert_eq!(names().await, vec!["Operations"; 100]);
    assert_eq!(dying(&test, 3).scim(&token, Method::DELETE, &path, &Value::Null).await.status, 500);
    assert_eq!(test.scim(&token, Method::GET, &path, &Value::Null).await.status, 404);
    assert_eq!(groups_of(&test, &token, &people[99]).await, Vec::<String>::new());
    assert!(!names().await.is_empty());
    a_quarter_of_an_hour(&test).await;
    assert_eq!(names().await, Vec::<String>::new());
    let recreated = test.scim_group(&token, "Operations", &people[..1]).await;
    assert_eq!(groups_of(&test, &token, &people[0]).await, ["Operations"]);
    assert_ne!(recreated, group);
}

/// Whoever has read what they need and then takes very long.
struct Hesitates;

#[async_trait]
impl Watch for Hesitates {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("directory") {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// SC-19: whoever joins while a group is renamed or deleted is not left with what it was.
#[tokio::test]
async fn joining_races_with_renames_and_ends() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let people = people(&test, &token, 40).await;
    let group = test.scim_group(&token, "Ops", &people[..20]).await;
    let path = format!("/Groups/{group}");
    let slow = test.another_process(Some(watched(&test.store, Hesitates).0));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Operations"}]);
    let adds = people[20..].iter().map(|one| add(std::slice::from_ref(one))).collect::<Vec<_>>();
    let joins = join_all(adds.iter().map(|operations| slow.scim_patch(&token, &path, operations)));
    // The joins have read the group when it is renamed, and commit when all of that is done.
    let (joined, renamed) = futures_util::join!(joins, test.scim_patch(&token, &path, &rename));
    assert_eq!(renamed.status, 204, "{}", renamed.body);
    assert!(joined.iter().all(|reply| reply.status == 204));
    let list = test.scim_get(&token, "/Users?attributes=groups&count=1000").await;
    for user in list["Resources"].as_array().expect("people") {
        assert_eq!(user["groups"][0]["display"], "Operations", "as it is stored");
    }
    let leaves = json!([{"op": "remove", "path": "members", "value": listed(&people[20..])}]);
    assert_eq!(test.scim_patch(&token, &path, &leaves).await.status, 204);
    let joins = join_all(adds.iter().map(|operations| slow.scim_patch(&token, &path, operations)));
    let (late, ended) = futures_util::join!(joins, test.scim(&token, Method::DELETE, &path, &Value::Null));
    assert_eq!(ended.status, 204, "{}", ended.body);
    assert!(late.iter().all(|reply| reply.status == 404));
    let list = test.scim_get(&token, "/Users?attributes=groups&count=1000").await;
    for user in list["Resources"].as_array().expect("people") {
        assert_eq!(user.get("groups"), None);
    }
}
