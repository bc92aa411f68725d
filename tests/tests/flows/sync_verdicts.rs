//! What ends sessions because of their identity provider, and what does not (ED-6).

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::{Canned, Document, Lie};
use vestibule_tests::in_process::{ALICE, TestBroker, claims};

/// Somebody signed in, in two browsers: their id, and a refresh token of each.
async fn twice(test: &TestBroker) -> (String, [String; 2]) {
    let tokens = [test.tokens().await, test.tokens().await];
    let user = claims(&tokens[0]["access_token"])["sub"].as_str().expect("a subject").to_owned();
    (user, tokens.map(|tokens| tokens["refresh_token"].as_str().expect("a token").to_owned()))
}

/// Uses both refresh tokens; how many are good.
async fn alive(test: &TestBroker, tokens: &mut [String; 2]) -> usize {
    let mut alive = 0;
    for token in tokens {
        let reply = test.refresh(token).await;
        if reply.status == StatusCode::OK {
            alive += 1;
            *token = reply.text("refresh_token");
        }
    }
    alive
}

/// The reasons for which sessions ended, and the causes of deactivations, so far.
async fn told(test: &TestBroker) -> (Vec<Value>, Vec<Value>) {
    let (mut reasons, mut causes) = (Vec::new(), Vec::new());
    for mut event in test.audited(&["session_ended", "user_deactivated"]).await {
        assert_eq!(event["connection"], "idp", "{event:?}");
        reasons.extend(event.remove("reason"));
        causes.extend(event.remove("cause"));
    }
    (reasons, causes)
}

fn failing(status: u16) -> Canned {
    let mut canned = Canned::new("application/json", "{}");
    canned.status = StatusCode::from_u16(status).expect("a status");
    canned
}

/// CK-5, ED-6: whom the provider does not know any more is out everywhere within a quarter of an hour, and stays out.
#[tokio::test]
async fn whoever_is_switched_off_at_the_provider_is_out() {
    let test = TestBroker::new().await;
    let (user, mut tokens) = twice(&test).await;
    test.idp.set_active(ALICE, false);
    test.minutes(15).await;
    assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (0, false));
    assert_eq!(test.among_sessions("session#").await, 0);
    assert_eq!(told(&test).await, (vec![json!("deactivated"); 2], vec![json!("provider")]));
    test.idp.set_active(ALICE, true);
    let (authorization, login) = test.start().await;
    assert_eq!(
        test.finish(&authorization, &login).await.status,
        StatusCode::FORBIDDEN,
        "an administrator's yes is needed"
    );
}

/// ED-6: the provider took back the refresh token of somebody who is active: that session ends, and they sign in again.
#[tokio::test]
async fn a_refused_token_of_somebody_active_ends_its_session() {
    let test = TestBroker::new().await;
    let (user, mut tokens) = twice(&test).await;
    test.idp.revoke(ALICE, false);
    test.minutes(15).await;
    assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (0, true));
    assert_eq!(told(&test).await, (vec![json!("refresh_refused"); 2], Vec::new()));
    test.tokens().await;
}

/// ED-6: where a provider takes all tokens back when a sign-in ends, that is no more than that, if the connection says so.
#[tokio::test]
async fn what_a_provider_means_by_taking_all_back_can_be_set() {
    let test = TestBroker::new().await;
    test.connect(&json!({ "sync": { "refused_tokens": "end_session" } })).await;
    let (user, mut tokens) = twice(&test).await;
    test.idp.revoke(ALICE, true);
    test.minutes(15).await;
    assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (0, true));
    assert_eq!(told(&test).await, (vec![json!("refresh_refused"); 2], Vec::new()));
}

/// ED-6: where userinfo does not answer, introspection says whether the person's token is still good.
#[tokio::test]
async fn introspection_is_asked_where_userinfo_says_nothing() {
    for (all, reason, active) in [(false, "refresh_refused", true), (true, "deactivated", false)] {
        let test = TestBroker::new().await;
        let (user, _) = twice(&test).await;
        test.idp.answer_with("/userinfo", failing(503));
        test.idp.revoke(ALICE, all);
        test.minutes(15).await;
        assert_eq!((told(&test).await.0, test.is_active(&user).await), (vec![json!(reason); 2], active));
    }
}

/// ED-6: endpoints that are set by hand can name where to ask. Where they name nothing, nobody is asked, and the session
/// stays; nor is anybody asked past the hosts that the tenant allows.
#[tokio::test]
async fn introspection_can_be_set_by_hand() {
    let at = |path: &str| json!(format!("https://idp.example{path}"));
    let asked_there = [at("/introspect"), Value::Null, json!("https://elsewhere.example/introspect")];
    for (introspection, reasons, active) in [
        (&asked_there[0], vec![json!("deactivated"); 2], false),
        (&asked_there[1], Vec::new(), true),
        (&asked_there[2], Vec::new(), true),
    ] {
        let test = TestBroker::new().await;
        test.admin(Method::PUT, "/tenants/acme", &json!({ "name": "Acme", "egress_hosts": ["idp.example"] })).await;
        let mut endpoints = json!({
            "authorization": at("/authorize"), "token": at("/token"), "jwks": at("/jwks"), "userinfo": at("/userinfo"),
        });
        if !introspection.is_null() {
            endpoints["introspection"] = introspection.clone();
        }
        test.connect(&json!({ "endpoints": endpoints })).await;
        let (user, _) = twice(&test).await;
        test.idp.answer_with("/userinfo", failing(503));
        test.idp.revoke(ALICE, true);
        test.minutes(15).await;
        assert_eq!((told(&test).await.0, test.is_active(&user).await), (reasons, active), "{introspection}");
        assert_eq!(test.idp.unexpected(), Vec::<String>::new());
    }
}

