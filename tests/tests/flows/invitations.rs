//! Invitations in time: links that end, are replaced and taken back, races for one; and everybody for whom they are not.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_core::store::StoreError;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Account, Lie};
use vestibule_tests::Reply;
use vestibule_tests::in_process::{ALICE, ISSUER, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

const ALL: &str = "/tenants/acme/invitations";

pub(super) async fn inviting() -> TestBroker {
    let test = TestBroker::new().await;
    test.set_mode("invite_only").await;
    test
}

/// An invitation of alice's: its id, and its link without the issuer.
pub(super) async fn invite(test: &TestBroker, members: Value) -> (String, String) {
    let mut body = json!({"email": ALICE});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    id_and_link(&test.admin(Method::POST, ALL, &body).await)
}

fn id_and_link(made: &Value) -> (String, String) {
    let link = made["link"].as_str().and_then(|link| link.strip_prefix(ISSUER)).expect("a link of ours");
    (made["id"].as_str().expect("an id").to_owned(), link.to_owned())
}

/// Presses the button on the page behind a link, from this `Sec-Fetch-Site`.
async fn press(test: &TestBroker, link: &str, site: &str) -> Reply {
    let token = link.split_once("token=").expect("a token").1;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    let request = Request::post("/oauth2/invitation").header("sec-fetch-site", site);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    test.send(request.body(Body::from(body)).expect("a request")).await
}

/// The browser's cookie after the link was opened and gone on from.
pub(super) async fn opened(test: &TestBroker, link: &str) -> String {
    let page = test.get(link, "").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.set_cookies().is_empty(), "looking changes nothing");
    cookie(&press(test, link, "same-origin").await)
}

fn cookie(reply: &Reply) -> String {
    let set = reply.set_cookies();
    let [cookie] = set.as_slice() else { panic!("{} {}", reply.status, reply.body) };
    assert!(cookie.starts_with("__Host-invitation=") && cookie.contains("Max-Age=1800"), "{cookie}");
    cookie.split(';').next().expect("a pair").to_owned()
}

/// How the sign-in of somebody ends in the browser with this cookie.
async fn come(test: &TestBroker, username: &str, cookie: &str) -> Reply {
    let (authorization, login) = TestBroker::started(&test.authorize(&[], cookie).await);
    test.finish_as(username, &authorization, &login).await
}

pub(super) async fn state(test: &TestBroker, id: &str) -> Value {
    test.admin(Method::GET, &format!("{ALL}/{id}"), &Value::Null).await["state"].clone()
}

pub(super) fn assert_not_invited(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
    assert!(reply.body.contains("You need an invitation") && !reply.body.contains("corp.example"), "{}", reply.body);
}

fn assert_over(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{}", reply.body);
    assert!(reply.body.contains("This invitation does not work"), "{}", reply.body);
    assert!(reply.set_cookies().is_empty());
}

#[tokio::test]
async fn an_invitation_brings_somebody_in_with_what_it_grants() {
    let test = inviting().await;
    test.admin(Method::PUT, "/tenants/acme/mapping", &json!({"roles": [{"name": "admin"}]})).await;
    let (id, link) = invite(&test, json!({"email": "ALICE@Corp.Example", "roles": ["ADMIN"], "teams": ["ops"]})).await;
    let browser = opened(&test, &link).await;
    let tokens = test.redeem(&signed_in(&come(&test, ALICE, &browser).await).code).await.json();
    let alice = claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned();
    let user = test.user(&alice).await;
    assert_eq!(user["source"], "invitation");
    assert_eq!(user["access"]["roles"], json!([{"name": "admin", "from": "administrator"}]));
    assert_eq!(user["access"]["teams"], json!([{"name": "ops", "from": "administrator"}]));
    let shown = test.admin(Method::GET, &format!("{ALL}/{id}"), &Value::Null).await;
    assert_eq!((&shown["state"], &shown["user"]), (&json!("accepted"), &json!(alice)));
    assert!(shown.get("link").is_none() && shown.get("secret").is_none());
    assert_eq!(test.subject_of("idp", ALICE).await, alice, "from here on without it");
    let accepted = test.audited(&["invitation_accepted"]).await;
    assert_eq!((&accepted[0]["user"], &accepted[0]["invitation"]), (&json!(alice), &json!(id)));
}

