//! The token status list: a place a family, marked from its end to the end of its last access token.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::platform::Random;
use vestibule_core::store::{Expect, Partition, Write};
use vestibule_protocol::time::Seconds;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{CALLBACK, ISSUER, TestBroker, claims};
use vestibule_tests::status_list::{Unpacked, reference};
use vestibule_tests::watched_store::{Counter, DiesAfter, Yields, watched};

fn text<'a>(tokens: &'a Value, name: &str) -> &'a str {
    tokens[name].as_str().expect("a token")
}

/// Place and list of an access token.
fn place(tokens: &Value) -> (usize, String) {
    let (place, uri) = reference(&claims(&tokens["access_token"]));
    (place, uri.strip_prefix(ISSUER).expect("our address").to_owned())
}

/// Whether a verifier that fetches the list now, from a process that remembers nothing, takes the token for revoked.
async fn is_revoked(test: &TestBroker, tokens: &Value) -> bool {
    let (place, path) = place(tokens);
    let reply = test.another_process(None).get(&path, "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    Unpacked::of(&reply.body).is_revoked(place)
}

/// What is stored of places: the ids of records that start with `prefix`, in the partition of the token.
async fn kept(test: &TestBroker, tokens: &Value, prefix: &str) -> usize {
    let (_, path) = place(tokens);
    let number = path.rsplit_once('.').expect("a shard").1;
    let partition = Partition::new(format!("sessions:acme:{number}"));
    test.store.list(&partition, prefix, None, 1000).await.expect("a page").records.len()
}

/// The list is a signed token about its own address, and nothing in it is marked that nobody revoked.
#[tokio::test]
async fn a_list_says_what_it_is() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let (_, path) = place(&tokens);
    let reply = test.get(&path, "").await;
    assert_eq!(reply.header("content-type"), Some("application/statuslist+jwt"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    let list = Unpacked::of(&reply.body);
    assert_eq!(list.header["typ"], "statuslist+jwt");
    assert_eq!(list.claims["sub"], format!("{ISSUER}{path}"));
    assert_eq!((&list.claims["iss"], &list.claims["ttl"]), (&json!(ISSUER), &json!(60)));
    assert_eq!(list.claims["exp"].as_i64().zip(list.claims["iat"].as_i64()).map(|(exp, iat)| exp - iat), Some(300));
    assert_eq!((list.bytes.len(), list.revoked()), (131_072, 0));
    for wrong in ["acme.8", "acme.08", "nobody.0", "acme", "acme.0.0", "ACME.0", "..", "acme.-1", "%00"] {
        let reply = test.get(&format!("/oauth2/status/{wrong}"), "").await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

/// TK-9: revoked is in the list until the family's last access token has ended, and not for a second more; then the place
/// is free. An access token that came later, and one that lives longer, count.
#[tokio::test]
async fn a_mark_stays_until_the_last_token_has_ended() {
    let test = TestBroker::new().await;
    let first = test.tokens().await;
    test.clock.advance(Seconds(3_600));
    let life = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
        "access_token_life": 60,
    });
    let second = test.refresh(text(&first, "refresh_token")).await.json();
    test.admin(Method::PUT, "/clients/app", &life).await;
    test.clock.advance(Seconds(1_000));
    let third = test.refresh(text(&second, "refresh_token")).await.json();
    assert_eq!(third["expires_in"], 60, "the last one given out is not the last one to end");
    assert_eq!((place(&first), place(&second)), (place(&third), place(&third)));
    assert!(!is_revoked(&test, &first).await);
    test.revoke(text(&third, "refresh_token")).await;
    test.clock.advance(Seconds(86_400 - 1_001));
    assert!(is_revoked(&test, &second).await, "one second before its end");
    assert_eq!((kept(&test, &first, "status#").await, kept(&test, &first, "revoked#").await), (1, 1));
    test.clock.advance(Seconds(1));
    assert!(!is_revoked(&test, &second).await);
    assert_eq!((kept(&test, &first, "status#").await, kept(&test, &first, "revoked#").await), (0, 0));
}

/// An answer that is given again brings no token that outlives the mark.
#[tokio::test]
async fn a_repeated_answer_lengthens_nothing() {
    let test = TestBroker::new().await;
    let first = test.tokens().await;
    let token = text(&first, "refresh_token");
    let second = claims(&test.refresh(token).await.json()["access_token"]);
    test.clock.advance(Seconds(29));
    let again = test.refresh(token).await.json();
    assert_eq!((&claims(&again["access_token"])["exp"], &again["expires_in"]), (&second["exp"], &json!(86_371)));
}

/// Every end of a session is in the list: a sign-out, a deactivation, a removal. Others' tokens are left alone.
#[tokio::test]
async fn every_end_is_in_the_list() {
    let test = TestBroker::new().await;
    let signed = test.sign_in().await;
    let two = [test.redeem(&signed.code).await.json(), {
        let again = test.authorize(&[("prompt", "none")], &signed.cookie).await.location().expect("a redirect");
        test.redeem(&Reply::one_param(&again, "code")).await.json()
    }];
    let other = test.tokens().await;
    test.get(&format!("/oauth2/logout?id_token_hint={}", text(&two[0], "id_token")), "").await;
    for tokens in &two {
        assert!(is_revoked(&test, tokens).await, "all applications of the session");
    }
    assert!(!is_revoked(&test, &other).await);
    let path = format!("/tenants/acme/users/{}", claims(&other["id_token"])["sub"].as_str().expect("a user"));
    test.admin(Method::PUT, &path, &json!({ "active": false })).await;
    assert!(is_revoked(&test, &other).await);
    test.admin(Method::PUT, &path, &json!({ "active": true })).await;
    let back = test.tokens().await;
    assert!(is_revoked(&test, &other).await && !is_revoked(&test, &back).await);
    test.admin(Method::DELETE, &path, &Value::Null).await;
    assert!(is_revoked(&test, &back).await);
}

/// A process that dies while it ends a session leaves a session that is over, and the tick marks its tokens.
#[tokio::test]
async fn the_tick_marks_what_a_crash_left() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let dying = test.another_process(Some(watched(&test.store, DiesAfter::commit_to("sessions")).0));
    dying.get(&format!("/oauth2/logout?id_token_hint={}", text(&tokens, "id_token")), "").await;
    assert_eq!(test.introspect(text(&tokens, "access_token")).await, json!({ "active": false }), "over at once");
    assert!(!is_revoked(&test, &tokens).await, "it died in between");
    test.audited(&[]).await;
    assert!(is_revoked(&test, &tokens).await, "within fifteen minutes");
}

/// Draws places from the first few only, and everything else at random.
struct FewPlaces {
    rest: Arc<dyn Random>,
    places: u32,
    drawn: AtomicU32,
}

impl Random for FewPlaces {
    fn fill(&self, bytes: &mut [u8]) {
        match <&mut [u8; 4]>::try_from(&mut *bytes) {
            // Each place twice in a row: the second one has to find out.
            Ok(place) => *place = (self.drawn.fetch_add(1, Ordering::SeqCst) / 2 % self.places).to_be_bytes(),
            Err(_) => self.rest.fill(bytes),
        }
    }
}

fn with_few_places(test: &TestBroker, places: u32) -> TestBroker {
    let rest = Arc::clone(&test.broker.platform.random);
    test.with_platform(|platform| platform.random = Arc::new(FewPlaces { rest, places, drawn: AtomicU32::new(0) }))
}

/// ED-1: redemptions at once that draw the same places never share one.
#[tokio::test]
async fn two_families_never_share_a_place() {
    let test = TestBroker::new().await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(test.sign_in().await.code);
    }
    let racing = with_few_places(&test.another_process(Some(watched(&test.store, Yields).0)), 64);
    let replies = join_all(codes.iter().map(|code| racing.redeem(code))).await;
    let places: BTreeSet<usize> = replies.iter().map(|reply| place(&reply.json()).0).collect();
    assert_eq!(places.len(), codes.len());
}

