//! Front-channel logout received: frames in a provider's sign-out page. What ours frames is in `sign_out`.

use async_trait::async_trait;
use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::Document;
use vestibule_tests::Reply;
use vestibule_tests::in_process::deliveries::LOGOUT;
use vestibule_tests::in_process::{ALICE, TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

const ON: &str = "front_channel";
const IDP: &str = "https://idp.example";
/// A session's name at the provider, and another's.
const SID: &str = "f2a0c1d4-5b7e-4c7d-9a53-0d6c1f0e8b21";
const OTHER: &str = "f2a0c1d4-5b7e-4c7d-9a53-0d6c1f0e8b22";

/// Somebody who is signed in, in a session that the provider calls `sid`: their tokens and their browser's cookie.
async fn somebody(test: &TestBroker, connection: &str, sid: &str) -> (Value, String) {
    test.idp.say(Document::IdToken, "sid", json!(sid));
    let signed = signed_in(&test.try_sign_in(connection, ALICE).await);
    (test.redeem(&signed.code).await.json(), signed.cookie)
}

async fn is_over(test: &TestBroker, tokens: &Value) -> bool {
    test.introspect(tokens["access_token"].as_str().expect("a token")).await["active"] == false
}

/// The frame, as a browser loads it that says so.
async fn frame(test: &TestBroker, path: &str, cookie: &str, dest: Option<&str>) -> Reply {
    let request = Request::get(format!("/oauth2/frontchannel-logout/{path}")).header(header::COOKIE, cookie);
    let request = dest.into_iter().fold(request, |request, dest| request.header("sec-fetch-dest", dest));
    test.send(request.body(Body::empty()).expect("a request")).await
}

/// The frame of a browser that keeps our cookie back.
async fn named(test: &TestBroker, iss: &str, sid: &str) -> Reply {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("iss", iss).append_pair("sid", sid).finish();
    frame(test, &format!("acme/idp?{query}"), "", Some("iframe")).await
}

async fn listening() -> TestBroker {
    let test = TestBroker::listening(200).await;
    test.connect(&json!({"logout": {ON: true}})).await;
    test
}

/// What a frame may say: the same whether there was a session or not, for the provider's page only, never kept.
fn assert_framed(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-frame-options"), None);
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("default-src 'none';") && policy.ends_with("frame-ancestors https://idp.example"),
        "{policy}"
    );
}

/// LO-6: `iss` and `sid` end that session only, without a cookie; the applications are told. The answer is the same for a
/// name that nobody has.
#[tokio::test]
async fn a_frame_ends_the_session_that_it_names() {
    let test = listening().await;
    let ((ended, _), (stays, _)) = (somebody(&test, "idp", SID).await, somebody(&test, "idp", OTHER).await);
    let known = named(&test, IDP, SID).await;
    assert_framed(&known);
    let unknown = named(&test, IDP, &SID.replace('f', "0")).await;
    let again = named(&test, IDP, SID).await;
    let without_id = |reply: &Reply| {
        let mut headers = reply.headers.clone();
        headers.remove("x-request-id");
        (reply.status, headers, reply.body.clone())
    };
    assert_eq!(without_id(&known), without_id(&unknown));
    assert_eq!(without_id(&known), without_id(&again));
    assert!(is_over(&test, &ended).await);
    assert!(!is_over(&test, &stays).await);
    test.quarters_of_an_hour(1).await;
    let told = test.network.received(LOGOUT);
    assert_eq!(told.len(), 1);
    assert_eq!(claims(&json!(told[0].field("logout_token")))["sid"], claims(&ended["id_token"])["sid"]);
    let events = test.audited(&["session_ended"]).await;
    assert_eq!((events.len(), &events[0]["reason"]), (1, &json!("provider_notice")));
}

