//! OAuth clients for SCIM: each way to prove who they are, what their access tokens open, and for how long.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request, header};
use serde_json::{Value, json};
use vestibule_core::scim::access;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::Lie;
use vestibule_tests::Reply;
use vestibule_tests::client_key::{ASSERTION_TYPE, ClientKey};
use vestibule_tests::in_process::{ADMIN, ISSUER, TestBroker, claims};
use vestibule_tests::watched_store::{Yields, watched};

const CLIENTS: &str = "/tenants/acme/scim-clients";
const ENTRA: &str = "https://idp.example";

/// A broker in which whatever is done at once really is.
async fn busy() -> TestBroker {
    let test = TestBroker::new().await;
    test.another_process(Some(watched(&test.store, Yields).0))
}

async fn make(test: &TestBroker, members: &Value) -> Value {
    let mut body = json!({"name": "Entra"});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    test.admin(Method::POST, CLIENTS, &body).await
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_else(|| panic!("no {name} in {object}")).to_owned()
}

async fn ask(test: &TestBroker, form: &[(&str, &str)]) -> Reply {
    test.post("/oauth2/token", &[&[("grant_type", "client_credentials")], form].concat()).await
}

fn form<'a>(client: &'a str, secret: &'a str) -> [(&'a str, &'a str); 2] {
    [("client_id", client), ("client_secret", secret)]
}

async fn ask_basic(test: &TestBroker, id: &str, secret: &str) -> Reply {
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
    test.send(request.body(Body::from("grant_type=client_credentials&scope=scim")).expect("a request")).await
}

async fn assert_with(test: &TestBroker, client: &str, assertion: &str) -> Reply {
    let proof = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion), ("client_id", client)];
    ask(test, &proof).await
}

/// The tenant that a token opens, or the status of the refusal.
async fn opens(test: &TestBroker, token: &str) -> Result<String, u16> {
    match access::authenticate(&test.broker, Some(token)).await {
        Ok(caller) => Ok(caller.tenant),
        Err(vestibule_core::Error::Scim(error)) => Err(error.status),
        Err(error) => panic!("{error:?}"),
    }
}

fn outcome(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.text("error"))
}

fn refused() -> (u16, String) {
    (401, "invalid_client".to_owned())
}

/// EN-9: by secret, in the registered way only. The token says what RFC 9068 wants, and is good for SCIM.
#[tokio::test]
async fn a_directory_gets_a_token_by_its_secret() {
    let test = TestBroker::new().await;
    let made = make(&test, &json!({"client_auth": "client_secret_basic", "access_token_life": 7200})).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let reply = ask_basic(&test, &id, &secret).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let answer = reply.json();
    let members: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"], "no refresh token");
    assert_eq!(
        (&answer["scope"], &answer["expires_in"], &answer["token_type"]),
        (&json!("scim"), &json!(7200), &json!("Bearer"))
    );
    let said = claims(&answer["access_token"]);
    let named = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    assert_eq!((named("iss"), named("aud")), (ISSUER.to_owned(), format!("{ISSUER}/scim/v2")));
    assert_eq!((named("sub"), named("client_id"), named("tenant")), (id.clone(), id.clone(), "acme".to_owned()));
    assert_eq!(opens(&test, &text(&answer, "access_token")).await.as_deref(), Ok("acme"));

    let post = make(&test, &json!({"client_auth": "client_secret_post"})).await;
    let (post_id, post_secret) = (text(&post, "client_id"), text(&post, "client_secret"));
    let reply = ask(&test, &form(&post_id, &post_secret)).await;
    assert_eq!((reply.status.as_u16(), reply.json()["expires_in"].as_i64()), (200, Some(3600)));
    assert_eq!(outcome(&ask(&test, &form(&id, &secret)).await), refused(), "another way than registered");
    assert_eq!(outcome(&ask_basic(&test, &post_id, &post_secret).await), refused());
    for (id, secret) in [(&post_id, &secret), (&post_id, &String::new()), (&"scim-unknown".to_owned(), &post_secret)] {
        assert_eq!(outcome(&ask(&test, &form(id, secret)).await), refused(), "{id}");
    }
    assert_eq!(outcome(&ask(&test, &[("client_id", &post_id)]).await), refused());
    let scope = [form(&post_id, &post_secret).as_slice(), &[("scope", "openid")]].concat();
    assert_eq!(outcome(&ask(&test, &scope).await), (400, "invalid_scope".to_owned()));
}

