//! The status probe: a program of the provider's that says whether somebody is active.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::{Account, Canned, ClientAuth, Lie, Registration};
use vestibule_tests::in_process::{ALICE, TestBroker, claims};

const CONNECTION: &str = "/tenants/acme/connections/idp";

/// A probe at the provider, with these members in place of the usual ones; null leaves one out.
fn probe(members: &Value) -> Value {
    let mut probe = json!({
        "url": "https://idp.example/api/people/{subject}", "token_endpoint": "https://idp.example/token",
        "client_id": "probe", "client_auth": "client_secret_post", "client_secret": "secret-of-the-probe",
        "path": "accountEnabled", "inactive": ["false"], "not_found": "inactive",
    });
    if let (Some(usual), Some(members)) = (probe.as_object_mut(), members.as_object()) {
        usual.extend(members.clone());
        usual.retain(|_, value| !value.is_null());
    }
    probe
}

/// Somebody signed in through a connection with this probe, which gives refresh tokens or does not: the world, their id.
async fn probed(members: &Value, offline: bool) -> (TestBroker, String) {
    let test = TestBroker::new().await;
    test.idp.register(Registration {
        client_id: "probe".to_owned(),
        client_secret: "secret-of-the-probe".to_owned(),
        client_auth: ClientAuth::Post,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
    });
    let scopes = if offline { json!(["openid", "email", "offline_access"]) } else { json!(["openid", "email"]) };
    test.connect(&json!({ "scopes": scopes, "status_probe": probe(members) })).await;
    let tokens = test.tokens().await;
    assert_eq!(tokens["refresh_token_expires_in"], 604_800, "the session can be watched");
    let user = claims(&tokens["access_token"])["sub"].as_str().expect("a subject").to_owned();
    (test, user)
}

fn asked(test: &TestBroker, subject: &str) -> usize {
    test.idp.requests(&format!("/api/people/{subject}"))
}

/// ED-6: without refresh tokens the probe is asked each time; its own access token is kept until it ends.
#[tokio::test]
async fn without_a_refresh_token_the_probe_is_asked() {
    let (test, user) = probed(&json!({}), false).await;
    let tokens = test.idp.requests("/token");
    assert_eq!(test.minutes(45).await, 3);
    assert_eq!((asked(&test, "alice-1"), test.idp.requests("/token") - tokens), (3, 1));
    test.minutes(60).await;
    assert_eq!((asked(&test, "alice-1"), test.idp.requests("/token") - tokens), (7, 2));
    assert!(test.is_active(&user).await);
    test.idp.set_active(ALICE, false);
    test.minutes(15).await;
    assert_eq!((test.is_active(&user).await, test.among_sessions("session#").await), (false, 0));
    assert_eq!(test.audited(&["user_deactivated"]).await[0]["cause"], "provider");
}

/// ED-6: the probe's word counts where the refresh token is refused, and before that it is not asked.
#[tokio::test]
async fn the_probe_decides_about_a_refused_token() {
    for active in [true, false] {
        let (test, user) = probed(&json!({}), true).await;
        test.minutes(30).await;
        assert_eq!(asked(&test, "alice-1"), 0);
        test.idp.revoke(ALICE, true);
        test.idp.set_active(ALICE, active);
        test.minutes(15).await;
        assert_eq!((asked(&test, "alice-1"), test.is_active(&user).await), (1, active));
        let reason = if active { "refresh_refused" } else { "deactivated" };
        assert_eq!(test.audited(&["session_ended"]).await[0]["reason"], reason);
    }
}

/// Each provider's way to say it: by active or inactive values, by what is missing, by another name of the person's.
#[tokio::test]
async fn answers_are_read_as_the_connection_says() {
    for members in [
        json!({ "path": "$.status", "inactive": null, "active": ["ACTIVE"] }),
        json!({ "path": "blocked", "inactive": ["true"], "missing": "active" }),
        json!({ "url": "https://idp.example/api/people/{email}" }),
        json!({ "url": "https://idp.example/api/people/{user_name}?by=name" }),
    ] {
        let (test, user) = probed(&members, false).await;
        test.minutes(30).await;
        assert!(test.is_active(&user).await, "{members}");
        test.idp.set_active(ALICE, false);
        test.minutes(15).await;
        assert!(!test.is_active(&user).await, "{members}");
    }
}

/// Somebody who is gone at the provider is not found there; what that means is the connection's to say.
#[tokio::test]
async fn nobody_at_the_address_means_what_was_set() {
    for (not_found, gone) in [("inactive", true), ("unknown", false), ("active", false)] {
        let (test, user) = probed(&json!({ "not_found": not_found }), false).await;
        test.idp.remove_account(ALICE);
        test.minutes(30).await;
        assert_eq!(test.is_active(&user).await, !gone, "{not_found}");
    }
}