/// LO-6: `iss` and `sid` both or neither, both checked, and the address is one connection's.
#[tokio::test]
async fn what_names_no_session_ends_none() {
    let test = listening().await;
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": IDP, "client_id": "broker-2", "client_auth": "none",
        "logout": {ON: true},
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    let (stays, cookie) = somebody(&test, "idp", SID).await;
    let (short, _) = somebody(&test, "idp", "session-1").await;
    let iss = "iss=https%3A%2F%2Fidp.example";
    for (query, status) in [
        (format!("acme/idp?{iss}"), 400),
        (format!("acme/idp?sid={SID}"), 400),
        (format!("acme/idp?iss=&sid={SID}"), 400),
        (format!("acme/idp?{iss}&sid="), 400),
        (format!("acme/idp?{iss}&{iss}&sid={SID}"), 400),
        (format!("acme/idp?{iss}&sid={SID}&sid={SID}"), 400),
        (format!("acme/idp?iss=https%3A%2F%2Fevil.example&sid={SID}"), 400),
        (format!("acme/idp?{iss}%2F&sid={SID}"), 400),
        (format!("acme/idp?{iss}&sid={SID}%"), 400),
        (format!("acme/idp?{iss}&sid={}", SID.to_uppercase()), 200),
        (format!("acme/idp?{iss}&sid={}", &SID[..35]), 200),
        // Names that can be guessed are no secrets.
        (format!("acme/idp?{iss}&sid=session-1"), 400),
        (format!("acme/second?{iss}&sid={SID}"), 200),
        (format!("acme/none?{iss}&sid={SID}"), 400),
        (format!("other/idp?{iss}&sid={SID}"), 400),
    ] {
        let reply = frame(&test, &query, &cookie, Some("iframe")).await;
        assert_eq!(reply.status.as_u16(), status, "{query}: {}", reply.body);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{query}");
        assert!(!is_over(&test, &stays).await, "{query}");
    }
    assert!(!is_over(&test, &short).await);
}

/// LO-6: off unless a connection has it on. One that is disabled still signs out.
#[tokio::test]
async fn only_connections_with_the_setting_listen() {
    let test = TestBroker::new().await;
    let (tokens, _) = somebody(&test, "idp", SID).await;
    let reply = named(&test, IDP, SID).await;
    assert_eq!((reply.status, reply.text("error").as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
    assert!(!is_over(&test, &tokens).await);
    let view = test.connect(&json!({"logout": {ON: true}, "enabled": false})).await;
    assert_eq!(view["frontchannel_logout_uri"], "https://sso.example/oauth2/frontchannel-logout/acme/idp");
    assert_eq!(view["logout"], json!({ON: true, "at_provider": false}));
    assert_framed(&named(&test, IDP, SID).await);
    assert!(is_over(&test, &tokens).await);
}

/// LO-6, CK-7: without `iss` and `sid` the browser's own cookie counts, in a frame only, and for its connection only: a
/// link or a picture on another site signs nobody out.
#[tokio::test]
async fn the_cookie_counts_in_a_frame_only() {
    let test = listening().await;
    let second = json!({
        "name": "Second", "protocol": "oidc", "issuer": IDP, "client_id": "broker", "logout": {ON: true},
        "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
    });
    test.admin(Method::PUT, "/tenants/acme/connections/second", &second).await;
    let (tokens, cookie) = somebody(&test, "idp", SID).await;
    let (other, others) = somebody(&test, "second", OTHER).await;
    let forged = format!("{}x", &cookie[..cookie.len() - 1]);
    let iframe = Some("iframe");
    for (cookie, dest) in
        [(&cookie, Some("document")), (&cookie, Some("image")), (&cookie, None), (&others, iframe), (&forged, iframe)]
    {
        let reply = frame(&test, "acme/idp", cookie, dest).await;
        assert_framed(&reply);
        assert_eq!(reply.set_cookies(), Vec::<&str>::new());
        assert!(!is_over(&test, &tokens).await && !is_over(&test, &other).await, "{dest:?}");
    }
    let reply = frame(&test, "acme/idp", &cookie, iframe).await;
    assert_framed(&reply);
    assert!(reply.set_cookies().concat().starts_with("__Host-session=;"), "{:?}", reply.set_cookies());
    assert!(is_over(&test, &tokens).await);
    assert!(!is_over(&test, &other).await);
}

/// A store that takes no writes.
struct ReadOnly;

#[async_trait]
impl Watch for ReadOnly {
    async fn before(&self, call: Call<'_>) -> Result<(), StoreError> {
        if call.writes { Err(StoreError::Unavailable("nothing is to be written".into())) } else { Ok(()) }
    }
}

/// LO-6: a stranger who makes names up leaves nothing behind.
#[tokio::test]
async fn a_name_that_nobody_has_is_written_nowhere() {
    let test = listening().await;
    let (tokens, _) = somebody(&test, "idp", SID).await;
    let read_only = test.another_process(Some(watched(&test.store, ReadOnly).0));
    assert_framed(&named(&read_only, IDP, OTHER).await);
    assert_eq!(named(&read_only, IDP, SID).await.status, StatusCode::INTERNAL_SERVER_ERROR, "this one has to be");
    assert!(!is_over(&test, &tokens).await);
}