/// ED-6: when nobody says whether the person is active, the session stays for half a day, and then ends by itself. The
/// person stays.
#[tokio::test]
async fn without_a_word_a_session_stays_to_its_limit() {
    let test = TestBroker::new().await;
    let (user, mut tokens) = twice(&test).await;
    for path in ["/userinfo", "/introspect"] {
        test.idp.answer_with(path, failing(500));
    }
    test.idp.revoke(ALICE, true);
    test.minutes(12 * 60).await;
    assert_eq!(alive(&test, &mut tokens).await, 2);
    test.minutes(30).await;
    assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (0, true));
    assert_eq!(told(&test).await, (vec![json!("unvouched"); 2], Vec::new()));
}

/// ED-6: an access token that was just given is refused: the provider does not know its person any more.
#[tokio::test]
async fn a_fresh_token_that_is_refused_says_that_nobody_is_there() {
    let test = TestBroker::new().await;
    test.idp.lie(Lie::NoIdTokenOnRefresh);
    let (user, _) = twice(&test).await;
    test.idp.answer_with("/userinfo", failing(401));
    test.minutes(15).await;
    assert!(!test.is_active(&user).await);
    assert_eq!(told(&test).await, (vec![json!("deactivated"); 2], vec![json!("provider")]));
}

/// ED-6: an hour in which the provider fails, whichever way, costs nobody anything, and an hour later all is well again.
#[tokio::test]
async fn an_outage_ends_nothing() {
    type Break = fn(&TestBroker);
    let breaks: [Break; 9] = [
        |test| test.idp.lie(Lie::TokenEndpointFails),
        |test| test.idp.lie(Lie::TimesOut),
        |test| test.idp.answer_with("/token", failing(429)),
        |test| test.idp.answer_with("/token", failing(401)),
        |test| test.idp.answer_with("/token", failing(403)),
        |test| test.idp.answer_with("/token", failing(200)),
        |test| {
            let refusal = Bytes::from_static(br#"{"error":"invalid_client"}"#);
            test.idp.answer_with("/token", Canned { body: refusal, ..failing(401) });
        },
        |test| {
            let refusal = Bytes::from_static(br#"{"error":"invalid_grant"}"#);
            test.idp.answer_with("/token", Canned { body: refusal, ..failing(500) });
        },
        |test| {
            test.idp.set_active(ALICE, false);
            test.idp.lie(Lie::TimesOut);
        },
    ];
    for (number, make) in breaks.into_iter().enumerate() {
        let test = TestBroker::new().await;
        let (user, mut tokens) = twice(&test).await;
        make(&test);
        test.minutes(60).await;
        assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (2, true), "{number}");
        test.idp.be_honest();
        test.idp.set_active(ALICE, true);
        let before = test.idp.requests("/token");
        test.minutes(60).await;
        assert!(test.idp.requests("/token") - before >= 2, "{number}");
        assert_eq!((alive(&test, &mut tokens).await, test.is_active(&user).await), (2, true), "{number}");
        assert_eq!(told(&test).await, (Vec::new(), Vec::new()), "{number}");
    }
}

/// Whoever is busy says when to come again, and is left alone until then.
#[tokio::test]
async fn a_provider_is_left_alone_as_long_as_it_asks() {
    let test = TestBroker::new().await;
    let (_, mut tokens) = twice(&test).await;
    let busy = Canned { headers: vec![("retry-after", "7200".to_owned())], ..failing(429) };
    test.idp.answer_with("/token", busy);
    test.minutes(15).await;
    let asked = test.idp.requests("/token");
    test.idp.be_honest();
    test.minutes(105).await;
    assert_eq!(test.idp.requests("/token"), asked, "not before");
    test.minutes(15).await;
    assert_eq!(test.idp.requests("/token"), asked + 2);
    assert_eq!(alive(&test, &mut tokens).await, 2);
}

/// ED-6, RP-4: an answer that breaks a rule says nothing of the person: nothing is written down, and nothing ends.
#[tokio::test]
async fn a_wrong_answer_says_nothing() {
    let lies = [
        Lie::WrongIssuer,
        Lie::WrongAudience,
        Lie::Expired,
        Lie::AlgNone,
        Lie::DamagedSignature,
        Lie::EmptySubject,
        Lie::WrongAccessTokenHash,
    ];
    for lie in lies.map(Some).into_iter().chain([None]) {
        let test = TestBroker::new().await;
        let (user, mut tokens) = twice(&test).await;
        match lie {
            Some(lie) => test.idp.lie(lie),
            None => test.idp.say(Document::IdToken, "sub", json!("somebody-else")),
        }
        test.idp.say(Document::IdToken, "name", json!("Mallory"));
        test.minutes(30).await;
        assert_eq!(test.user(&user).await["profile"]["name"], "Alice", "{lie:?}");
        test.idp.be_honest();
        test.minutes(60).await;
        assert_eq!((alive(&test, &mut tokens).await, told(&test).await.0), (2, Vec::new()), "{lie:?}");
    }
}
