//! Linking by address: two providers of one tenant, one person; and everybody who must not become them. RP-6.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::{Account, Document, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

async fn set_connection(test: &TestBroker, connection: &str, sign_in: &Value) {
    let body = json!({
        "name": "A provider", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic", "sign_in": sign_in,
    });
    test.admin(Method::PUT, &format!("/tenants/acme/connections/{connection}"), &body).await;
}

/// `acme` owns corp.example; its connections `idp` and `second` link by address.
async fn linking() -> TestBroker {
    let test = TestBroker::new().await;
    for connection in ["idp", "second"] {
        set_connection(&test, connection, &json!({"link_by_email": true})).await;
    }
    test.admin(Method::PUT, "/tenants/acme/domains/corp.example", &json!({})).await;
    let word = json!({"override_reason": "a test"});
    test.admin(Method::POST, "/tenants/acme/domains/corp.example/verify", &word).await;
    test
}

async fn try_sign_in(test: &TestBroker, connection: &str, username: &str) -> Reply {
    let (authorization, cookie) = TestBroker::started(&test.authorize(&[("connection", connection)], "").await);
    test.finish_as(username, &authorization, &cookie).await
}

/// The `sub` of whoever signs in.
async fn sign_in(test: &TestBroker, connection: &str, username: &str) -> String {
    let code = signed_in(&try_sign_in(test, connection, username).await).code;
    let tokens = test.redeem(&code).await.json();
    claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned()
}

#[tokio::test]
async fn one_address_is_one_person_through_both_connections() {
    let test = linking().await;
    let first = sign_in(&test, "idp", ALICE).await;
    assert_eq!(sign_in(&test, "second", ALICE).await, first);
    assert_eq!(sign_in(&test, "second", ALICE).await, first, "and stays so");
    let user = test.admin(Method::GET, &format!("/tenants/acme/users/{first}"), &Value::Null).await;
    assert_eq!(user["linked_email"], ALICE);
}

/// The letters' case makes nobody else; another provider's subject does not matter.
#[tokio::test]
async fn an_address_is_compared_in_lower_case() {
    let test = linking().await;
    let first = sign_in(&test, "idp", ALICE).await;
    test.idp.add_account(Account::new("Alice@Corp.example", "password", "alice-elsewhere", "Alice"));
    assert_eq!(sign_in(&test, "second", "Alice@Corp.example").await, first);
}

#[tokio::test]
async fn an_unverified_address_links_nobody() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    test.idp.lie(Lie::UnverifiedEmail);
    let mut mallory = Account::new("mallory", "password", "mallory-1", "Mallory");
    mallory.claims.insert("email".to_owned(), json!(ALICE));
    test.idp.add_account(mallory.clone());
    let stranger = sign_in(&test, "second", "mallory").await;
    assert_ne!(stranger, alice);
    test.idp.be_honest();
    // The provider says nothing about whether it is verified.
    mallory.claims.remove("email_verified");
    mallory.subject = "mallory-2".to_owned();
    test.idp.add_account(mallory);
    let silent = sign_in(&test, "second", "mallory").await;
    assert!(silent != alice && silent != stranger);
}

/// Entra's word for an address is in its ID tokens, under a name of its own, and counts for this address only. RP-6.
#[tokio::test]
async fn the_owner_of_a_domain_can_vouch_for_its_addresses() {
    for (edov, in_userinfo, links) in [
        (json!(true), ALICE, true),
        (json!("1"), ALICE, true),
        (json!(1), ALICE, true),
        (json!(false), ALICE, false),
        (json!("0"), ALICE, false),
        (json!("yes"), ALICE, false),
        (Value::Null, ALICE, false),
        (json!(true), "other@corp.example", false),
    ] {
        let test = linking().await;
        let alice = sign_in(&test, "idp", ALICE).await;
        let entra = Account::new("alice", "password", "alice-at-entra", "Alice");
        test.idp.add_account(entra.with_claim("email_verified", Value::Null).with_claim("email", json!(ALICE)));
        for document in [Document::IdToken, Document::Userinfo] {
            test.idp.say(document, "email_verified", Value::Null);
        }
        test.idp.say(Document::IdToken, "xms_edov", edov.clone());
        test.idp.say(Document::Userinfo, "email", json!(in_userinfo));
        assert_eq!(sign_in(&test, "second", "alice").await == alice, links, "{edov} {in_userinfo}");
    }
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    test.idp.say(Document::IdToken, "xms_edov", json!(true));
    test.idp.lie(Lie::UnverifiedEmail);
    test.idp.add_account(Account::new("m", "password", "mallory-1", "M").with_claim("email", json!(ALICE)));
    assert_ne!(sign_in(&test, "second", "m").await, alice, "a clear no is a no");
}

/// First an unverified address, then somebody who has it: the person who came first gains nothing.
#[tokio::test]
async fn whoever_comes_first_with_an_unverified_address_is_not_joined() {
    let test = linking().await;
    test.idp.lie(Lie::UnverifiedEmail);
    let mut mallory = Account::new("mallory", "password", "mallory-1", "Mallory");
    mallory.claims.insert("email".to_owned(), json!(ALICE));
    test.idp.add_account(mallory);
    let stranger = sign_in(&test, "second", "mallory").await;
    test.idp.be_honest();
    assert_ne!(sign_in(&test, "idp", ALICE).await, stranger);
}

