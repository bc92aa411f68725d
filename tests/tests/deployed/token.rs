//! The token endpoint: codes, client authentication, and what the tokens say.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::Method;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{CALLBACK, code_grant, member, register};
use vestibule_tests::{Reply, World};

fn assert_error(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{}", reply.body);
    assert_eq!(reply.text("error"), code, "{}", reply.body);
    assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"), "{:?}", reply.headers);
    assert!(reply.json().get("access_token").is_none());
}

/// The response and the access token are what RFC 6749 §5.1 and RFC 9068 ask for. TK-2, TK-4, TK-8.
#[tokio::test]
async fn tokens_say_what_they_are() {
    let world = World::new().await;
    let request = world.authorization();
    let reply = world.redeem(&request, &world.code(&request).await).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("cache-control").unwrap_or_default().contains("no-store"));
    let tokens = reply.json();
    assert_eq!(member(&tokens, "token_type"), "Bearer");
    assert_eq!(tokens.get("expires_in"), Some(&json!(86_400)));
    let access = member(&tokens, "access_token");
    let header = access.split('.').next().and_then(|part| BASE64URL.decode(part).ok()).expect("a header");
    let header: Value = serde_json::from_slice(&header).expect("JSON");
    assert_eq!((header.get("typ"), header.get("alg")), (Some(&json!("at+jwt")), Some(&json!("ES256"))));
    let keys = world.broker.get("/oauth2/jwks").await.json();
    let keys = keys.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
    assert!(keys.iter().any(|key| key.get("kid") == header.get("kid")), "its key is published");
    let claims = payload(&access).expect("claims");
    let id_claims = payload(&member(&tokens, "id_token")).expect("claims");
    assert_eq!(claims.get("iss"), Some(&json!(world.broker.url)));
    assert_eq!(claims.get("client_id"), Some(&json!(world.app.id)));
    assert_eq!(claims.get("tenant"), Some(&json!(world.tenant)));
    for same in ["sub", "sid"] {
        assert!(claims.get(same).is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty())), "{same}");
        assert_eq!(claims.get(same), id_claims.get(same), "{same}");
    }
    assert!(claims.contains_key("aud") && claims.contains_key("jti"));
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).unwrap_or_default();
    assert_eq!(number("exp") - number("iat"), 86_400);
    assert_eq!(id_claims.get("aud"), Some(&json!(world.app.id)));
    assert_eq!(id_claims.get("nonce"), Some(&json!(request.param("nonce"))));
    let refresh = member(&tokens, "refresh_token");
    assert!(refresh.len() >= 43 && !refresh.starts_with("eyJ"), "a handle, not a token");
}

/// A code works once; its second use also ends what the first brought. AZ-8.
#[tokio::test]
async fn a_code_that_is_used_again_takes_its_tokens_down() {
    let world = World::new().await;
    let request = world.authorization();
    let code = world.code(&request).await;
    let first = world.redeem(&request, &code).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_error(&world.redeem(&request, &code).await, 400, "invalid_grant");
    let refresh = world.refresh(&first.text("refresh_token")).await;
    assert_error(&refresh, 400, "invalid_grant");
    assert_eq!(world.userinfo(&first.json()).await.status, 401);
}

/// A code is bound to its client, its address and its verifier, and a failed attempt spends it. AZ-7, TK-1.
#[tokio::test]
async fn a_failed_redemption_spends_the_code() {
    let world = World::new().await;
    let other = register(&world.broker, "client_secret_basic", &json!([world.tenant])).await;
    let verifier = "another-verifier-another-verifier-another-verifier";
    for attempt in 0..6 {
        let request = world.authorization();
        let code = world.code(&request).await;
        let good = code_grant(&code, &request.verifier);
        let without = |name: &str| good.into_iter().filter(|(key, _)| *key != name).collect::<Vec<_>>();
        let with = |name: &'static str, value| [without(name), vec![(name, value)]].concat();
        let reply = match attempt {
            0 => world.token(&other, &good).await,
            1 => world.token(&world.app, &with("redirect_uri", "https://app.example/other")).await,
            2 => world.token(&world.app, &with("code_verifier", verifier)).await,
            3 => world.token(&world.app, &without("code_verifier")).await,
            4 => world.token(&world.app, &without("redirect_uri")).await,
            _ => world.token(&world.app, &with("code_verifier", request.param("code_challenge"))).await,
        };
        assert_eq!(reply.status, 400, "attempt {attempt}: {}", reply.body);
        let refused = ["invalid_grant", "invalid_request"].contains(&reply.text("error").as_str());
        assert!(refused, "attempt {attempt}: {}", reply.body);
        if reply.text("error") == "invalid_grant" {
            assert_error(&world.redeem(&request, &code).await, 400, "invalid_grant");
        }
    }
}

