//! What the browser does after a sign-out here: applications' frames first, then perhaps the provider, then the address
//! that the application registered.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_tests::Reply;
use vestibule_tests::in_process::{CALLBACK, SignedIn, TestBroker, authorization, claims};

const SECRET: &str = "secret-of-the-application-0123456789";
const BYE: &str = "https://app.example/bye";

/// An application with these members too.
async fn application(test: &TestBroker, id: &str, members: &Value) {
    let mut client = json!({
        "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "post_logout_redirect_uris": [BYE],
        "client_auth": "client_secret_post", "client_secret": SECRET,
    });
    client.as_object_mut().expect("members").extend(members.as_object().expect("members").clone());
    test.admin(Method::PUT, &format!("/clients/{id}"), &client).await;
}

/// What an application holds after a sign-in in this browser.
async fn tokens(test: &TestBroker, client: &str, cookie: &str) -> Value {
    let address = authorization(&[]).replace("client_id=app&", &format!("client_id={client}&"));
    let reply = test.get(&address, cookie).await;
    let code = reply.location().map(|location| Reply::one_param(&location, "code")).expect("the session does");
    redeem(test, client, &code).await
}

async fn redeem(test: &TestBroker, client: &str, code: &str) -> Value {
    let verifier = "verifier-of-the-application-0123456789-0123456789";
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", verifier),
        ("client_id", client),
        ("client_secret", SECRET),
    ];
    let reply = test.post("/oauth2/token", &form).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()
}

async fn sign_out(test: &TestBroker, tokens: &Value, more: &[(&str, &str)]) -> Reply {
    let hint = tokens["id_token"].as_str().expect("a token");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("id_token_hint", hint).extend_pairs(more);
    test.get(&format!("/oauth2/logout?{}", query.finish()), "").await
}

/// The addresses that a page frames.
fn frames(reply: &Reply) -> Vec<Url> {
    let sources = reply.body.split("<iframe").skip(1).filter_map(|rest| rest.split("src=\"").nth(1)?.split('"').next());
    sources.map(|source| Url::parse(&source.replace("&amp;", "&")).expect("an address")).collect()
}

async fn first_sign_in(test: &TestBroker) -> (Value, String) {
    let SignedIn { code, cookie } = test.sign_in().await;
    (redeem(test, "app", &code).await, cookie)
}

/// LO-6: our page frames the addresses of the applications that hold something in the session, and of no other, each
/// with the session's name; then the browser goes on where the application wanted it.
#[tokio::test]
async fn applications_of_the_session_are_framed() {
    let test = TestBroker::new().await;
    application(&test, "app", &json!({"frontchannel_logout_uri": "https://app.example/out?keep=1"})).await;
    let quiet = json!({
        "redirect_uris": [CALLBACK, "https://quiet.example:8443/cb"], "frontchannel_logout_session_required": false,
        "frontchannel_logout_uri": "https://quiet.example:8443/out",
    });
    application(&test, "quiet", &quiet).await;
    application(&test, "silent", &json!({})).await;
    let absent = json!({"redirect_uris": [CALLBACK, "https://absent.example/"], "frontchannel_logout_uri": "https://absent.example/out"});
    application(&test, "absent", &absent).await;
    let (first, cookie) = first_sign_in(&test).await;
    tokens(&test, "quiet", &cookie).await;
    tokens(&test, "silent", &cookie).await;
    // Another browser's.
    let elsewhere = test.sign_in().await;
    tokens(&test, "absent", &elsewhere.cookie).await;

    let reply = sign_out(&test, &first, &[("post_logout_redirect_uri", BYE), ("state", "a b")]).await;
    assert_eq!((reply.status, reply.location()), (StatusCode::OK, None));
    assert_eq!(reply.header("refresh"), Some("2; url=https://app.example/bye?state=a+b"));
    assert!(reply.body.contains("href=\"https://app.example/bye?state=a+b\""), "{}", reply.body);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(policy.contains("; frame-src https://app.example https://quiet.example:8443;"), "{policy}");
    let sid = claims(&first["id_token"])["sid"].as_str().expect("a name").to_owned();
    let [app, quiet] = &frames(&reply)[..] else { panic!("two frames: {}", reply.body) };
    assert_eq!(Reply::one_param(app, "iss"), "https://sso.example");
    assert_eq!(Reply::one_param(app, "sid"), sid);
    assert_eq!(Reply::one_param(app, "keep"), "1");
    assert_eq!(quiet.as_str(), "https://quiet.example:8443/out");
    assert_eq!(test.introspect(first["access_token"].as_str().expect("a token")).await["active"], false);

    let again = sign_out(&test, &first, &[("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(again.location().map(String::from).as_deref(), Some(BYE), "there is nothing left to tell");
}

/// LO-1: where no application wants a frame, a sign-out is the redirect that it was; without an address the page stays.
#[tokio::test]
async fn without_frames_it_is_a_redirect() {
    let test = TestBroker::new().await;
    application(&test, "app", &json!({})).await;
    let (first, _) = first_sign_in(&test).await;
    let reply = sign_out(&test, &first, &[("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((reply.status, reply.location().map(String::from).as_deref()), (StatusCode::SEE_OTHER, Some(BYE)));
    application(&test, "app", &json!({"frontchannel_logout_uri": "https://app.example/out"})).await;
    let (second, _) = first_sign_in(&test).await;
    let reply = sign_out(&test, &second, &[("post_logout_redirect_uri", "https://evil.example/")]).await;
    assert_eq!((frames(&reply).len(), reply.header("refresh")), (1, None));
    assert!(!reply.body.contains("evil.example"));
}

/// LO-6: an address that is framed lies where a redirect URI does.
#[tokio::test]
async fn another_sites_frame_is_refused() {
    let test = TestBroker::new().await;
    for address in ["https://evil.example/out", "http://app.example/out", "https://app.example/out#x", "out", ""] {
        let client = json!({
            "name": "App", "redirect_uris": [CALLBACK], "client_auth": "none", "frontchannel_logout_uri": address,
        });
        let reply = test.try_admin(Method::PUT, "/clients/odd", &client).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{address}");
        assert_eq!(reply.json()["problems"][0]["path"], "/frontchannel_logout_uri", "{address}");
    }
    application(&test, "app", &json!({"frontchannel_logout_uri": "https://app.example/out"})).await;
    let view = test.admin(Method::GET, "/clients/app", &Value::Null).await;
    assert_eq!(view["frontchannel_logout_session_required"], true);
    assert_eq!(view["frontchannel_logout_uri"], "https://app.example/out");
}

/// LO-6: the person who says yes on our page sees the frames, too.
#[tokio::test]
async fn a_confirmed_sign_out_frames_too() {
    let test = TestBroker::new().await;
    application(&test, "app", &json!({"frontchannel_logout_uri": "https://app.example/out"})).await;
    let (_, cookie) = first_sign_in(&test).await;
    let asked = test.get("/oauth2/logout", &cookie).await;
    assert!(asked.body.contains("Sign out?") && frames(&asked).is_empty(), "{}", asked.body);
    let request = http::Request::post("/oauth2/logout")
        .header("cookie", &cookie)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded");
    let reply = test.send(request.body("confirm=yes".into()).expect("a request")).await;
    assert_eq!((reply.status, frames(&reply).len()), (StatusCode::OK, 1), "{}", reply.body);
    assert!(signed_out_cookie(&reply));
}

fn signed_out_cookie(reply: &Reply) -> bool {
    reply.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-session=;"))
}
