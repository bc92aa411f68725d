//! People whom a directory pushed, at their first login: found by what their connection trusts its provider with, and by
//! nothing else. RP-6.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::Account;
use vestibule_tests::in_process::{ALICE, TestBroker};
use vestibule_tests::watched_store::{Call, Watch, watched};

/// `acme` takes people by push only and owns corp.example; its connection `idp` finds them by `sign_in`.
pub(super) async fn pushing(sign_in: Value) -> TestBroker {
    let test = TestBroker::new().await;
    test.set_mode("scim").await;
    test.connect(&json!({"sign_in": sign_in})).await;
    test.admin(Method::PUT, "/tenants/acme/domains/corp.example", &json!({})).await;
    let word = json!({"override_reason": "a test"});
    test.admin(Method::POST, "/tenants/acme/domains/corp.example/verify", &word).await;
    test
}

/// Another connection of the tenant's, with the same provider.
pub(super) async fn second(test: &TestBroker, sign_in: Value) {
    let body = json!({
        "name": "A provider", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic", "sign_in": sign_in,
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &body).await;
}

/// Alice, as her directory knows her.
pub(super) fn alice() -> Value {
    json!({"userName": ALICE, "externalId": "alice-1", "emails": [{"value": ALICE}]})
}

/// Nobody is let in, nobody is created, and the page says what to do.
pub(super) async fn assert_refused(test: &TestBroker, connection: &str, username: &str) {
    let before = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    let reply = test.try_sign_in(connection, username).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
    assert!(reply.body.contains("40 minutes") && reply.body.contains("Reference"), "{}", reply.body);
    assert!(!reply.body.contains("corp.example"), "{}", reply.body);
    let after = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn the_external_id_leads_to_the_person() {
    let test = pushing(json!({})).await;
    let pushed = test.push(&alice(), None).await;
    assert_eq!(test.subject_of("idp", ALICE).await, pushed);
    assert_eq!(test.subject_of("idp", ALICE).await, pushed, "and stays so");
    let user = test.user(&pushed).await;
    assert_eq!(user["identities"][0]["subject"], "alice-1");
    assert_eq!(user["profile"]["email_verified"], json!(true), "the provider's word for the directory's address");
    let linked = test.audited(&["identity_linked"]).await;
    assert_eq!((linked.len(), &linked[0]["user"]), (1, &json!(pushed)));
}

/// In every mode: whoever was pushed before the mode changed is not created a second time.
#[tokio::test]
async fn a_pushed_person_is_found_in_every_mode() {
    for mode in ["just_in_time", "invite_only"] {
        let test = pushing(json!({})).await;
        let pushed = test.push(&alice(), None).await;
        test.set_mode(mode).await;
        assert_eq!(test.subject_of("idp", ALICE).await, pushed, "{mode}");
    }
}

#[tokio::test]
async fn another_spelling_of_the_external_id_is_another_id() {
    let test = pushing(json!({})).await;
    for (id, external) in [("a", "ALICE-1"), ("b", "alice-1\u{200b}"), ("c", "alice-10")] {
        test.push(&json!({"userName": id, "externalId": external}), None).await;
    }
    assert_refused(&test, "idp", ALICE).await;
}

/// Each name counts only where the connection says so.
#[tokio::test]
async fn a_connection_finds_by_what_it_lists_only() {
    for (finds, found) in [
        (json!([]), false),
        (json!(["user_name"]), false),
        (json!(["verified_email"]), true),
        (json!(["external_id"]), true),
    ] {
        let test = pushing(json!({"link_by_email": true, "finds_provisioned_by": finds})).await;
        let pushed = test.push(&alice(), None).await;
        if found {
            assert_eq!(test.subject_of("idp", ALICE).await, pushed, "{finds}");
        } else {
            assert_refused(&test, "idp", ALICE).await;
        }
    }
}

/// The user name is what the provider says it is, so it is trusted on request only; letters that become others in lower
/// case are nobody's.
#[tokio::test]
async fn the_user_name_leads_to_the_person_where_that_is_wanted() {
    let named = |said: &str| {
        let account = Account::new("m", "password", "m-1", "M");
        account.with_claim("email_verified", json!(false)).with_claim("preferred_username", json!(said))
    };
    let attributes = json!({"userName": "Mike@Corp.example", "externalId": "x"});
    for (finds, said, found) in [
        (json!(["user_name"]), "mIKE@corp.EXAMPLE", true),
        (json!(["user_name"]), "mi\u{212a}e@corp.example", false),
        (json!(["user_name"]), "mike", false),
        (json!(["user_name"]), "", false),
        (json!(["external_id", "verified_email"]), "mike@corp.example", false),
    ] {
        let test = pushing(json!({"finds_provisioned_by": finds})).await;
        let pushed = test.push(&attributes, None).await;
        test.idp.add_account(named(said));
        if found {
            assert_eq!(test.subject_of("idp", "m").await, pushed, "{said}");
        } else {
            assert_refused(&test, "idp", "m").await;
        }
    }
}

/// Whoever was pushed for one connection is not another one's to name, by no name.
#[tokio::test]
async fn a_directory_of_one_connection_lets_in_through_it_alone() {
    let all = json!({"link_by_email": true, "finds_provisioned_by": ["external_id", "user_name", "verified_email"]});
    let test = pushing(all.clone()).await;
    second(&test, all).await;
    let pushed = test.push(&alice(), Some("idp")).await;
    assert_refused(&test, "second", ALICE).await;
    for _ in 0..2 {
        assert_eq!(test.subject_of("idp", ALICE).await, pushed);
    }
    assert_eq!(test.user(&pushed).await["linked_email"], ALICE);
    assert_refused(&test, "second", ALICE).await;
    test.set_mode("just_in_time").await;
    assert_ne!(test.subject_of("second", ALICE).await, pushed, "somebody new, then");
}

/// A name that was given to somebody else brings no second identity of one connection: no takeover.
#[tokio::test]
async fn a_reused_name_is_refused_and_written_down() {
    for (finds, mode) in [("external_id", "scim"), ("verified_email", "scim"), ("user_name", "just_in_time")] {
        let test = pushing(json!({"link_by_email": true, "finds_provisioned_by": [finds]})).await;
        let pushed = test.push(&alice(), None).await;
        let account = |subject: &str| Account::new(ALICE, "password", subject, "Alice");
        let name = |account: Account| account.with_claim("preferred_username", json!(ALICE));
        // What the provider calls them is, in one case, a claim of its own.
        test.idp.add_account(name(account("alice-1")));
        assert_eq!(test.subject_of("idp", ALICE).await, pushed, "{finds}");
        if finds == "external_id" {
            // The directory gives the id to a newcomer before it removes who left: their subjects differ.
            let mut user: vestibule_core::model::user::User =
                serde_json::from_value(test.user(&pushed).await).expect("a person");
            user.identities[0].subject = "alice-0".to_owned();
            let record = vestibule_core::store::key::user("acme", &pushed);
            let link = vestibule_core::store::key::identity("acme", "idp", "https://idp.example", "alice-1");
            let any = vestibule_core::store::Expect::Any;
            let writes = vec![record.put(&user, any.clone()).expect("a record"), link.delete(any)];
            test.store.commit(record.partition(), writes).await.expect("written");
        } else {
            test.idp.add_account(name(account("alice-2")));
        }
        test.set_mode(mode).await;
        assert_refused(&test, "idp", ALICE).await;
        let refused = test.audited(&["link_refused"]).await;
        assert_eq!((&refused[0]["user"], &refused[0]["by"]), (&json!(pushed), &json!(finds)));
    }
}

/// RP-11: found, but switched off: the page that says nothing of an account.
#[tokio::test]
async fn an_inactive_pushed_person_is_refused_like_anybody() {
    let test = pushing(json!({})).await;
    let pushed = test.push(&alice(), None).await;
    test.admin(Method::PUT, &format!("/tenants/acme/users/{pushed}"), &json!({"active": false})).await;
    let reply = test.try_sign_in("idp", ALICE).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.body.contains("You cannot sign in here"), "{}", reply.body);
    assert_eq!(test.audited(&["sign_in_refused"]).await[0]["user"], json!(pushed));
}

/// What happens right before the commit that links, once.
struct Racing {
    elsewhere: TestBroker,
    pushed: String,
    gone: bool,
    done: AtomicBool,
}

#[async_trait]
impl Watch for Racing {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("directory") && !self.done.swap(true, Ordering::SeqCst) {
            if self.gone {
                let path = format!("/tenants/acme/users/{}", self.pushed);
                self.elsewhere.admin(Method::DELETE, &path, &Value::Null).await;
            } else {
                assert_eq!(self.elsewhere.subject_of("idp", ALICE).await, self.pushed);
            }
        }
        Ok(())
    }
}

/// ED-1: two first logins at once find one person, once; one who is removed meanwhile is not there.
#[tokio::test]
async fn a_first_login_races_another_and_a_removal() {
    for gone in [false, true] {
        let test = pushing(json!({})).await;
        let pushed = test.push(&alice(), None).await;
        let (elsewhere, done) = (test.another_process(None), AtomicBool::new(false));
        let watch = Racing { elsewhere, pushed: pushed.clone(), gone, done };
        let slower = test.another_process(Some(watched(&test.store, watch).0));
        if gone {
            let reply = slower.try_sign_in("idp", ALICE).await;
            assert!(reply.body.contains("40 minutes"), "{}", reply.body);
        } else {
            assert_eq!(slower.subject_of("idp", ALICE).await, pushed);
            assert_eq!(test.user(&pushed).await["identities"].as_array().map(Vec::len), Some(1));
        }
    }
}