/// One kind of client never passes for the other, and one kind of token neither. SC-2, TK-5
#[tokio::test]
async fn directories_and_applications_do_not_mix() {
    let test = TestBroker::new().await;
    let made = make(&test, &json!({"client_auth": "client_secret_post"})).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let token = text(&ask(&test, &proof).await.json(), "access_token");
    let app = [("client_id", "app"), ("client_secret", "secret-of-the-application-0123456789")];
    assert_eq!(outcome(&ask(&test, &app).await), (400, "unauthorized_client".to_owned()));
    let wrong = [("client_id", "app"), ("client_secret", "x")];
    assert_eq!(outcome(&ask(&test, &wrong).await), refused());
    for grant in ["authorization_code", "refresh_token"] {
        let form = [("grant_type", grant), ("code", "c"), ("refresh_token", "r"), ("redirect_uri", "u")];
        let form = [form.as_slice(), &[("code_verifier", "v")], &proof].concat();
        assert_eq!(outcome(&test.post("/oauth2/token", &form).await), refused(), "{grant}");
    }
    let start = test.authorize(&[("client_id", &id)], "").await;
    assert_eq!(start.status, 400, "nobody signs in to it");
    assert_eq!(test.userinfo(&token).await.status, 401);
    assert_eq!(test.try_admin(Method::GET, &format!("/clients/{id}"), &Value::Null).await.status, 404);
    let admin = Request::get("/admin/v1/tenants").header(header::AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(test.send(admin.body(Body::empty()).expect("a request")).await.status, 401);
    let person = test.tokens().await;
    for name in ["access_token", "id_token", "refresh_token"] {
        assert_eq!(opens(&test, &text(&person, name)).await, Err(401), "{name}");
    }
    assert_eq!(opens(&test, ADMIN).await, Err(401));
    let (head, tail) = token.rsplit_once('.').expect("a token");
    let other = if tail.starts_with('A') { "B" } else { "A" };
    assert_eq!(opens(&test, &format!("{head}.{other}{}", &tail[1..])).await, Err(401));
}

/// A deleted client is out at once, in every process; a removed tenant's, too; and each token ends.
#[tokio::test]
async fn a_token_is_good_while_its_client_and_its_life_last() {
    let test = TestBroker::new().await;
    test.admin(Method::PUT, "/tenants/other", &json!({"name": "Other"})).await;
    let elsewhere = test.another_process(None);
    let made = make(&test, &json!({"client_auth": "client_secret_post", "connection": "idp"})).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let token = text(&ask(&elsewhere, &proof).await.json(), "access_token");
    let caller = access::authenticate(&elsewhere.broker, Some(&token)).await.expect("it is let in");
    assert_eq!((caller.id, caller.name.as_str(), caller.connection.as_deref()), (id.clone(), "Entra", Some("idp")));
    test.clock.advance(Seconds(3599));
    assert_eq!(opens(&elsewhere, &token).await.as_deref(), Ok("acme"));
    test.clock.advance(Seconds(1));
    assert_eq!(opens(&elsewhere, &token).await, Err(401));
    let token = text(&ask(&elsewhere, &proof).await.json(), "access_token");
    let of_other = format!("/tenants/other/scim-clients/{id}");
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(test.try_admin(method, &of_other, &Value::Null).await.status, 404, "another tenant's");
    }
    assert_eq!(opens(&elsewhere, &token).await.as_deref(), Ok("acme"));
    test.admin(Method::DELETE, &format!("{CLIENTS}/{id}"), &Value::Null).await;
    assert_eq!(opens(&elsewhere, &token).await, Err(401));
    assert_eq!(outcome(&ask(&elsewhere, &proof).await), refused());
    assert_eq!(test.admin(Method::GET, CLIENTS, &Value::Null).await["items"], json!([]));

    let made = make(&test, &json!({"client_auth": "client_secret_post"})).await;
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let proof = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let token = text(&ask(&test, &proof).await.json(), "access_token");
    test.admin(Method::DELETE, "/tenants/acme", &Value::Null).await;
    assert_eq!(opens(&test, &token).await, Err(401));
    assert_eq!(outcome(&ask(&test, &proof).await), refused());
}

/// IPSIE, TK-15: a statement signed with a registered key, for us, once.
#[tokio::test]
async fn a_directory_can_sign_for_itself() {
    let test = TestBroker::new().await;
    let (key, stranger) = (ClientKey::new().await, ClientKey::new().await);
    let made = make(&test, &json!({"client_auth": "private_key_jwt", "jwks": {"keys": [key.jwk()]}})).await;
    let id = text(&made, "client_id");
    assert!(made.get("client_secret").is_none(), "{made}");
    let now = test.broker.platform.clock.now().seconds();
    let statement = |jti: &str| json!({"iss": id, "sub": id, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60});
    let signed = key.sign(&statement("1")).await;
    let reply = assert_with(&test, &id, &signed).await;
    assert_eq!(opens(&test, &text(&reply.json(), "access_token")).await.as_deref(), Ok("acme"));
    assert_eq!(outcome(&assert_with(&test, &id, &signed).await), refused(), "once");
    assert_eq!(outcome(&assert_with(&test, &id, &stranger.sign(&statement("2")).await).await), refused());
    for (name, value) in [
        ("aud", json!(format!("{ISSUER}/scim/v2"))),
        ("iss", json!("app")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 301)),
        ("jti", Value::Null),
    ] {
        let mut wrong = statement("3");
        wrong[name] = value.clone();
        assert_eq!(outcome(&assert_with(&test, &id, &key.sign(&wrong).await).await), refused(), "{name}: {value}");
    }
    assert_eq!(assert_with(&test, &id, &key.sign(&statement("3")).await).await.status, 200);
}

