//! The examples of `docs/SCIM.md`: a request, perhaps a body, and the status that comes of it. `{User}` and `{Group}` are
//! the ones that were made last.

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
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let examples: Vec<&str> =
        DOCUMENT.split("```scim\n").skip(1).filter_map(|rest| rest.split("\n```").next()).collect();
    assert!(examples.len() > 10, "the document has examples");
    for example in examples {
        let mut text = example.to_owned();
        for (name, id) in &made {
            text = text.replace(&format!("{{{name}}}"), id);
        }
        let lines: Vec<&str> = text.lines().collect();
        let [request, body @ .., status] = lines.as_slice() else { panic!("{example}") };
        let (method, target) = request.split_once(' ').expect("a method and a path");
        let body: Option<Value> =
            (!body.is_empty()).then(|| serde_json::from_str(&body.join("\n")).expect("the body is JSON"));
        let reply = directory.call(method.parse().expect("a method"), &encoded(target), body.as_ref()).await;
        assert_eq!(reply.status.as_str(), *status, "{example}\n{}", reply.body);
        if method == Method::POST.as_str() && reply.status == 201 {
            let resource = reply.scim();
            let kind = resource["meta"]["resourceType"].as_str().expect("a type").to_owned();
            made.insert(kind, resource["id"].as_str().expect("an id").to_owned());
        }
    }
}

/// The document writes parameters as people read them.
fn encoded(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| pair.split_once('=').expect("a name and a value"));
    format!("{path}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}
