//! How often each operation asks the store. A call costs more than a signature, so a new one has to be wanted.

use std::sync::Arc;

use http::Method;
use serde_json::json;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, TestBroker, signed_in};
use vestibule_tests::watched_store::{Counter, watched};

/// A process that has served before, over a store that counts.
async fn warm() -> (TestBroker, Arc<Counter>) {
    let test = TestBroker::new().await;
    let (store, counter) = watched(&test.store, Counter::default());
    let test = test.another_process(Some(store));
    let tokens = test.tokens().await;
    test.userinfo(tokens["access_token"].as_str().expect("a token")).await;
    counter.calls();
    (test, counter)
}

fn none() -> (usize, Vec<String>) {
    (0, Vec::new())
}

fn of(reads: usize, commits: &[&str]) -> (usize, Vec<String>) {
    (reads, commits.iter().map(|kind| (*kind).to_owned()).collect())
}

/// ED-2: on a warm process, starting a login touches no store, and a sign-in and its redemption commit once each.
#[tokio::test]
async fn a_sign_in_commits_twice() {
    let (test, store) = warm().await;
    let (authorization, login) = test.start().await;
    assert_eq!(store.calls(), none(), "login start");
    let signed = signed_in(&test.finish(&authorization, &login).await);
    assert_eq!(store.calls(), of(2, &["sessions"]), "callback: the identity with the person, their gate");
    test.redeem(&signed.code).await;
    assert_eq!(store.calls(), of(1, &["sessions"]), "redemption: the code");
}

/// ED-2: through a provider that speaks SAML, too, a start touches no store. The assertion that is used up is a commit more.
#[tokio::test]
async fn a_sign_in_by_saml_commits_three_times() {
    let (test, store) = warm().await;
    let idp = test.saml_idp().await;
    let signed = json!({ "sign_requests": true });
    test.connect_saml("saml", &idp, &signed).await;
    test.sign_in_by_saml("saml", &idp).await;
    store.calls();
    let (asked, login) = test.start_saml("saml", &[]).await;
    assert_eq!(store.calls(), none(), "login start");
    let signed = signed_in(&test.finish_saml(&idp, &idp.says(&asked, ALICE), &asked, &login).await);
    let commits = of(2, &["sessions", "sessions"]);
    assert_eq!(store.calls(), commits, "response: assertion and request; the identity with the person, their gate");
    test.redeem(&signed.code).await;
    assert_eq!(store.calls(), of(1, &["sessions"]), "redemption: the code");
}

/// ED-2: a refresh reads its grant and commits once; a repeated one too.
#[tokio::test]
async fn a_refresh_commits_once() {
    let (test, store) = warm().await;
    let tokens = test.tokens().await;
    let token = tokens["refresh_token"].as_str().expect("a token");
    store.calls();
    for question in ["first", "repeated"] {
        test.refresh(token).await;
        assert_eq!(store.calls(), of(1, &["sessions"]), "{question}");
    }
}

/// ED-2: userinfo asks once a minute and grant.
#[tokio::test]
async fn userinfo_asks_once() {
    let (test, store) = warm().await;
    let tokens = test.tokens().await;
    let token = tokens["access_token"].as_str().expect("a token");
    store.calls();
    test.userinfo(token).await;
    assert_eq!(store.calls(), of(1, &["sessions"]), "the grant, and that its session counts");
    for _ in 0..5 {
        test.userinfo(token).await;
    }
    assert_eq!(store.calls(), none());
}

/// ED-2: the session signs in to a further application with one read and one commit; a request without a session, and
/// one that insists on the provider, with none.
#[tokio::test]
async fn a_session_signs_in_with_one_commit() {
    let (test, store) = warm().await;
    let cookie = test.sign_in().await.cookie;
    store.calls();
    let there = test.authorize(&[], &cookie).await.location().expect("a redirect");
    assert!(!Reply::one_param(&there, "code").is_empty());
    assert_eq!(store.calls(), of(1, &["sessions"]));
    test.authorize(&[("prompt", "none")], "").await;
    test.authorize(&[("prompt", "login")], &cookie).await;
    assert_eq!(store.calls(), none());
}

/// ED-2: a login that a provider begins costs nothing before the application starts it.
#[tokio::test]
async fn an_initiation_costs_nothing() {
    let (test, store) = warm().await;
    let app = json!({
        "name": "App", "redirect_uris": ["https://app.example/callback"], "client_auth": "none",
        "initiate_login_uri": "https://app.example/start",
    });
    test.admin(Method::PUT, "/clients/begun", &app).await;
    let begin = async || test.get("/oauth2/initiate/acme/idp/begun?iss=https%3A%2F%2Fidp.example", "").await;
    assert_eq!(begin().await.status, 303);
    store.calls();
    assert_eq!(begin().await.status, 303);
    assert_eq!(store.calls(), none());
}

/// ED-2: documents are constant.
#[tokio::test]
async fn documents_cost_nothing() {
    let (test, store) = warm().await;
    for path in ["/.well-known/openid-configuration", "/oauth2/jwks", "/healthz", "/"] {
        test.get(path, "").await;
    }
    assert_eq!(store.calls(), none());
}

/// ED-2: of a directory's requests, each reads its token with the tenant in one call. What is created is not read, and
/// what was written is not read again. A member costs the same two reads in any group.
#[tokio::test]
async fn a_directory_asks_little() {
    let (test, store) = warm().await;
    let token = test.scim_token().await;
    let first = test.scim_user(&token, "first").await;
    let group = test.scim_group(&token, "Ops", std::slice::from_ref(&first)).await;
    store.calls();
    let second = test.scim_user(&token, "second").await;
    assert_eq!(store.calls(), of(1, &["directory"]), "W6: create");
    let (person, group) = (format!("/Users/{first}"), format!("/Groups/{group}"));
    test.scim_get(&token, &format!("/Users/{second}")).await;
    assert_eq!(store.calls(), of(2, &[]), "read");
    test.scim_get(&token, "/Users?filter=userName%20eq%20%22second%22").await;
    assert_eq!(store.calls(), of(2, &[]), "W7a: by name, the index with whom it names");
    test.scim_get(&token, "/Users?count=100").await;
    assert_eq!(store.calls(), of(3, &[]), "W7b: a page, the tallies and the people");
    test.scim_patch(&token, &format!("/Users/{second}"), &json!([{"op": "replace", "path": "title", "value": "x"}]))
        .await;
    assert_eq!(store.calls(), of(2, &["directory"]), "change");
    test.scim_patch(&token, &group, &json!([{"op": "add", "path": "members", "value": [{"value": second}]}])).await;
    assert_eq!(store.calls(), of(3, &["directory"]), "W8: one member more, the group and the person");
    test.scim(&token, Method::DELETE, &person, &json!(null)).await;
    let ends = ["directory", "sessions", "directory", "directory", "directory"];
    assert_eq!(store.calls(), of(8, &ends), "delete, with the end of all that the person had");
}
