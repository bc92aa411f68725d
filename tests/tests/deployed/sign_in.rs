//! The sign-in page: an address or a choice, sent with the request it interrupts.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::form::Form;
use vestibule_tests::platform::unique;
use vestibule_tests::world::{ALICE, Application, PASSWORD, code_grant, connection, member, register};
use vestibule_tests::{Browser, Reply, World};

/// An application of every tenant, and a domain that the world's tenant owns.
async fn open_world() -> (World, Application, String) {
    let world = World::new().await;
    let app = register(&world.broker, "none", &Value::Null).await;
    let domain = format!("{}.example", unique("d"));
    let path = format!("/tenants/{}/domains/{domain}", world.tenant);
    world.broker.put(&path, json!({})).await;
    let override_by_hand = json!({ "override_reason": "a test" });
    let reply = world.broker.admin(Method::POST, &format!("{path}/verify"), Some(&override_by_hand)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    (world, app, domain)
}

async fn put_connection(world: &World, name: &str, sign_in: Value) {
    let mut body = connection(world.idp.issuer(), &json!({}));
    body["sign_in"] = sign_in;
    world.broker.put(&format!("/tenants/{}/connections/{name}", world.tenant), body).await;
}

/// An address first: one of the tenant's domain goes on to its provider by 303, with the request as it was.
/// AZ-9, AZ-11.
#[tokio::test]
async fn an_address_leads_to_its_provider() {
    let (world, app, domain) = open_world().await;
    let request = world.authorization_of(&app, "").without("tenant");
    let mut browser = Browser::new();
    let page = browser.get(&request.url(&world.broker)).await;
    assert_eq!(page.status, 200);
    page.assert_page();
    assert!(page.set_cookies().is_empty(), "no login has begun");
    let visit = browser.submit(&page, &[("login_hint", &format!("alice@{domain}"))]).await;
    let first = visit.hops.first().expect("an answer");
    assert_eq!(first.status, 303, "{}", first.body);
    let at_provider = visit.page();
    assert!(at_provider.url.as_str().starts_with(world.idp.issuer()), "{}", at_provider.url);
    let visit = browser.submit(at_provider, &[("username", ALICE), ("password", PASSWORD)]).await;
    assert_eq!(Reply::one_param(visit.arrived(), "state"), request.param("state"));
    let code = Reply::one_param(visit.arrived(), "code");
    assert_eq!(world.token(&app, &code_grant(&code, &request.verifier)).await.status, 200);
}

/// An address that leads nowhere is answered on the page, and as often as it is tried.
#[tokio::test]
async fn an_address_that_leads_nowhere_stays_on_the_page() {
    let (world, app, _) = open_world().await;
    let request = world.authorization_of(&app, "").without("tenant");
    let mut browser = Browser::new();
    let mut page = browser.get(&request.url(&world.broker)).await;
    for address in ["someone@nobody.example", "no address", "\"><script>@x.example", "someone@"] {
        let visit = browser.submit(&page, &[("login_hint", address)]).await;
        page = visit.page().clone();
        assert_eq!(page.status, 200, "{address}");
        page.assert_page();
        assert!(page.body.contains("role=\"alert\""), "{address}: {}", page.body);
        assert!(!page.body.contains("<script"), "{}", page.body);
        assert!(page.set_cookies().is_empty());
    }
}

/// What the form carries is read anew: whoever changes it gains nothing. AZ-1, AZ-4, AZ-14.
#[tokio::test]
async fn hidden_fields_are_not_trusted() {
    let (world, app, domain) = open_world().await;
    let request = world.authorization_of(&app, "").without("tenant");
    let page = Browser::new().get(&request.url(&world.broker)).await;
    let address = format!("alice@{domain}");
    for (name, value) in [("redirect_uri", "https://evil.example/callback"), ("client_id", "nobody")] {
        let visit = Browser::new().submit(&page, &[("login_hint", &address), (name, value)]).await;
        visit.page().assert_error_page();
        assert!(!visit.page().body.contains("evil.example"));
    }
    for (name, value) in [("code_challenge_method", "plain"), ("response_type", "token"), ("tenant", "no-such-tenant")]
    {
        let visit = Browser::new().submit(&page, &[("login_hint", &address), (name, value)]).await;
        assert!(!Reply::one_param(visit.arrived(), "error").is_empty(), "{name}");
    }
    // And nobody sees a page about an application that is not known.
    let unknown = request.with("client_id", "nobody");
    Browser::new().get(&unknown.url(&world.broker)).await.assert_error_page();
}

/// One button for each connection that is for this person: pictures from the hosts that were named, the tenant's
/// colour, and nothing else. AZ-11.
#[tokio::test]
async fn several_connections_are_buttons() {
    let world = World::new().await;
    let look = json!({ "name": "Acme & Sons", "logo_url": "https://logo.example/l.svg", "colour": "#1f4fbf" });
    world.broker.put(&format!("/tenants/{}", world.tenant), look).await;
    let shown = json!({ "button_text": "Staff <login>", "button_image_url": "https://img.example/b.png" });
    put_connection(&world, "staff", shown).await;
    put_connection(&world, "partners", json!({ "domains": ["partner.example"] })).await;
    put_connection(&world, "elsewhere", json!({ "hosts": ["login.elsewhere.example"] })).await;
    let request = world.authorization().with("login_hint", ALICE);
    let mut browser = Browser::new();
    let page = browser.get(&request.url(&world.broker)).await;
    page.assert_page();
    for there in ["Staff &lt;login&gt;", "Continue with Corp", "Acme &amp; Sons", "#1f4fbf"] {
        assert!(page.body.contains(there), "{there}: {}", page.body);
    }
    for absent in ["value=\"partners\"", "value=\"elsewhere\"", "<script"] {
        assert!(!page.body.contains(absent), "{absent}: {}", page.body);
    }
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("img-src https://img.example https://logo.example;"), "{policy}");
    let visit = browser.submit(&page, &[("connection", "staff")]).await;
    assert_eq!(visit.hops.first().map(|hop| hop.status.as_u16()), Some(303));
    assert!(visit.page().url.as_str().starts_with(world.idp.issuer()));
    let form = Form::all(&page.body).into_iter().next().expect("a form");
    assert_eq!(form.fields.iter().filter(|(name, _)| name == "tenant").count(), 1);
}

