//! The same rules over what a directory pushes: asked with each change, in the commit of the change.

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Document;
use vestibule_tests::in_process::{TestBroker, claims};
use vestibule_tests::scim::USER;

const MAPPING: &str = "/tenants/acme/mapping";

/// A directory with a token, and rules for its groups and for `userType`.
async fn directory() -> (TestBroker, String) {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let mapping = json!({
        "roles": [{ "name": "admin" }, { "name": "member" }],
        "require_role": false,
        "rules": [
            { "claim": "groups", "value": "role-${*}", "grants": "role" },
            { "claim": "groups", "value": "team-${*}", "grants": "team" },
            { "claim": "type", "value": "*", "grants": "business_unit" },
        ],
        "scim": { "groups": "group_display_names", "type": "userType" },
    });
    test.admin(Method::PUT, MAPPING, &mapping).await;
    (test, token)
}

async fn access(test: &TestBroker, user: &str) -> Value {
    test.admin(Method::GET, &format!("/tenants/acme/users/{user}/access"), &Value::Null).await
}

/// Names of a kind, each with who granted it.
fn names(access: &Value, kind: &str) -> Vec<String> {
    let text = |grant: &Value, member: &str| grant[member].as_str().expect("a text").to_owned();
    let grants = access[kind].as_array().map(Vec::as_slice).unwrap_or_default();
    grants.iter().map(|grant| format!("{} by {}", text(grant, "name"), text(grant, "from"))).collect()
}

/// SC-22: a person who is made, changed, put into a group and taken out of it, a group that is renamed and removed: what is
/// theirs is right when the directory has its answer, and the audit log says what they gained and lost.
#[tokio::test]
async fn each_change_asks_the_rules_anew() {
    let (test, token) = directory().await;
    let body = json!({ "schemas": [USER], "userName": "ada@corp.example", "userType": "Research" });
    let made = test.scim(&token, Method::POST, "/Users", &body).await.scim();
    let ada = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(names(&access(&test, &ada).await, "business_units"), ["Research by scim"]);
    let changed = json!([{ "op": "replace", "path": "userType", "value": "Sales" }]);
    test.scim_patch(&token, &format!("/Users/{ada}"), &changed).await;
    assert_eq!(names(&access(&test, &ada).await, "business_units"), ["Sales by scim"]);
    let group = test.scim_group(&token, "team-Data", std::slice::from_ref(&ada)).await;
    let path = format!("/Groups/{group}");
    assert_eq!(names(&access(&test, &ada).await, "teams"), ["Data by scim"]);
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "role-admin" }]);
    test.scim_patch(&token, &path, &renamed).await;
    let after = access(&test, &ada).await;
    assert_eq!((names(&after, "teams"), &after["role"]), (vec![], &json!("admin")));
    test.scim_patch(&token, &path, &json!([{ "op": "remove", "path": "members" }])).await;
    assert_eq!(access(&test, &ada).await["role"], Value::Null);
    let back = json!([{ "op": "add", "path": "members", "value": [{ "value": ada }] }]);
    test.scim_patch(&token, &path, &back).await;
    assert_eq!(access(&test, &ada).await["role"], "admin");
    test.scim(&token, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(access(&test, &ada).await["role"], Value::Null);
    for _ in 0..15 {
        test.broker.tick().await.expect("a tick");
        test.clock.advance(Seconds(60));
    }
    let audit = test.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
    let told: Vec<&Value> = audit["events"].as_array().expect("events").iter().collect();
    let people = told.iter().filter_map(|event| event["people"].as_array()).flatten();
    let rights: Vec<(Value, Value)> = people.map(|person| (person["gained"].clone(), person["lost"].clone())).collect();
    for expected in [
        (json!({ "business_units": ["Research"] }), Value::Null),
        (json!({ "business_units": ["Sales"] }), json!({ "business_units": ["Research"] })),
        (json!({ "teams": ["Data"] }), Value::Null),
        (json!({ "roles": ["admin"] }), json!({ "teams": ["Data"] })),
        (Value::Null, json!({ "roles": ["admin"] })),
    ] {
        assert!(rights.contains(&expected), "{expected:?} in {rights:?}");
    }
}

/// What claims granted, a push leaves; what was pushed, a sign-in leaves; what was given by hand, both.
#[tokio::test]
async fn claims_and_pushes_do_not_disturb_each_other() {
    let (test, token) = directory().await;
    let usual = test.admin(Method::GET, "/tenants/acme", &Value::Null).await;
    assert_eq!(usual["provisioning"]["mode"], "scim");
    let body = json!({ "schemas": [USER], "userName": "alice", "externalId": "alice-1", "userType": "Research" });
    let made = test.scim(&token, Method::POST, "/Users", &body).await;
    let alice = made.scim()["id"].as_str().expect("an id").to_owned();
    let group = test.scim_group(&token, "team-Data", std::slice::from_ref(&alice)).await;
    test.idp.say(Document::Userinfo, "groups", json!(["team-Data", "team-Ops"]));
    let tokens = test.tokens().await;
    assert_eq!(claims(&tokens["id_token"])["sub"], json!(alice), "the pushed person signs in");
    let by_hand = json!({ "teams": ["Data"] });
    test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}/access"), &by_hand).await;
    let all = ["Data by administrator", "Data by scim", "Data by claim", "Ops by claim"];
    assert_eq!(names(&access(&test, &alice).await, "teams"), all);
    test.scim(&token, Method::DELETE, &format!("/Groups/{group}"), &Value::Null).await;
    let all = ["Data by administrator", "Data by claim", "Ops by claim"];
    assert_eq!(names(&access(&test, &alice).await, "teams"), all);
    test.idp.say(Document::Userinfo, "groups", json!([]));
    test.tokens().await;
    let left = access(&test, &alice).await;
    assert_eq!(names(&left, "teams"), ["Data by administrator"]);
    assert_eq!(names(&left, "business_units"), ["Research by scim"]);
}