/// What is no code is no code. AZ-7.
#[tokio::test]
async fn invented_codes_are_refused() {
    let world = World::new().await;
    let request = world.authorization();
    let code = world.code(&request).await;
    let half: String = code.chars().take(code.len() / 2).collect();
    let flipped: String = code.chars().rev().collect();
    for wrong in ["", ".", "x", "a.b", "a.b.c", "\u{0}", "é", &half, &flipped, &format!("{code}A"), &"z".repeat(5000)]
    {
        let reply = world.redeem(&request, wrong).await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(["invalid_grant", "invalid_request"].contains(&reply.text("error").as_str()), "{}", reply.body);
    }
}

/// Each way to authenticate works for the client that is registered with it. TK-1, TK-3.
#[tokio::test]
async fn clients_authenticate_in_their_own_way() {
    let world = World::new().await;
    for auth in ["client_secret_basic", "client_secret_post", "none"] {
        let app = register(&world.broker, auth, &json!([world.tenant])).await;
        let request = world.authorization_of(&app, &world.tenant);
        let code = world.code(&request).await;
        let reply = world.token(&app, &code_grant(&code, &request.verifier)).await;
        assert_eq!(reply.status, 200, "{auth}: {}", reply.body);
    }
}

/// And no other way works. TK-1, TK-2, TK-3.
#[tokio::test]
async fn other_ways_to_authenticate_are_refused() {
    let world = World::new().await;
    let post = register(&world.broker, "client_secret_post", &json!([world.tenant])).await;
    let secret = world.app.secret.clone().unwrap_or_default();
    let grant = [("grant_type", "refresh_token"), ("refresh_token", "any")];
    let wrong = |auth, secret: Option<&str>, id: &str| vestibule_tests::world::Application {
        id: id.to_owned(),
        secret: secret.map(str::to_owned),
        auth,
    };
    for app in [
        wrong("client_secret_basic", Some("wrong"), &world.app.id),
        wrong("client_secret_basic", Some(""), &world.app.id),
        wrong("client_secret_basic", Some(&secret), "nobody"),
        wrong("client_secret_basic", Some(&secret), &post.id),
        wrong("client_secret_post", Some(&secret), &world.app.id),
        wrong("client_secret_basic", post.secret.as_deref(), &post.id),
        wrong("none", None, &world.app.id),
        wrong("none", None, "nobody"),
    ] {
        let reply = world.token(&app, &grant).await;
        assert_error(&reply, 401, "invalid_client");
        let asked = reply.header("www-authenticate").is_some_and(|value| value.starts_with("Basic"));
        assert!(asked || app.auth != "client_secret_basic", "401 says how: {:?}", reply.headers);
    }
    let both = world.broker.request(Method::POST, "/oauth2/token").basic_auth(&world.app.id, Some(&secret));
    let form = [grant.as_slice(), &[("client_id", &world.app.id), ("client_secret", &secret)]].concat();
    assert_error(&Reply::of(both.form(&form)).await, 400, "invalid_request");
    for header in ["Basic", "Basic !!!", "Basic Og==", "Bearer x", "Basic bm9jb2xvbg=="] {
        let request = world.broker.request(Method::POST, "/oauth2/token").header("authorization", header);
        let reply = Reply::of(request.form(&grant)).await;
        assert!(matches!(reply.status.as_u16(), 400 | 401), "{header}: {}", reply.status);
    }
}