/// ED-6: a probe that fails, refuses us, or says what cannot be read says nothing; afterwards all is as before.
#[tokio::test]
async fn a_probe_that_fails_says_nothing() {
    let canned = |status: u16, body: &str| {
        let mut canned = Canned::new("application/json", body.to_owned());
        canned.status = StatusCode::from_u16(status).expect("a status");
        canned
    };
    for (path, reply, trouble) in [
        ("/api/people/alice-1", canned(500, ""), "failing"),
        ("/api/people/alice-1", canned(403, ""), "client_refused"),
        ("/api/people/alice-1", canned(401, ""), "client_refused"),
        ("/api/people/alice-1", canned(429, ""), "busy"),
        ("/api/people/alice-1", canned(200, "no JSON"), "unusable"),
        ("/api/people/alice-1", canned(200, r#"{"accountEnabled":["false"]}"#), "unusable"),
        ("/api/people/alice-1", canned(200, "{}"), "unusable"),
        ("/token", canned(401, r#"{"error":"invalid_client"}"#), "client_refused"),
        ("/token", canned(400, r#"{"error":"invalid_grant"}"#), "client_refused"),
        ("/token", canned(500, ""), "failing"),
        ("/token", canned(200, "{}"), "unusable"),
    ] {
        let (test, user) = probed(&json!({}), false).await;
        test.idp.set_active(ALICE, false);
        test.idp.answer_with(path, reply);
        test.minutes(60).await;
        let status = test.admin(Method::GET, &format!("{CONNECTION}/sync"), &Value::Null).await;
        assert!(test.is_active(&user).await && status["troubles"][trouble].as_u64() > Some(0), "{path} {status}");
        test.idp.be_honest();
        test.minutes(60).await;
        assert!(!test.is_active(&user).await, "{path} {trouble}");
    }
}

/// ED-9: a tenant's list of hosts holds for the probe too.
#[tokio::test]
async fn a_probe_goes_to_listed_hosts_only() {
    let (test, user) = probed(&json!({ "url": "https://elsewhere.example/{subject}" }), false).await;
    let listed = json!({ "name": "Acme", "egress_hosts": ["idp.example"] });
    test.admin(Method::PUT, "/tenants/acme", &listed).await;
    test.minutes(30).await;
    assert_eq!((test.is_active(&user).await, test.idp.unexpected()), (true, Vec::new()));
}

/// A person's own name never chooses what is asked.
#[tokio::test]
async fn a_name_stays_in_its_place() {
    let (test, _) = probed(&json!({}), false).await;
    test.idp.add_account(Account::new("odd@corp.example", "password", "../alice-1?x=#", "Odd"));
    test.try_sign_in("idp", "odd@corp.example").await;
    test.minutes(15).await;
    assert_eq!((asked(&test, "alice-1"), asked(&test, "..%2Falice-1%3Fx%3D%23")), (1, 1));
}

/// A lost answer of the refresh token's is made good by the probe: the session goes on under its watch.
#[tokio::test]
async fn a_probe_watches_on_where_a_token_was_lost() {
    let (test, user) = probed(&json!({}), true).await;
    test.minutes(15).await;
    // What a process that died would leave behind: the token in the store is one that was used.
    let shard = (0..8).map(|shard| vestibule_core::store::Partition::new(format!("sessions:acme:{shard}")));
    for partition in shard {
        let page = test.store.list(&partition, "watch#", None, 10).await.expect("a list");
        for record in page.records {
            let mut watch: Value = serde_json::from_str(&record.value).expect("JSON");
            watch["lease"] = json!({ "id": "dead", "ends_at": 1 });
            let write = vestibule_core::store::Write::Put {
                id: record.id,
                value: watch.to_string(),
                expires_at: record.expires_at,
                expect: vestibule_core::store::Expect::Any,
            };
            test.store.commit(&partition, vec![write]).await.expect("a commit");
        }
    }
    test.idp.revoke(ALICE, true);
    test.minutes(16 * 60).await;
    assert_eq!((test.is_active(&user).await, test.among_sessions("session#").await), (true, 1));
    test.idp.set_active(ALICE, false);
    test.minutes(15).await;
    assert!(!test.is_active(&user).await);
}

/// ED-10, TK-3: the probe's secrets are sealed, shown to nobody, kept where the address stays, and sealed anew.
#[tokio::test]
async fn secrets_of_a_probe_are_kept_and_shown_to_nobody() {
    let (test, user) = probed(&json!({ "refresh_token_secret": "an-administrators-token" }), false).await;
    let shown = test.admin(Method::GET, CONNECTION, &Value::Null).await;
    assert_eq!(shown["status_probe"]["path"], "accountEnabled");
    let shown_text = shown.to_string();
    assert!(
        !shown_text.contains("secret-of-the-probe")
            && !shown_text.contains("an-administrators-token")
            && !shown_text.contains("k1.")
    );
    let without = |members: Value| {
        let mut sent = probe(&json!({ "client_secret": null }));
        sent.as_object_mut().expect("an object").extend(members.as_object().cloned().expect("members"));
        json!({ "scopes": ["openid", "email"], "status_probe": sent })
    };
    test.connect(&without(json!({ "path": "$.accountEnabled" }))).await;
    let both = test.with_sealing_keys(vec![("k2", 2), ("k1", 1)]);
    let resealed = both.admin(Method::POST, "/tenants/acme/reseal", &Value::Null).await;
    assert_eq!(resealed, json!({ "resealed": 1, "unreadable": [] }));
    let elsewhere = without(json!({ "token_endpoint": "https://evil.example/token" }));
    let mut body = json!({
        "name": "Acme login", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
        "client_auth": "client_secret_basic",
    });
    body.as_object_mut().expect("an object").extend(elsewhere.as_object().cloned().expect("members"));
    let refused = both.try_admin(Method::PUT, CONNECTION, &body).await;
    assert!(refused.status == StatusCode::BAD_REQUEST && refused.body.contains("/status_probe/client_secret"));
    assert!(both.is_active(&user).await);
}

/// An administrator's refresh token opens what client credentials do not.
#[tokio::test]
async fn an_administrators_token_can_ask() {
    let (test, user) = probed(&json!({}), true).await;
    test.idp.lie(Lie::NoRotation);
    let token = test.idp.refresh_tokens().pop().expect("a token");
    let by_token = json!({
        "client_id": "broker", "client_secret": "secret-at-the-provider", "client_auth": "client_secret_basic",
        "refresh_token_secret": token,
    });
    test.connect(&json!({ "scopes": ["openid", "email"], "status_probe": probe(&by_token) })).await;
    test.try_sign_in("idp", ALICE).await;
    test.minutes(15).await;
    assert_eq!((asked(&test, "alice-1"), test.is_active(&user).await), (1, true));
}

/// Every problem of a probe is told, with its place.
#[tokio::test]
async fn impossible_probes_are_refused() {
    let test = TestBroker::new().await;
    for (members, path) in [
        (json!({ "url": "https://idp.example/api/people/" }), "url"),
        (json!({ "url": "https://{subject}.example/" }), "url"),
        (json!({ "url": "https://idp.example:{subject}/" }), "url"),
        (json!({ "url": "https://idp.example/{subject}/{other}" }), "url"),
        (json!({ "url": "http://idp.example/{subject}" }), "url"),
        (json!({ "url": "https://127.0.0.1/{subject}" }), "url"),
        (json!({ "url": "https://user@idp.example/{subject}" }), "url"),
        (json!({ "url": "https://<domain>/{subject}" }), "url"),
        (json!({ "token_endpoint": "https://10.0.0.1/token" }), "token_endpoint"),
        (json!({ "client_id": "<client_id>" }), "client_id"),
        (json!({ "scope": "" }), "scope"),
        (json!({ "client_secret": null }), "client_secret"),
        (json!({ "client_auth": "none" }), "client_secret"),
        (json!({ "inactive": null }), "active"),
        (json!({ "active": ["ACTIVE"] }), "active"),
        (json!({ "inactive": [""] }), "inactive"),
        (json!({ "path": "$[" }), "path"),
        (json!({ "surprise": 1 }), "surprise"),
    ] {
        let body = json!({
            "name": "Acme login", "protocol": "oidc", "issuer": "https://idp.example", "client_id": "broker",
            "client_auth": "client_secret_basic", "status_probe": probe(&members),
        });
        let reply = test.try_admin(Method::PUT, CONNECTION, &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{members}");
        let problems = reply.json()["problems"].clone();
        assert_eq!(problems[0]["path"], format!("/status_probe/{path}"), "{members} {problems}");
    }
}

/// The presets' probes, filled in as they say, are accepted with their connections, and read what their providers say.
#[tokio::test]
async fn presets_have_probes() {
    let test = TestBroker::new().await;
    let all = test.admin(Method::GET, "/presets", &Value::Null).await;
    let mut with_probe = Vec::new();
    for preset in all["presets"].as_array().expect("presets") {
        let Some(probe) = preset.get("status_probe") else { continue };
        let mut body = preset["connection"].clone();
        body["status_probe"] = probe["probe"].clone();
        let mut body = body.to_string();
        let copies = [&preset["copy"], &probe["copy"]].map(|copy| copy.as_array().expect("a list"));
        for copy in copies.into_iter().flatten() {
            body = body.replace(copy["placeholder"].as_str().expect("text"), copy["example"].as_str().expect("text"));
        }
        assert!(!body.contains(['<', '>']), "nothing is left to fill in: {body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        test.admin(Method::PUT, "/tenants/acme/connections/preset", &body).await;
        with_probe.push(preset["id"].as_str().expect("an id"));
    }
    assert_eq!(with_probe, ["entra", "okta", "google", "keycloak", "auth0"]);
}
