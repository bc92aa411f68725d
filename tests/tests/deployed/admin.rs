//! The admin API: who may use it, what it takes, and what it never shows.

use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::platform::{unique, unique_secret};
use vestibule_tests::world::{ALICE, IDP_SECRET, code_grant, member};
use vestibule_tests::{Browser, Deployment, Reply, World};

/// No token, a wrong one, or one in another place: 401, before anything else is looked at. TK-2.
#[tokio::test]
async fn nobody_gets_in_without_the_token() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    let wrong = format!("{}x", broker.admin_token);
    let shorter: String = broker.admin_token.chars().skip(1).collect();
    for path in ["/tenants/x", "/tenants/x/connections/y", "/clients/x", "/tenants/x/users/y"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let at = |query: &str| broker.request(method.clone(), &format!("/admin/v1{path}{query}")).body("{}");
            let request = || at("");
            for request in [
                request(),
                request().bearer_auth(""),
                request().bearer_auth(&wrong),
                request().bearer_auth(&shorter),
                request().basic_auth("admin", Some(&broker.admin_token)),
                request().header("authorization", &broker.admin_token),
                at(&format!("?access_token={}", broker.admin_token)),
            ] {
                let reply = Reply::of(request).await;
                assert_eq!(reply.status, 401, "{method} {path}");
                assert!(reply.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
                assert!(!reply.body.contains(&broker.admin_token));
            }
        }
    }
    let refused = broker.request(Method::PUT, &format!("/admin/v1/tenants/{tenant}")).body("{\"name\":\"x\"}");
    assert_eq!(Reply::of(refused).await.status, 401);
    assert_eq!(broker.admin(Method::GET, &format!("/tenants/{tenant}"), None).await.status, 404, "nothing was done");
}

/// Created, replaced, read, removed.
#[tokio::test]
async fn things_are_put_read_and_removed() {
    let broker = Deployment::from_env();
    let (tenant, client) = (unique("t"), unique("app"));
    let connection = json!({
        "name": "Corp", "protocol": "oidc", "issuer": "https://idp.corp.example", "client_id": "broker",
        "client_secret": "a-secret-for-the-provider", "client_auth": "client_secret_post",
        "scopes": ["openid", "email"], "enabled": true,
    });
    let application = json!({
        "name": "An application", "tenants": [tenant], "redirect_uris": ["https://app.example/callback"],
        "post_logout_redirect_uris": [], "client_auth": "client_secret_basic", "client_secret": unique_secret(),
    });
    let tenant_path = format!("/tenants/{tenant}");
    let things = [
        (tenant_path.clone(), json!({ "name": "Acme" }), "Acme"),
        (format!("{tenant_path}/connections/corp"), connection, "Corp"),
        (format!("/clients/{client}"), application, "An application"),
    ];
    for (path, body, name) in &things {
        assert_eq!(broker.admin(Method::GET, path, None).await.status, 404, "{path}");
        let created = broker.admin(Method::PUT, path, Some(body)).await;
        assert_eq!(created.status, 201, "{path}: {}", created.body);
        let replaced = broker.admin(Method::PUT, path, Some(body)).await;
        assert_eq!(replaced.status, 200, "{path}: {}", replaced.body);
        let read = broker.admin(Method::GET, path, None).await;
        assert_eq!(read.status, 200);
        assert!(read.header("cache-control").unwrap_or_default().contains("no-store"), "{:?}", read.headers);
        assert_eq!(read.text("name"), *name);
        let secret = body.get("client_secret").and_then(Value::as_str).unwrap_or("not a secret at all");
        for reply in [&created, &replaced, &read] {
            assert!(!reply.body.contains(secret), "{path} shows the secret");
            assert!(reply.json().get("client_secret").is_none_or(Value::is_null), "{}", reply.body);
        }
    }
    for (path, ..) in things.iter().rev() {
        assert_eq!(broker.admin(Method::DELETE, path, None).await.status, 204, "{path}");
        assert_eq!(broker.admin(Method::GET, path, None).await.status, 404, "{path}");
    }
}

