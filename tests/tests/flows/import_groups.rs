//! Groups that claims name, as groups of the directory: who is in them after which sign-in, and what races and processes
//! that die leave of them.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::model::user::GroupName;
use vestibule_core::store::{Expect, key};
use vestibule_testkit::{Account, Document};
use vestibule_tests::in_process::{ALICE, TestBroker};
use vestibule_tests::watched_store::{Counter, DiesAfter, Yields, watched};

const BOB: &str = "bob@corp.example";

/// A broker whose connection imports groups, and a directory's token to look at them.
async fn importing() -> (TestBroker, String) {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    test.set_mode("just_in_time").await;
    test.idp.add_account(Account::new(BOB, "password", "bob-1", "Bob"));
    switch(&test, true).await;
    (test, token)
}

async fn switch(test: &TestBroker, on: bool) {
    test.connect(&json!({ "sign_in": { "import_groups": on } })).await;
}

fn say(test: &TestBroker, groups: &Value) {
    for document in [Document::IdToken, Document::Userinfo] {
        test.idp.say(document, "groups", groups.clone());
    }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("Group {number:02}")).collect()
}

async fn sign_in(test: &TestBroker) -> String {
    test.subject_of("idp", ALICE).await
}

/// Every group by name, with the ids of who is in it. No two may have one name.
async fn groups(test: &TestBroker, token: &str) -> BTreeMap<String, Vec<String>> {
    let list = test.scim_get(token, "/Groups?count=1000").await;
    let found = list["Resources"].as_array().cloned().unwrap_or_default();
    assert_eq!(list["totalResults"], found.len(), "counted right");
    let mut groups = BTreeMap::new();
    for group in found {
        let whole = test.scim_get(token, &format!("/Groups/{}", group["id"].as_str().expect("an id"))).await;
        let members = whole["members"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<_> = members.iter().map(|one| one["value"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        let name = group["displayName"].as_str().expect("a name").to_owned();
        assert_eq!(groups.insert(name.clone(), ids), None, "{name} is there once");
    }
    groups
}

/// What somebody's groups are called, as they themselves show it.
async fn groups_of(test: &TestBroker, token: &str, user: &str) -> Vec<String> {
    let user = test.scim_get(token, &format!("/Users/{user}")).await;
    let groups = user["groups"].as_array().cloned().unwrap_or_default();
    let mut names: Vec<_> = groups.iter().map(|group| group["display"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

/// Groups come with the first sign-in, each with who is in it; one that a claim does not name any more, loses them; and
/// only sign-ins change them.
#[tokio::test]
async fn groups_follow_the_claims() {
    let (test, token) = importing().await;
    say(&test, &json!(["Data", "Ops", "Ops", "ops", "", "x".repeat(513)]));
    let alice = sign_in(&test).await;
    let expected = ["Data", "Ops", "ops"].map(|name| (name.to_owned(), vec![alice.clone()]));
    assert_eq!(groups(&test, &token).await, BTreeMap::from(expected));
    let bob = test.subject_of("idp", BOB).await;
    say(&test, &json!(["Ops", "New"]));
    assert_eq!(sign_in(&test).await, alice);
    let mut both = vec![alice.clone(), bob.clone()];
    both.sort();
    let expected = [("Data", vec![bob.clone()]), ("New", vec![alice.clone()]), ("Ops", both), ("ops", vec![bob])];
    let found = groups(&test, &token).await;
    assert_eq!(found, expected.map(|(name, members)| (name.to_owned(), members)).into());
    assert_eq!(groups_of(&test, &token, &alice).await, ["New", "Ops"]);
    let list = test.scim_get(&token, "/Groups?filter=displayName%20eq%20%22Data%22").await;
    let path = format!("/Groups/{}", list["Resources"][0]["id"].as_str().expect("an id"));
    let emptied = json!([{ "op": "remove", "path": "members" }]);
    assert_eq!(test.scim_patch(&token, &path, &emptied).await.status, StatusCode::FORBIDDEN);
    assert_eq!(test.scim(&token, Method::DELETE, &path, &Value::Null).await.status, StatusCode::FORBIDDEN);
    assert_eq!(groups(&test, &token).await, found);
}

/// RP-9: groups that are too many to send, and groups of which nothing is said, are not known to be none.
#[tokio::test]
async fn what_is_not_known_withdraws_nothing() {
    let (test, token) = importing().await;
    say(&test, &json!(["Data"]));
    let alice = sign_in(&test).await;
    say(&test, &Value::Null);
    for hint in [json!(true), Value::Null] {
        test.idp.say(Document::IdToken, "hasgroups", hint);
        sign_in(&test).await;
        assert_eq!(groups_of(&test, &token, &alice).await, ["Data"]);
    }
    say(&test, &json!([]));
    sign_in(&test).await;
    assert_eq!(groups_of(&test, &token, &alice).await, Vec::<String>::new(), "an empty list is known");
}

/// Without the switch nothing is imported; switched off, the next sign-in takes a person out, whatever it says.
#[tokio::test]
async fn the_switch_decides() {
    let (test, token) = importing().await;
    switch(&test, false).await;
    say(&test, &json!(["Data"]));
    let alice = sign_in(&test).await;
    assert_eq!(groups(&test, &token).await, BTreeMap::new());
    test.connect(&json!({})).await;
    sign_in(&test).await;
    assert_eq!(groups(&test, &token).await, BTreeMap::new(), "off by default");
    switch(&test, true).await;
    sign_in(&test).await;
    assert_eq!(groups_of(&test, &token, &alice).await, ["Data"], "nothing new was said, but the switch is on");
    let pushed = test.scim_group(&token, "Data", std::slice::from_ref(&alice)).await;
    switch(&test, false).await;
    say(&test, &Value::Null);
    sign_in(&test).await;
    let left = test.scim_get(&token, &format!("/Users/{alice}")).await;
    let left: Vec<_> = left["groups"].as_array().expect("groups").iter().map(|group| &group["value"]).collect();
    assert_eq!(left, [&json!(pushed)], "what a directory pushed stays");
}

/// Two connections that name a group alike have a group each.
#[tokio::test]
async fn each_connection_has_its_own_groups() {
    let (test, token) = importing().await;
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
        "sign_in": { "import_groups": true },
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    say(&test, &json!(["Data"]));
    let (first, second) = (sign_in(&test).await, test.subject_of("second", ALICE).await);
    let list = test.scim_get(&token, "/Groups?attributes=members").await;
    let members = list["Resources"].as_array().expect("groups").iter().map(|group| &group["members"]);
    let mut members: Vec<_> = members.map(|members| members[0]["value"].as_str().expect("an id")).collect();
    let mut people = [first.as_str(), second.as_str()];
    members.sort_unstable();
    people.sort_unstable();
    assert_eq!(members, people);
}

/// ED-1: of two people who bring the same groups at once, nobody makes one twice and nobody is left out.
#[tokio::test]
async fn racing_logins_make_each_group_once() {
    let (test, token) = importing().await;
    let busy = test.another_process(Some(watched(&test.store, Yields).0));
    // The first logins, and some that bring a single group: those meet at its name only.
    for count in 30..34 {
        say(&test, &json!(names(count)));
        let (alice, bob) = futures_util::join!(sign_in(&busy), busy.subject_of("idp", BOB));
        let mut both = vec![alice, bob];
        both.sort();
        let expected = names(count).into_iter().map(|name| (name, both.clone())).collect();
        assert_eq!(groups(&test, &token).await, expected);
    }
}

/// What a process that died owed, the tick does, wherever it died.
#[tokio::test]
async fn the_tick_completes_an_import() {
    for commits in 1..4 {
        let (test, token) = importing().await;
        say(&test, &json!(names(30)));
        let dying = test.another_process(Some(watched(&test.store, DiesAfter::commits_to("directory", commits)).0));
        assert_eq!(dying.try_sign_in("idp", ALICE).await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(groups(&test, &token).await.len() < 30, "{commits}");
        test.audited(&[]).await;
        let found = groups(&test, &token).await;
        assert_eq!((found.len(), found.values().all(|members| members.len() == 1)), (30, true), "{commits}");
    }
}

/// Rules over what a directory pushed are not asked of groups that claims name.
#[tokio::test]
async fn imported_groups_are_no_evidence_of_a_directory() {
    let (test, token) = importing().await;
    let mapping = json!({
        "rules": [{ "claim": "pushed", "value": "team-${*}", "grants": "team" }],
        "scim": { "pushed": "group_display_names" },
    });
    test.admin(Method::PUT, "/tenants/acme/mapping", &mapping).await;
    say(&test, &json!(["team-Data"]));
    let alice = sign_in(&test).await;
    test.scim_group(&token, "team-Ops", std::slice::from_ref(&alice)).await;
    assert_eq!(groups_of(&test, &token, &alice).await, ["team-Data", "team-Ops"]);
    let access = test.admin(Method::GET, &format!("/tenants/acme/users/{alice}/access"), &Value::Null).await;
    let teams: Vec<_> = access["teams"].as_array().expect("teams").iter().map(|team| &team["name"]).collect();
    assert_eq!(teams, ["Ops"]);
}

/// ED-2: a sign-in whose groups are imported already costs what any costs.
#[tokio::test]
async fn a_warm_sign_in_costs_nothing_more() {
    let (test, _) = importing().await;
    say(&test, &json!(names(30)));
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    test.sign_in().await;
    let (authorization, cookie) = test.start().await;
    counter.calls();
    test.finish(&authorization, &cookie).await;
    assert_eq!(counter.calls(), (2, vec!["sessions".to_owned()]), "the identity with the person, their gate");
}

/// What does not fit into a person's record is left out, and keeps nobody out.
#[tokio::test]
async fn a_person_is_in_a_thousand_groups_at_most() {
    let (test, token) = importing().await;
    let alice = sign_in(&test).await;
    let record = key::user("acme", &alice);
    let mut found = record.get(&*test.store).await.expect("the store").expect("a person");
    for number in 0..995 {
        let name = GroupName { display: format!("Pushed {number}"), connection: None };
        found.value.member_of.insert(format!("group-{number}"), name);
    }
    let write = record.put(&found.value, Expect::Version(found.version)).expect("a record");
    test.store.commit(record.partition(), vec![write]).await.expect("a commit");
    say(&test, &json!(names(10)));
    for _ in 0..2 {
        sign_in(&test).await;
        assert_eq!(groups(&test, &token).await.len(), 5);
    }
}
