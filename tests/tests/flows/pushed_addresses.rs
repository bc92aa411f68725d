//! Pushed people who are found by their address: a verified one, of a domain that the tenant owns, and theirs by their
//! directory's word. RP-6.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::{Account, Lie};
use vestibule_tests::in_process::ALICE;

use super::pushed::{alice, assert_refused, pushing, second};

fn by_email() -> Value {
    json!({"link_by_email": true, "finds_provisioned_by": ["verified_email"]})
}

#[tokio::test]
async fn a_verified_address_leads_to_the_only_one_who_has_it() {
    let test = pushing(by_email()).await;
    let mut attributes = alice();
    attributes["emails"] = json!([{"value": "home@x.example"}, {"value": "Alice@CORP.example"}]);
    let pushed = test.push(&attributes, None).await;
    assert_eq!(test.subject_of("idp", ALICE).await, pushed);
    assert_eq!(test.user(&pushed).await["linked_email"], ALICE);
}

/// RP-6: an address alone never links, whoever says it and however it looks.
#[tokio::test]
async fn an_unverified_address_finds_nobody() {
    let mallory = || Account::new("mallory", "password", "mallory-1", "Mallory").with_claim("email", json!(ALICE));
    for verified in [json!(false), Value::Null] {
        let test = pushing(by_email()).await;
        test.push(&alice(), None).await;
        test.idp.add_account(mallory().with_claim("email_verified", verified));
        assert_refused(&test, "idp", "mallory").await;
        test.idp.lie(Lie::UnverifiedEmail);
        assert_refused(&test, "idp", ALICE).await;
    }
    for odd in ["alice@corp.example.evil.example", " alice@corp.example", "\u{ff41}lice@corp.example", "alice"] {
        let test = pushing(by_email()).await;
        test.push(&alice(), None).await;
        test.idp.add_account(mallory().with_claim("email", json!(odd)));
        assert_refused(&test, "idp", "mallory").await;
    }
}

#[tokio::test]
async fn an_address_needs_the_switch_and_the_domain() {
    let test = pushing(json!({"finds_provisioned_by": ["verified_email"]})).await;
    test.push(&alice(), None).await;
    assert_refused(&test, "idp", ALICE).await;
    let test = pushing(by_email()).await;
    test.push(&alice(), None).await;
    test.admin(Method::DELETE, "/tenants/acme/domains/corp.example", &Value::Null).await;
    assert_refused(&test, "idp", ALICE).await;
}

/// An address that the directory gives to somebody else leads to them; who had it gains nothing by having had it.
#[tokio::test]
async fn an_address_moves_on_with_the_directory() {
    let both = json!({"link_by_email": true, "finds_provisioned_by": ["external_id", "verified_email"]});
    let test = pushing(both.clone()).await;
    second(&test, by_email()).await;
    let first = test.push(&alice(), None).await;
    for _ in 0..2 {
        assert_eq!(test.subject_of("idp", ALICE).await, first);
    }
    assert_eq!(test.user(&first).await["linked_email"], ALICE);
    let token = test.scim_token().await;
    let change = json!([{"op": "replace", "path": "emails", "value": [{"value": "alice.married@corp.example"}]}]);
    assert!(test.scim_patch(&token, &format!("/Users/{first}"), &change).await.status.is_success());
    assert_refused(&test, "second", ALICE).await;
    let next = test.push(&json!({"userName": "next", "emails": [{"value": ALICE}]}), None).await;
    assert_eq!(test.subject_of("second", ALICE).await, next);
    assert_eq!(test.subject_of("idp", ALICE).await, first, "by her identity, whatever her address");
    assert_eq!(test.user(&next).await["linked_email"], ALICE);
    assert!(test.user(&first).await.get("linked_email").is_none());
}

/// Two people with one address are nobody in particular.
#[tokio::test]
async fn a_shared_address_leads_to_neither() {
    let test = pushing(by_email()).await;
    test.push(&alice(), None).await;
    test.push(&json!({"userName": "other", "emails": [{"value": ALICE}]}), None).await;
    assert_refused(&test, "idp", ALICE).await;
}