/// The answer comes in a form of the provider's page, with which no cookie but the login's comes along.
#[tokio::test]
async fn an_invitation_survives_a_posted_answer() {
    let test = inviting().await;
    test.connect(&json!({"response_mode": "form_post"})).await;
    let (id, link) = invite(&test, json!({})).await;
    let browser = opened(&test, &link).await;
    let (authorization, login) = TestBroker::started(&test.authorize(&[], &browser).await);
    let back = test.idp.sign_in(authorization.as_str(), ALICE).await.expect("the provider signs in");
    let answer = back.split_once('?').expect("an answer").1.to_owned();
    let request = Request::post("/oauth2/callback").header(header::COOKIE, login);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    signed_in(&test.send(request.body(Body::from(answer)).expect("a request")).await);
    assert_eq!(state(&test, &id).await, "accepted");
}

/// RP-6: the link alone is nobody's way in, nor is the address.
#[tokio::test]
async fn link_and_verified_address_are_both_needed() {
    let test = inviting().await;
    let (id, link) = invite(&test, json!({})).await;
    let browser = opened(&test, &link).await;
    test.idp.add_account(Account::new("bob@corp.example", "password", "bob-1", "Bob"));
    assert_not_invited(&come(&test, ALICE, "").await);
    assert_not_invited(&come(&test, "bob@corp.example", &browser).await);
    for lie in [Lie::UnverifiedEmail, Lie::MissingEmail] {
        test.idp.lie(lie);
        assert_not_invited(&come(&test, ALICE, &browser).await);
        test.idp.be_honest();
    }
    let odd = Account::new("odd", "password", "odd-1", "Odd").with_claim("email", json!("\u{ff41}lice@corp.example"));
    test.idp.add_account(odd);
    assert_not_invited(&come(&test, "odd", &browser).await);
    assert_eq!(state(&test, &id).await, "pending", "it waits for the right one");
    let reasons = test.audited(&["unknown_person_refused"]).await;
    let mut reasons: Vec<_> = reasons.iter().map(|event| event["reason"].as_str().expect("a reason")).collect();
    reasons.sort_unstable();
    let unverified = "address_not_verified";
    assert_eq!(reasons, [unverified, unverified, unverified, "no_invitation", "other_address"]);
    let list = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
    assert_eq!(list["items"], json!([]));
}

/// Where nobody comes in without a role, an invitation without one brings nobody in, and is not used up.
#[tokio::test]
async fn an_invitation_can_bring_the_role_that_is_needed() {
    let test = inviting().await;
    let mapping = json!({"roles": [{"name": "admin"}], "require_role": true});
    test.admin(Method::PUT, "/tenants/acme/mapping", &mapping).await;
    let (id, link) = invite(&test, json!({})).await;
    let reply = come(&test, ALICE, &opened(&test, &link).await).await;
    assert!(reply.status == StatusCode::FORBIDDEN && reply.body.contains("no role"), "{}", reply.body);
    assert_eq!(state(&test, &id).await, "pending");
    test.admin(Method::DELETE, &format!("{ALL}/{id}"), &Value::Null).await;
    let (_, link) = invite(&test, json!({"roles": ["admin"]})).await;
    signed_in(&come(&test, ALICE, &opened(&test, &link).await).await);
    signed_in(&come(&test, ALICE, "").await);
}

#[tokio::test]
async fn a_link_works_once() {
    let test = inviting().await;
    let (_, link) = invite(&test, json!({})).await;
    let browser = opened(&test, &link).await;
    signed_in(&come(&test, ALICE, &browser).await);
    assert_over(&test.get(&link, "").await);
    assert_over(&press(&test, &link, "same-origin").await);
    // The same address at the provider, another person there.
    test.idp.add_account(Account::new(ALICE, "password", "alice-2", "Alice"));
    assert_not_invited(&come(&test, ALICE, &browser).await);
}

#[tokio::test]
async fn what_is_no_link_leads_nowhere() {
    let test = inviting().await;
    let (id, link) = invite(&test, json!({})).await;
    let (locator, secret) = link.split_once('.').expect("two parts");
    for wrong in [
        "/oauth2/invitation".to_owned(),
        "/oauth2/invitation?token=".to_owned(),
        format!("/oauth2/invitation?token={id}"),
        locator.to_owned(),
        format!("{locator}.{}", "A".repeat(43)),
        format!("{}.{secret}", locator.replace("vst_i", "vst_p")),
        format!("/oauth2/invitation?token=vst_i_b3RoZXI6YQ.{secret}"),
    ] {
        assert_over(&test.get(&wrong, "").await);
    }
    assert_eq!(test.get(&format!("{link}&token=x"), "").await.status, StatusCode::BAD_REQUEST);
    // Another site's form is not the person's: they see the page.
    let reply = press(&test, &link, "cross-site").await;
    assert!(reply.body.contains("You are invited") && reply.set_cookies().is_empty());
}

