//! The examples of `docs/SCIM.md`: a request, perhaps a body, and the status that comes of it. `{Tenant}` is the
//! directory's, `{User}`, `{Group}` and `{Token}` are the ones that were made last.

use std::collections::BTreeMap;

use http::Method;
use serde_json::Value;
use url::form_urlencoded;
use vestibule_tests::scim::Directory;

const DOCUMENT: &str = include_str!("../../../docs/SCIM.md");

/// Every example works as it stands, one after the other in one tenant.
#[tokio::test]
async fn the_examples_of_the_document_work() {
    let directory = Directory::new().await;
    let mut made: BTreeMap<String, String> = BTreeMap::from([("Tenant".to_owned(), directory.tenant.clone())]);
    let mut played = 0;
    // What stands between fences is every second part: its kind, then the example.
    for block in DOCUMENT.split("```").skip(1).step_by(2) {
        let Some((kind @ ("admin" | "scim"), example)) = block.trim_end().split_once('\n') else { continue };
        let mut text = example.to_owned();
        for (name, id) in &made {
            text = text.replace(&format!("{{{name}}}"), id);
        }
        let lines: Vec<&str> = text.lines().collect();
        let [request, body @ .., status] = lines.as_slice() else { panic!("{example}") };
        let (method, target) = request.split_once(' ').expect("a method and a path");
        let method: Method = method.parse().expect("a method");
        let body: Option<Value> =
            (!body.is_empty()).then(|| serde_json::from_str(&body.join("\n")).expect("the body is JSON"));
        let reply = if kind == "admin" {
            let path = target.strip_prefix("/admin/v1").expect("an address of the admin API");
            directory.broker.admin(method.clone(), path, body.as_ref()).await
        } else {
            directory.call(method.clone(), &encoded(target), body.as_ref()).await
        };
        assert_eq!(reply.status.as_str(), *status, "{example}\n{}", reply.body);
        if method == Method::POST && reply.status == 201 {
            let object: Value = serde_json::from_str(&reply.body).expect("JSON");
            let kind = object["meta"]["resourceType"].as_str().unwrap_or("Token").to_owned();
            made.insert(kind, object["id"].as_str().expect("an id").to_owned());
        }
        played += 1;
    }
    assert!(played > 15, "the document has examples");
}

/// The document writes parameters as people read them.
fn encoded(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| pair.split_once('=').expect("a name and a value"));
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}