/// Requests that are no token requests. TK-1, AZ-3, AZ-13.
#[tokio::test]
async fn malformed_token_requests_are_refused() {
    let world = World::new().await;
    for (params, code) in [
        (vec![("grant_type", "password"), ("username", "a"), ("password", "b")], "unsupported_grant_type"),
        (vec![("grant_type", "client_credentials")], "unauthorized_client"),
        (vec![("grant_type", "")], "unsupported_grant_type"),
        (vec![("code", "x")], "invalid_request"),
        (vec![("grant_type", "authorization_code")], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("grant_type", "refresh_token")], "invalid_request"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "a"), ("refresh_token", "b")], "invalid_request"),
    ] {
        let reply = world.token(&world.app, &params).await;
        assert_eq!(reply.status, 400, "{params:?}: {}", reply.body);
        let told = reply.text("error");
        // An empty grant_type counts as missing (RFC 6749 §3.1).
        assert!(
            told == code || params.contains(&("grant_type", "")) && told == "invalid_request",
            "{params:?}: {told}"
        );
    }
    let secret = world.app.secret.clone();
    let post = || world.broker.request(Method::POST, "/oauth2/token").basic_auth(&world.app.id, secret.clone());
    let form = "application/x-www-form-urlencoded";
    for (kind, body) in [
        ("text/plain", "grant_type=refresh_token&refresh_token=x".to_owned()),
        (form, "%%%=%ff&&=".to_owned()),
        (form, String::new()),
        (form, format!("grant_type=refresh_token&refresh_token={}", "x".repeat(100_000))),
        ("application/json", "{".to_owned()),
    ] {
        let reply = Reply::of(post().header("content-type", kind).body(body)).await;
        assert!(reply.status.is_client_error(), "{kind}: {} {}", reply.status, reply.body);
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let reply = Reply::of(world.broker.request(method, "/oauth2/token")).await;
        assert_eq!(reply.status, 405);
    }
}

/// Userinfo answers the access token, by GET and POST, and nothing else that looks like one. TK-5, TK-4.
#[tokio::test]
async fn userinfo_takes_access_tokens_only() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    let access = member(&tokens, "access_token");
    let userinfo = async |method, token: &str| {
        Reply::of(world.broker.request(method, "/oauth2/userinfo").bearer_auth(token)).await
    };
    for method in [Method::GET, Method::POST] {
        let reply = userinfo(method, &access).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let subject = payload(&member(&tokens, "id_token")).and_then(|mut claims| claims.remove("sub"));
        assert_eq!(reply.json().get("sub"), subject.as_ref());
        assert_eq!(reply.text("email"), vestibule_tests::world::ALICE);
    }
    let parts: Vec<&str> = access.split('.').collect();
    let [header, body, signature] = parts[..] else { panic!("a compact token") };
    let mut claims = payload(&access).expect("claims");
    claims.insert("sub".to_owned(), json!("somebody-else"));
    let forged = BASE64URL.encode(json!(claims).to_string());
    let none = BASE64URL.encode(json!({ "alg": "none", "typ": "at+jwt" }).to_string());
    for wrong in [
        member(&tokens, "id_token"),
        member(&tokens, "refresh_token"),
        format!("{header}.{forged}.{signature}"),
        format!("{header}.{body}."),
        format!("{header}.{body}"),
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        "x".to_owned(),
    ] {
        let reply = userinfo(Method::GET, &wrong).await;
        assert_eq!(reply.status, 401, "{wrong}");
        assert!(reply.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")), "{wrong}");
    }
    let reply = world.broker.get("/oauth2/userinfo").await;
    assert_eq!(reply.status, 401);
    assert!(reply.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer")));
}

/// What is in the address of the application's callback is not the token endpoint's to answer: a stolen code without
/// the application's secret brings nothing. AZ-7.
#[tokio::test]
async fn a_stolen_code_is_worthless_without_the_client() {
    let world = World::new().await;
    let thief = register(&world.broker, "none", &Value::Null).await;
    let request = world.authorization();
    let code = world.code(&request).await;
    let stolen = world.token(&thief, &code_grant(&code, &request.verifier)).await;
    assert_error(&stolen, 400, "invalid_grant");
    assert!(!stolen.body.contains(CALLBACK) && !stolen.body.contains(&code), "{}", stolen.body);
}