/// The same verified address, through two connections that link: one person. Through one that does not: another. RP-6.
#[tokio::test]
async fn connections_link_by_address_when_they_are_told_to() {
    let (world, app, domain) = open_world().await;
    let address = format!("carol@{domain}");
    let account = vestibule_testkit::Account::new(&address, PASSWORD, "subject-of-carol", "Carol");
    world.idp.add_account(account);
    for connection in ["corp", "second"] {
        put_connection(&world, connection, json!({ "link_by_email": true })).await;
    }
    put_connection(&world, "third", json!({})).await;
    let subject = async |connection: &str| {
        let request = world.authorization_of(&app, &world.tenant).with("connection", connection);
        let visit = world.follow(&mut Browser::new(), &request, &address).await;
        let code = Reply::one_param(visit.arrived(), "code");
        let tokens = world.token(&app, &code_grant(&code, &request.verifier)).await.json();
        let claims = payload(&member(&tokens, "id_token")).expect("claims");
        claims.get("sub").and_then(Value::as_str).expect("a subject").to_owned()
    };
    let first = subject("corp").await;
    assert_eq!(subject("second").await, first);
    assert_ne!(subject("third").await, first);
}

/// What is shown to people is looked at before it is kept. AZ-13.
#[tokio::test]
async fn what_pages_show_is_checked() {
    let world = World::new().await;
    let tenant = format!("/tenants/{}", world.tenant);
    for (member, value) in [
        ("colour", "#ffffff"),
        ("colour", "red"),
        ("colour", "#12345"),
        ("logo_url", "http://logo.example/l.svg"),
        ("logo_url", "javascript:alert(1)"),
        ("logo_url", "//logo.example/l.svg"),
    ] {
        let reply = world.broker.admin(Method::PUT, &tenant, Some(&json!({ "name": "A", member: value }))).await;
        assert_eq!(reply.status, 400, "{member} {value}");
        assert!(reply.body.contains(member), "{}", reply.body);
    }
    for sign_in in [
        json!({ "button_text": "" }),
        json!({ "button_image_url": "data:image/png;base64,AA" }),
        json!({ "domains": ["not a domain"] }),
        json!({ "hosts": ["localhost"] }),
        json!({ "link_by_email": "yes" }),
        json!({ "unknown": true }),
    ] {
        let mut body = connection(world.idp.issuer(), &json!({}));
        body["sign_in"] = sign_in.clone();
        let reply = world.broker.admin(Method::PUT, &format!("{tenant}/connections/x"), Some(&body)).await;
        assert_eq!(reply.status, 400, "{sign_in}");
    }
}