#[tokio::test]
async fn both_connections_must_have_the_switch_on() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    set_connection(&test, "second", &json!({})).await;
    assert_ne!(sign_in(&test, "second", ALICE).await, alice);
    let test = linking().await;
    set_connection(&test, "idp", &json!({})).await;
    let alice = sign_in(&test, "idp", ALICE).await;
    assert_ne!(sign_in(&test, "second", ALICE).await, alice);
}

#[tokio::test]
async fn a_domain_that_is_not_the_tenants_links_nobody() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    test.admin(Method::DELETE, "/tenants/acme/domains/corp.example", &Value::Null).await;
    test.admin(Method::PUT, "/tenants/acme/domains/corp.example", &json!({})).await;
    assert_ne!(sign_in(&test, "second", ALICE).await, alice, "claimed, not proved");
    let test = linking().await;
    let address = "carol@partner.example";
    test.idp.add_account(Account::new(address, "password", "carol-1", "Carol"));
    let carol = sign_in(&test, "idp", address).await;
    assert_ne!(sign_in(&test, "second", address).await, carol);
}

#[tokio::test]
async fn an_inactive_person_is_not_reached_through_another_connection() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    test.admin(Method::PUT, &format!("/tenants/acme/users/{alice}"), &json!({"active": false})).await;
    assert_eq!(try_sign_in(&test, "second", ALICE).await.status, StatusCode::FORBIDDEN);
}

/// An address moves on: its new holder does not become the old one.
#[tokio::test]
async fn an_address_that_somebody_gave_up_is_not_theirs_any_more() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    let mut renamed = Account::new(ALICE, "password", "alice-1", "Alice");
    renamed.claims.insert("email".to_owned(), json!("alice.married@corp.example"));
    test.idp.add_account(renamed);
    assert_eq!(sign_in(&test, "idp", ALICE).await, alice);
    let newcomer = Account::new("alice.2", "password", "alice-2", "Another Alice");
    let mut newcomer = newcomer;
    newcomer.claims.insert("email".to_owned(), json!(ALICE));
    test.idp.add_account(newcomer);
    let other = sign_in(&test, "second", "alice.2").await;
    assert_ne!(other, alice);
    assert_eq!(sign_in(&test, "second", ALICE).await, alice, "the new address links");
    // Whoever has been here before the switch was on is found by their address from their next login on.
    assert_eq!(sign_in(&test, "idp", "alice.2").await, other);
}

/// Who comes back from a provider with an address of another domain stays outside.
#[tokio::test]
async fn a_connection_is_for_its_domains() {
    let test = linking().await;
    set_connection(&test, "second", &json!({"domains": ["corp.example"]})).await;
    test.idp.add_account(Account::new("eve@evil.example", "password", "eve-1", "Eve"));
    let reply = try_sign_in(&test, "second", "eve@evil.example").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.body.contains("Reference") && !reply.body.contains("evil.example"), "{}", reply.body);
    sign_in(&test, "second", ALICE).await;
    test.idp.lie(Lie::MissingEmail);
    assert_eq!(try_sign_in(&test, "second", ALICE).await.status, StatusCode::FORBIDDEN);
}

/// What happens right before a commit in the directory, once.
enum Meanwhile {
    SignsInThrough(&'static str),
    GivesUpTheDomain,
}

struct Racing {
    elsewhere: TestBroker,
    meanwhile: Meanwhile,
    done: AtomicBool,
}

#[async_trait]
impl Watch for Racing {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("directory") && !self.done.swap(true, Ordering::SeqCst) {
            match self.meanwhile {
                Meanwhile::SignsInThrough(connection) => {
                    signed_in(&try_sign_in(&self.elsewhere, connection, ALICE).await);
                }
                Meanwhile::GivesUpTheDomain => {
                    let path = "/tenants/acme/domains/corp.example";
                    self.elsewhere.admin(Method::DELETE, path, &Value::Null).await;
                }
            }
        }
        Ok(())
    }
}

fn racing(test: &TestBroker, meanwhile: Meanwhile) -> TestBroker {
    let watch = Racing { elsewhere: test.another_process(None), meanwhile, done: AtomicBool::new(false) };
    test.another_process(Some(watched(&test.store, watch).0))
}

/// ED-1: two first logins at once, through two connections, make one person.
#[tokio::test]
async fn parallel_first_logins_through_two_connections_make_one_person() {
    let test = linking().await;
    let slower = sign_in(&racing(&test, Meanwhile::SignsInThrough("second")), "idp", ALICE).await;
    assert_eq!(sign_in(&test, "second", ALICE).await, slower);
    assert_eq!(sign_in(&test, "idp", ALICE).await, slower);
}

/// The domain goes between the look and the commit: nobody is linked by it.
#[tokio::test]
async fn a_domain_that_is_given_up_meanwhile_links_nobody() {
    let test = linking().await;
    let alice = sign_in(&test, "idp", ALICE).await;
    assert_ne!(sign_in(&racing(&test, Meanwhile::GivesUpTheDomain), "second", ALICE).await, alice);
}