async fn entra(test: &TestBroker, audience: Option<&str>) -> String {
    let mut trusted = json!({"issuer": ENTRA, "subject": "object-id"});
    if let Some(audience) = audience {
        trusted["audience"] = json!(audience);
    }
    text(&make(test, &json!({"client_auth": "trusted_issuer", "trusted_issuer": trusted})).await, "client_id")
}

fn workload(test: &TestBroker, audience: &str) -> Value {
    let now = test.broker.platform.clock.now().seconds();
    json!({"iss": ENTRA, "sub": "object-id", "aud": audience, "nbf": now - 300, "iat": now, "exp": now + 86_400})
}

/// EN-9: what Entra's workload identity sends, signed by a key that its metadata leads to.
#[tokio::test]
async fn a_trusted_issuer_vouches_for_a_directory() {
    let test = busy().await;
    let (id, other) = (entra(&test, Some("api://scim")).await, entra(&test, None).await);
    let good = workload(&test, "api://scim");
    let sign = async |claims: &Value| test.idp.vouch(claims).await.expect("a signature");
    let signed = sign(&good).await;
    for _ in 0..2 {
        let reply = assert_with(&test, &id, &signed).await;
        assert_eq!(reply.status, 200, "without a name it counts until it ends: {}", reply.body);
        assert_eq!(opens(&test, &text(&reply.json(), "access_token")).await.as_deref(), Ok("acme"));
    }
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), 1, "documents are kept");
    let ours = sign(&workload(&test, ISSUER)).await;
    assert_eq!(assert_with(&test, &other, &ours).await.status, 200, "our issuer is the usual audience");
    for (client, assertion) in [(&id, &ours), (&other, &signed), (&"app".to_owned(), &signed)] {
        assert_eq!(outcome(&assert_with(&test, client, assertion).await), refused(), "{client}");
    }
    let nameless = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", signed.as_str())];
    assert_eq!(outcome(&ask(&test, &nameless).await), refused(), "a statement alone names no client");
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("sub", json!("other-object")),
        ("aud", json!(["api://scim"])),
        ("exp", json!(1)),
        ("nbf", json!(test.broker.platform.clock.now().seconds() + 600)),
    ] {
        let mut wrong = good.clone();
        wrong[name] = value.clone();
        assert_eq!(outcome(&assert_with(&test, &id, &sign(&wrong).await).await), refused(), "{name}: {value}");
    }
    for lie in [Lie::OtherKey, Lie::DamagedSignature, Lie::AlgNone, Lie::HmacWithPublicKey, Lie::UnknownKid] {
        test.idp.lie(lie);
        assert_eq!(outcome(&assert_with(&test, &id, &sign(&good).await).await), refused(), "{lie:?}");
        test.idp.be_honest();
    }
    let mut named = good.clone();
    named["jti"] = json!("one");
    let named = sign(&named).await;
    let tries = (0..10).map(|_| assert_with(&test, &id, &named));
    let replies = futures_util::future::join_all(tries).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1, "a name counts once");
}

/// A new key of the issuer is found; an outage is told as one; a host that the tenant does not list is not asked.
#[tokio::test]
async fn an_issuers_keys_are_found_within_the_tenants_reach() {
    let test = TestBroker::new().await;
    let id = entra(&test, None).await;
    let sign = async || test.idp.vouch(&workload(&test, ISSUER)).await.expect("a signature");
    test.idp.lie(Lie::JwksDown);
    let reply = assert_with(&test, &id, &sign().await).await;
    assert_eq!(outcome(&reply), (503, "temporarily_unavailable".to_owned()));
    test.idp.be_honest();
    assert_eq!(assert_with(&test, &id, &sign().await).await.status, 200);
    test.idp.rotate_key(false).await.expect("a key");
    assert_eq!(assert_with(&test, &id, &sign().await).await.status, 200, "a new key is looked for");
    test.admin(Method::PUT, "/tenants/acme", &json!({"name": "Acme", "egress_hosts": ["elsewhere.example"]})).await;
    let process = test.another_process(None);
    test.clock.advance(Seconds(7200));
    let asked = test.idp.requests("/.well-known/openid-configuration");
    let late = entra(&process, None).await;
    assert_eq!(assert_with(&process, &late, &sign().await).await.status, 503);
    assert_eq!(test.idp.requests("/.well-known/openid-configuration"), asked);
}