/// What cannot be right is refused, by the caller's fault, and not stored. AZ-13, AZ-14, RP-7.
#[tokio::test]
async fn what_cannot_be_right_is_refused() {
    let broker = Deployment::from_env();
    let tenant = unique("t");
    broker.put(&format!("/tenants/{tenant}"), json!({ "name": "Acme" })).await;
    let client = json!({
        "name": "x", "tenants": null, "redirect_uris": ["https://app.example/callback"],
        "post_logout_redirect_uris": [], "client_auth": "none",
    });
    let connection = json!({
        "name": "x", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "x", "client_secret": "y",
        "client_auth": "client_secret_basic", "scopes": ["openid"], "enabled": true,
    });
    let change = |body: &Value, name: &str, value: Value| {
        let mut body = body.clone();
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
        body
    };
    let (client_path, connection_path) =
        (format!("/clients/{}", unique("c")), format!("/tenants/{tenant}/connections/c"));
    let mut wrong = vec![(format!("/tenants/{}", unique("t")), json!({})), (client_path.clone(), json!([]))];
    for address in [
        "http://app.example/callback",
        "https://app.example/callback#fragment",
        "/callback",
        "javascript:alert(1)",
        "",
        "https://me@app.example/",
    ] {
        wrong.push((client_path.clone(), change(&client, "redirect_uris", json!([address]))));
    }
    wrong.push((client_path.clone(), change(&client, "client_auth", json!("client_secret_jwt"))));
    wrong.push((client_path.clone(), change(&client, "client_auth", json!("client_secret_basic"))));
    let short = change(&client, "client_auth", json!("client_secret_basic"));
    wrong.push((client_path.clone(), change(&short, "client_secret", json!("too-short"))));
    wrong.push((client_path.clone(), change(&client, "redirect_uris", json!("https://app.example/callback"))));
    for issuer in ["http://idp.example", "ftp://idp.example", "idp.example", "https://idp.example?x=1", ""] {
        wrong.push((connection_path.clone(), change(&connection, "issuer", json!(issuer))));
    }
    wrong.push((connection_path.clone(), change(&connection, "protocol", json!("ws-fed"))));
    for id in ["UPPER", "under_score", "a.b", &"a".repeat(41), "%20", "%2e%2e", "caf%C3%A9", "a%2Fb", "a%23b"] {
        wrong.push((format!("/tenants/{id}"), json!({ "name": "x" })));
    }
    for (path, body) in wrong {
        let reply = broker.admin(Method::PUT, &path, Some(&body)).await;
        assert!(reply.status.is_client_error(), "{path} {body}: {} {}", reply.status, reply.body);
        assert_ne!(reply.status, 401);
    }
    assert_eq!(broker.admin(Method::GET, &client_path, None).await.status, 404, "nothing was stored");
    assert_eq!(broker.admin(Method::GET, &connection_path, None).await.status, 404, "nothing was stored");
    for body in ["", "{", "null", "\u{0}", &format!("{{\"name\":\"{}\"}}", "x".repeat(100_000))] {
        let path = format!("/admin/v1/tenants/{}", unique("t"));
        let request = broker.request(Method::PUT, &path).bearer_auth(&broker.admin_token);
        let request = request.header("content-type", "application/json").body(body.to_owned());
        assert!(Reply::of(request).await.status.is_client_error());
    }
    let orphan = format!("/tenants/{}/connections/c", unique("t"));
    let reply = broker.admin(Method::PUT, &orphan, Some(&connection)).await;
    assert!(reply.status.is_client_error(), "a connection needs a tenant: {}", reply.status);
}

/// TK-8: a life that is too short, too long or no number is refused.
#[tokio::test]
async fn impossible_lives_are_refused() {
    let broker = Deployment::from_env();
    let path = format!("/clients/{}", unique("c"));
    for (life, seconds) in [
        ("access_token_life", json!(59)),
        ("access_token_life", json!(86_401)),
        ("access_token_life", json!("3600")),
        ("refresh_token_life", json!(599)),
        ("refresh_token_life", json!(604_801)),
        ("refresh_token_life", json!(-1)),
    ] {
        let client = json!({
            "name": "x", "redirect_uris": ["https://app.example/callback"], "client_auth": "none", life: seconds,
        });
        let reply = broker.admin(Method::PUT, &path, Some(&client)).await;
        assert!(reply.status.is_client_error(), "{client}: {} {}", reply.status, reply.body);
        assert_ne!(reply.status, 401);
    }
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
    let path = format!("/tenants/{}", unique("t"));
    for (life, seconds) in [
        ("access_token", json!(59)),
        ("access_token", json!(86_401)),
        ("refresh_token", json!(604_801)),
        ("id_token", json!(0)),
        ("id_token", json!(86_401)),
        ("session", json!(599)),
        ("session", json!(604_801)),
        ("session", json!("600")),
        ("sessions", json!(600)),
    ] {
        let tenant = json!({ "name": "x", "lifetimes": { life: seconds } });
        let reply = broker.admin(Method::PUT, &path, Some(&tenant)).await;
        assert_eq!(reply.status, 400, "{tenant}: {}", reply.body);
    }
    assert_eq!(broker.admin(Method::GET, &path, None).await.status, 404, "nothing was stored");
}

/// A secret that went in never comes out, and the client works all the same. TK-3, ED-10.
#[tokio::test]
async fn secrets_are_write_only() {
    let world = World::new().await;
    let tenant = &world.tenant;
    for path in [
        format!("/tenants/{tenant}"),
        format!("/tenants/{tenant}/connections/corp"),
        format!("/clients/{}", world.app.id),
    ] {
        let reply = world.broker.admin(Method::GET, &path, None).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(!reply.body.contains(IDP_SECRET), "{path}");
        assert!(!reply.body.contains(world.app.secret.as_deref().unwrap_or_default()), "{path}");
    }
    let request = world.authorization();
    let code = world.code(&request).await;
    assert_eq!(world.token(&world.app, &code_grant(&code, &request.verifier)).await.status, 200);
}

/// Somebody who was deactivated is refused at the door, with a page that does not say whether they are known; who is
/// activated again comes in. RP-11.
#[tokio::test]
async fn a_deactivated_person_is_refused() {
    let world = World::new().await;
    let claims = payload(&member(&world.tokens().await, "id_token")).expect("claims");
    let user = claims.get("sub").and_then(Value::as_str).expect("a subject").to_owned();
    let path = format!("/tenants/{}/users/{user}", world.tenant);
    let seen = world.broker.admin(Method::GET, &path, None).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(seen.json().get("active"), Some(&json!(true)), "{}", seen.body);
    world.set_active(&user, false).await;
    assert_eq!(world.broker.admin(Method::GET, &path, None).await.json().get("active"), Some(&json!(false)));
    let mut browser = Browser::new();
    let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
    match &visit.left_to {
        Some(arrived) => assert_eq!(Reply::one_param(arrived, "error"), "access_denied", "{arrived}"),
        None => visit.page().assert_error_page(),
    }
    assert!(!visit.last().body.contains(ALICE) && !visit.last().body.contains(&user));
    assert!(browser.cookies(&world.broker.url).iter().all(|cookie| cookie.name != "__Host-session"));
    world.set_active(&user, true).await;
    assert_eq!(world.tokens().await.get("expires_in"), Some(&json!(86_400)));
}
