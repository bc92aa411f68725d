//! What Entra ID and Okta really send, and the RFC's own corners: the cases of `tests/data/scim_quirks.json`, each in a
//! tenant with nobody else in it. The file says what it holds; this plays it.

#[path = "scim_quirks/case.rs"]
mod case;
#[path = "scim_quirks/expectation.rs"]
mod expectation;

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::scim::Directory;

use case::{Case, Names};

const CASES: &str = include_str!("../../data/scim_quirks.json");

/// SC-1 to SC-17, SC-21, EN-1 to EN-10, OK-1 to OK-11
#[tokio::test]
async fn every_quirk_is_understood() {
    let directory = Directory::new().await;
    let cases: Value = serde_json::from_str(CASES).expect("the cases are JSON");
    let cases = cases["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 88);
    let mut failures = Vec::new();
    for case in cases.iter().map(Case) {
        let problems = play(&directory, case).await;
        if !problems.is_empty() {
            failures.push(format!("{} ({}): {}", case.text("id"), case.text("why"), problems.join("; ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Plays a case and takes away what it made. Says what was not as expected.
async fn play(directory: &Directory, case: Case<'_>) -> Vec<String> {
    let mut names = Names::new();
    let mut made = Vec::new();
    for given in case.given() {
        let (path, body) = names.given(given);
        let reply = directory.call(Method::POST, path, Some(&body)).await;
        assert_eq!(reply.status, 201, "{given}: {}", reply.body);
        let id = reply.scim()["id"].as_str().expect("an id").to_owned();
        names.made(given, &id, &body);
        made.push(format!("{path}/{id}"));
    }
    let request = case.request(&names);
    let reply = request.send(directory).await;
    let mut problems = expectation::problems(&reply, &names.fill(case.expected()));
    if reply.status == 201 {
        made.push(format!("{}/{}", request.path, reply.scim()["id"].as_str().unwrap_or_default()));
    }
    if let Some((path, status, body)) = case.after(&names)
        && problems.is_empty()
    {
        let after = directory.call(Method::GET, &path, None).await;
        let expected = json!({ "status": [status], "body": body });
        problems
            .extend(expectation::problems(&after, &expected).into_iter().map(|problem| format!("after: {problem}")));
    }
    for path in made.iter().rev() {
        directory.call(Method::DELETE, path, None).await;
    }
    problems
}