/// A full list refuses for a moment and spends nothing: the code works when there is a place.
#[tokio::test]
async fn a_full_list_spends_no_code() {
    let test = TestBroker::new().await;
    let full = with_few_places(&test, 1);
    assert_eq!(full.redeem(&test.sign_in().await.code).await.status, StatusCode::OK);
    let code = test.sign_in().await.code;
    assert_eq!(full.redeem(&code).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(test.redeem(&code).await.status, StatusCode::OK);
}

/// A family from before there was a list gets a place when it is used.
#[tokio::test]
async fn an_older_family_gets_a_place() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let number = place(&tokens).1.rsplit_once('.').expect("a shard").1.to_owned();
    let partition = Partition::new(format!("sessions:acme:{number}"));
    let grant = test.store.list(&partition, "grant#", None, 1).await.expect("a page").records.remove(0);
    let mut older: Value = serde_json::from_str(&grant.value).expect("JSON");
    older.as_object_mut().expect("an object").remove("status");
    let put = Write::Put { id: grant.id, value: older.to_string(), expires_at: grant.expires_at, expect: Expect::Any };
    test.store.commit(&partition, vec![put]).await.expect("a commit");
    let next = test.refresh(text(&tokens, "refresh_token")).await.json();
    assert!(!is_revoked(&test, &next).await);
    test.revoke(text(&next, "access_token")).await;
    assert!(is_revoked(&test, &next).await);
}

/// ED-2: a burst costs one list; what it says is never used for more than a minute after it was read.
#[tokio::test]
async fn a_burst_costs_one_list() {
    let test = TestBroker::new().await;
    let tokens = test.tokens().await;
    let (_, path) = place(&tokens);
    let (store, counter) = watched(&test.store, Counter::default());
    let serving = test.another_process(Some(store));
    let first = serving.get(&path, "").await;
    counter.calls();
    test.revoke(text(&tokens, "access_token")).await;
    test.clock.advance(Seconds(14));
    let burst = join_all((0..20).map(|_| serving.get(&path, ""))).await;
    assert_eq!(counter.calls(), (0, vec![]));
    assert!(burst.iter().all(|reply| reply.body == first.body));
    assert_eq!(burst[0].header("cache-control"), Some("public, max-age=46"));
    let tag = first.header("etag").expect("a tag").to_owned();
    let known = Request::get(&path).header(header::IF_NONE_MATCH, &tag);
    let known = serving.send(known.body(Body::empty()).expect("a request")).await;
    assert_eq!((known.status, known.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(known.header("etag"), Some(tag.as_str()));
    test.clock.advance(Seconds(1));
    let next = serving.get(&path, "").await;
    assert!(Unpacked::of(&next.body).is_revoked(place(&tokens).0), "the next list has it");
    assert_ne!(next.header("etag"), Some(tag.as_str()));
}