#[tokio::test]
async fn links_end_by_time_by_revocation_and_by_the_next() {
    let test = inviting().await;
    let (id, first) = invite(&test, json!({"expires_in": 3600})).await;
    let browser = opened(&test, &first).await;
    let path = format!("{ALL}/{id}/resend");
    let (same, second) = id_and_link(&test.admin(Method::POST, &path, &json!({"expires_in": 60})).await);
    assert_eq!(same, id);
    assert_over(&test.get(&first, "").await);
    assert_not_invited(&come(&test, ALICE, &browser).await);
    let browser = opened(&test, &second).await;
    test.clock.advance(Seconds(61));
    test.idp_clock.advance(Seconds(61));
    assert_over(&test.get(&second, "").await);
    assert_not_invited(&come(&test, ALICE, &browser).await);
    assert_eq!(state(&test, &id).await, "expired");
    let (_, third) = id_and_link(&test.admin(Method::POST, &path, &json!({})).await);
    assert_eq!(state(&test, &id).await, "pending");
    let browser = opened(&test, &third).await;
    test.admin(Method::DELETE, &format!("{ALL}/{id}"), &Value::Null).await;
    assert_over(&test.get(&third, "").await);
    assert_not_invited(&come(&test, ALICE, &browser).await);
    assert_eq!(state(&test, &id).await, "revoked");
    assert_eq!(test.try_admin(Method::POST, &path, &json!({})).await.status, 400);
}

/// A browser forgets an invitation after half an hour; what it holds opens nothing else.
#[tokio::test]
async fn the_cookie_ends_and_is_of_its_tenant_only() {
    let test = inviting().await;
    let (_, link) = invite(&test, json!({})).await;
    let browser = opened(&test, &link).await;
    let (name, value) = browser.split_once('=').expect("a pair");
    assert!(!value.contains("vst_i"), "sealed");
    for wrong in [format!("{name}=x"), format!("{name}={}", link.split_once('=').expect("a token").1)] {
        assert_not_invited(&come(&test, ALICE, &wrong).await);
    }
    test.clock.advance(Seconds(1801));
    test.idp_clock.advance(Seconds(1801));
    assert_not_invited(&come(&test, ALICE, &browser).await);
    let again = opened(&test, &link).await;
    signed_in(&come(&test, ALICE, &again).await);
}

/// What happens right before the commit that accepts, once.
struct Racing {
    elsewhere: TestBroker,
    browser: String,
    revoked: Option<String>,
    done: AtomicBool,
}

#[async_trait]
impl Watch for Racing {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes_to("directory") && !self.done.swap(true, Ordering::SeqCst) {
            match &self.revoked {
                Some(id) => {
                    self.elsewhere.admin(Method::DELETE, &format!("{ALL}/{id}"), &Value::Null).await;
                }
                None => drop(signed_in(&come(&self.elsewhere, "elsewhere", &self.browser).await)),
            }
        }
        Ok(())
    }
}

/// ED-1: of two browsers with one invitation one wins; one that is revoked meanwhile lets nobody in.
#[tokio::test]
async fn one_invitation_lets_one_person_in() {
    for revoked in [false, true] {
        let test = inviting().await;
        test.idp.add_account(Account::new("elsewhere", "password", "alice-2", "A").with_claim("email", json!(ALICE)));
        let (id, link) = invite(&test, json!({})).await;
        let browser = opened(&test, &link).await;
        let watch = Racing {
            elsewhere: test.another_process(None),
            browser: browser.clone(),
            revoked: revoked.then_some(id),
            done: AtomicBool::new(false),
        };
        let slower = test.another_process(Some(watched(&test.store, watch).0));
        assert_not_invited(&come(&slower, ALICE, &browser).await);
        let list = test.admin(Method::GET, "/tenants/acme/users", &Value::Null).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(usize::from(!revoked)));
    }
}
