//! Administrators' tokens: what each scope allows, and that the rest is refused or not there.

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::{Deployment, Reply};

/// Two tenants, and what is asked of them.
struct Tenants {
    broker: Deployment,
    own: String,
    other: String,
}

impl Tenants {
    async fn new() -> Self {
        let broker = Deployment::from_env();
        let (own, other) = (unique("t"), unique("t"));
        for tenant in [&own, &other] {
            broker.put(&format!("/tenants/{tenant}"), json!({ "name": "Acme" })).await;
        }
        Self { broker, own, other }
    }

    async fn bearer(&self, scopes: &[String]) -> Deployment {
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        self.broker.token(&scopes).await.1
    }
}

async fn status(broker: &Deployment, method: Method, path: &str) -> u16 {
    let body = json!({ "name": "Acme" });
    broker.admin(method, path, Some(&body)).await.status.as_u16()
}

/// Seen once, then never again: neither the token nor what is kept of it. TK-3, ED-10.
#[tokio::test]
async fn a_token_is_shown_once() {
    let broker = Deployment::from_env();
    let body = json!({ "name": "CI of Acme", "scopes": ["deployment:read", "tenant:acme"] });
    let made = broker.admin(Method::POST, "/tokens", Some(&body)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert!(made.header("etag").is_some() && made.header("cache-control").is_some_and(|it| it.contains("no-store")));
    let (id, token) = (made.text("id"), made.text("token"));
    assert!(token.starts_with("vst_a_") && token.len() > 60, "{token}");
    let secret = token.split_once('.').expect("two parts").1;
    let path = format!("/tokens/{id}");
    let shown = broker.admin(Method::GET, &path, None).await;
    let mut expected = made.json();
    expected.as_object_mut().expect("an object").remove("token");
    assert_eq!(shown.json(), expected);
    assert_eq!(expected["scopes"], body["scopes"]);
    let bearer = broker.with_token(&token);
    assert_eq!(status(&bearer, Method::GET, "/tenants").await, 200);
    let mut listed = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = broker.admin(Method::GET, &format!("/tokens?limit=100{cursor}"), None).await;
        assert!(!page.body.contains(secret) && !page.body.contains("\"secret\""), "{}", page.body);
        listed.extend(page.json()["items"].as_array().expect("items").clone());
        let Some(next) = page.json()["next"].as_str().map(str::to_owned) else { break };
        cursor = format!("&cursor={next}");
    }
    let listed = listed.into_iter().find(|token| token["id"] == json!(id)).expect("it is listed");
    assert!(listed["last_used_at"].is_i64(), "{listed}");
    assert!(!shown.body.contains(secret));
}

/// A token of one tenant does what that tenant's administrator does. Another tenant is not there; the deployment is
/// forbidden.
#[tokio::test]
async fn a_tenants_token_stays_with_its_tenant() {
    let tenants = Tenants::new().await;
    let bearer = tenants.bearer(&[format!("tenant:{}", tenants.own)]).await;
    let (own, other) = (format!("/tenants/{}", tenants.own), format!("/tenants/{}", tenants.other));
    for path in ["", "/connections", "/users", "/domains", "/hosts", "/audit"] {
        assert_eq!(status(&bearer, Method::GET, &format!("{own}{path}")).await, 200, "{path}");
        assert_eq!(status(&bearer, Method::GET, &format!("{other}{path}")).await, 404, "{path}");
    }
    assert_eq!(status(&bearer, Method::PUT, &own).await, 200);
    let missing = format!("/tenants/{}", unique("t"));
    for path in [&other, &missing] {
        for (method, rest) in [
            (Method::PUT, ""),
            (Method::DELETE, ""),
            (Method::PUT, "/connections/c"),
            (Method::POST, "/connections/c/check"),
            (Method::DELETE, "/connections/c"),
            (Method::PUT, "/domains/corp.example"),
            (Method::POST, "/domains/corp.example/verify"),
            (Method::PUT, "/hosts/corp.example"),
            (Method::PUT, "/users/u"),
        ] {
            let reply = bearer.admin(method.clone(), &format!("{path}{rest}"), Some(&json!({}))).await;
            assert_eq!(reply.status, 404, "{method} {path}{rest}: {}", reply.body);
        }
    }
    for (method, path) in [
        (Method::GET, "/tenants".to_owned()),
        (Method::GET, "/clients".to_owned()),
        (Method::GET, "/clients/app".to_owned()),
        (Method::PUT, "/clients/app".to_owned()),
        (Method::DELETE, "/clients/app".to_owned()),
        (Method::GET, "/tokens".to_owned()),
        (Method::POST, "/tokens".to_owned()),
        (Method::GET, "/audit".to_owned()),
        (Method::GET, "/signing-keys".to_owned()),
        (Method::POST, "/signing-keys/rotate".to_owned()),
        (Method::DELETE, own.clone()),
        (Method::PUT, format!("{own}/hosts/{}.example", unique("h"))),
    ] {
        let reply = bearer.admin(method.clone(), &path, Some(&json!({}))).await;
        assert_eq!(reply.status, 403, "{method} {path}: {}", reply.body);
        assert_eq!(reply.text("error"), "insufficient_scope");
    }
    assert_eq!(status(&bearer, Method::GET, "/presets").await, 200);
    assert_eq!(status(&tenants.broker, Method::GET, &own).await, 200, "nothing was deleted");
}

