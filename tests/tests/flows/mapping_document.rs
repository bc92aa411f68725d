//! The examples of `docs/MAPPING.md`, from the document itself: each is played through, and comes to what it says.

use http::Method;
use serde_json::{Map, Value, json};
use vestibule_tests::in_process::TestBroker;

const DOCUMENT: &str = include_str!("../../../docs/MAPPING.md");

/// The JSON blocks with what they are: ` ```json mapping `.
fn blocks() -> Vec<(String, Value)> {
    let mut blocks = Vec::new();
    let mut parts = DOCUMENT.split("\n```");
    parts.next();
    while let Some(block) = parts.next() {
        let (head, body) = block.split_once('\n').expect("a block has a first line");
        let kind = head.strip_prefix("json ").expect("every block says what it is").to_owned();
        blocks.push((kind, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body}"))));
        parts.next();
    }
    blocks
}

fn names(granted: &Value) -> Value {
    granted.as_array().expect("a list").iter().map(|granted| granted["name"].clone()).collect()
}

/// What a sign-in with these claims comes to, by the preview.
async fn previewed(test: &TestBroker, mapping: &Value, claims: &Value) -> Map<String, Value> {
    let body = json!({ "connection": "idp", "id_token": claims, "mapping": mapping });
    let shown = test.admin(Method::POST, "/tenants/acme/mapping/preview", &body).await;
    assert!(!shown["unique_id"].is_null(), "{claims} names nobody");
    let attributes = shown["attributes"].as_array().expect("a list").iter();
    let attributes: Map<String, Value> = attributes
        .map(|attribute| (attribute["name"].as_str().expect("a name").to_owned(), attribute["value"].clone()))
        .collect();
    let lists = ["roles", "teams", "business_units"].map(|kind| (kind.to_owned(), names(&shown[kind])));
    let more = [("role".to_owned(), shown["role"].clone()), ("attributes".to_owned(), attributes.into())];
    lists.into_iter().chain(more).collect()
}

/// What somebody has whom a directory pushed, with these groups.
async fn pushed(test: &TestBroker, mapping: &Value, pushed: &Value) -> Map<String, Value> {
    test.admin(Method::PUT, "/tenants/acme/mapping", mapping).await;
    let token = test.scim_token().await;
    let made = test.scim(&token, Method::POST, "/Users", &pushed["user"]).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let user = made.scim()["id"].as_str().expect("an id").to_owned();
    for group in pushed["groups"].as_array().expect("groups") {
        test.scim_group(&token, group.as_str().expect("a name"), std::slice::from_ref(&user)).await;
    }
    let shown = test.admin(Method::GET, &format!("/tenants/acme/users/{user}/access"), &Value::Null).await;
    let lists = ["roles", "teams", "business_units"].map(|kind| (kind.to_owned(), names(&shown[kind])));
    lists.into_iter().chain([("role".to_owned(), shown["role"].clone())]).collect()
}

#[tokio::test]
async fn every_example_comes_to_what_it_says() {
    let (mut connection, mut mapping, mut said) = (json!({}), Value::Null, (String::new(), Value::Null));
    let mut played = 0;
    for (kind, block) in blocks() {
        match kind.as_str() {
            "connection" => connection = block,
            "mapping" => mapping = block,
            "claims" | "pushed" => said = (kind, block),
            "result" => {
                let test = TestBroker::new().await;
                test.connect(&std::mem::replace(&mut connection, json!({}))).await;
                let came = match said.0.as_str() {
                    "pushed" => pushed(&test, &mapping, &said.1).await,
                    _ => previewed(&test, &mapping, &said.1).await,
                };
                for (name, value) in block.as_object().expect("an object") {
                    assert_eq!(came.get(name), Some(value), "{name} of {mapping} with {}", said.1);
                }
                for kind in ["teams", "business_units"] {
                    let none = block.get(kind).is_none();
                    assert!(!none || came[kind] == json!([]), "{kind} of {mapping} are not told");
                }
                played += 1;
            }
            other => panic!("what is a block of {other}?"),
        }
    }
    assert!(played >= 9, "the document has examples");
}