/// A tenant's administrator cannot say that a domain is the tenant's: only DNS can, or the deployment's administrator.
#[tokio::test]
async fn a_tenants_word_proves_no_domain() {
    let tenants = Tenants::new().await;
    let bearer = tenants.bearer(&[format!("tenant:{}", tenants.own)]).await;
    let path = format!("/tenants/{}/domains/{}.example", tenants.own, unique("d"));
    bearer.put(&path, json!({})).await;
    let word = json!({ "override_reason": "because I say so" });
    let reply = bearer.admin(Method::POST, &format!("{path}/verify"), Some(&word)).await;
    assert_eq!(reply.status, 403, "{}", reply.body);
    assert_eq!(bearer.admin(Method::GET, &path, None).await.json()["verified"], json!(false));
    let reply = tenants.broker.admin(Method::POST, &format!("{path}/verify"), Some(&word)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// Looking is not changing; scopes add up.
#[tokio::test]
async fn reading_tokens_change_nothing() {
    let tenants = Tenants::new().await;
    let (own, other) = (format!("/tenants/{}", tenants.own), format!("/tenants/{}", tenants.other));
    let everything = tenants.bearer(&["deployment:read".to_owned()]).await;
    let mixed = tenants.bearer(&["deployment:read".to_owned(), format!("tenant:{}", tenants.own)]).await;
    let little = tenants.bearer(&[format!("tenant:{}:read", tenants.own)]).await;
    let body = json!({ "name": "x", "scopes": ["deployment"] });
    for (bearer, expected) in [(&everything, [200, 200, 403, 403, 200]), (&mixed, [200, 200, 200, 403, 200])] {
        let seen = [
            status(bearer, Method::GET, &own).await,
            status(bearer, Method::GET, &other).await,
            status(bearer, Method::PUT, &own).await,
            status(bearer, Method::PUT, &other).await,
            status(bearer, Method::GET, "/tokens").await,
        ];
        assert_eq!(seen, expected);
        let reply = bearer.admin(Method::POST, "/tokens", Some(&body)).await;
        assert_eq!(reply.status, 403, "nobody gives out more than they have: {}", reply.body);
        assert_eq!(status(bearer, Method::DELETE, &own).await, 403);
    }
    assert_eq!(status(&little, Method::GET, &own).await, 200);
    assert_eq!(status(&little, Method::PUT, &own).await, 403);
    assert_eq!(status(&little, Method::GET, &other).await, 404);
}

/// A deleted token acts no more, at once; no other text is a token.
#[tokio::test]
async fn a_deleted_token_acts_no_more() {
    let broker = Deployment::from_env();
    let (id, bearer) = broker.token(&["deployment"]).await;
    for _ in 0..3 {
        assert_eq!(status(&bearer, Method::GET, "/tenants").await, 200);
    }
    let (second, _) = bearer.token(&["deployment:read"]).await;
    assert_eq!(status(&broker, Method::DELETE, &format!("/tokens/{id}")).await, 204);
    assert_eq!(status(&bearer, Method::GET, "/tenants").await, 401);
    assert_eq!(status(&broker, Method::GET, &format!("/tokens/{id}")).await, 404);
    assert_eq!(status(&broker, Method::DELETE, &format!("/tokens/{id}")).await, 404);
    let stale = broker.admin_if(("if-match", "\"x\""), Method::DELETE, &format!("/tokens/{second}"), None).await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    let (other, good) = broker.token(&["deployment"]).await;
    let secret = good.admin_token.split_once('.').expect("two parts").1.to_owned();
    let swapped = format!("vst_a_{second}.{secret}");
    let first = if secret.starts_with('A') { 'B' } else { 'A' };
    let changed = format!("vst_a_{other}.{first}{}", &secret[1..]);
    for wrong in [&swapped, &changed, &secret, &format!("vst_s_{other}.{secret}"), &format!("vst_a_.{secret}")] {
        assert_eq!(status(&broker.with_token(wrong), Method::GET, "/tenants").await, 401, "{wrong}");
    }
}

/// Where the broker may be sent for a tenant is the deployment's to say: the tenant's own token keeps it, and can neither
/// set nor lift it. RP-7.
#[tokio::test]
async fn a_tenants_token_does_not_choose_where_we_ask() {
    let tenants = Tenants::new().await;
    let bearer = tenants.bearer(&[format!("tenant:{}", tenants.own)]).await;
    let path = format!("/tenants/{}", tenants.own);
    let named = |hosts: &[&str]| json!({ "name": "Own", "egress_hosts": hosts });
    let put = async |body: &Value| bearer.admin(Method::PUT, &path, Some(body)).await;
    assert_eq!(put(&named(&["idp.example"])).await.status, 403);
    tenants.broker.put(&path, named(&["idp.example"])).await;
    for hosts in [&[][..], &["other.example"], &["idp.example", "other.example"]] {
        let reply = put(&named(hosts)).await;
        assert_eq!(reply.status, 403, "{hosts:?}: {}", reply.body);
    }
    assert_eq!(put(&json!({ "name": "Own" })).await.status, 403, "left out is lifted");
    let kept = put(&named(&["idp.example"])).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
}

/// AZ-13: what cannot be a token is not made.
#[tokio::test]
async fn impossible_tokens_are_refused() {
    let broker = Deployment::from_env();
    for body in [
        json!({}),
        json!({ "name": "x" }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "", "scopes": ["deployment"] }),
        json!({ "name": "x", "scopes": ["everything"] }),
        json!({ "name": "x", "scopes": ["tenant:"] }),
        json!({ "name": "x", "scopes": ["tenant:ACME"] }),
        json!({ "name": "x", "scopes": "deployment" }),
        json!({ "name": "x", "scopes": ["deployment"], "expires_at": 1 }),
        json!({ "name": "x", "scopes": ["deployment"], "expires_at": "tomorrow" }),
        json!({ "name": "x", "scopes": ["deployment"], "token": "vst_a_mine.secret" }),
        Value::Null,
    ] {
        let reply = Reply::of(
            broker
                .request(Method::POST, "/admin/v1/tokens")
                .bearer_auth(&broker.admin_token)
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.body);
    }
}
