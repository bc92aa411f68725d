//! Whatever comes in whatever order: ticks, refreshes, sign-outs, deactivations here and there, a directory that switches
//! people off and on and removes them, outages, processes that die. Whoever is out is out when that is answered, and for
//! good; each end has one event, and no refresh family has two branches.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule_testkit::{Account, Lie};
use vestibule_tests::in_process::{TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{DiesAfter, watched};

const PEOPLE: [&str; 3] = ["ann@corp.example", "ben@corp.example", "cleo@corp.example"];
const ENDS: [&str; 3] = ["session_ended", "signed_out", "session_replaced"];

/// Numbers that look random and are the same in every run (Knuth's multiplier).
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it fits") % end
    }
}

/// What an application holds: the tokens of one family, the last one first in use.
struct Family {
    user: String,
    id_token: String,
    access_token: String,
    tokens: Vec<String>,
    /// Whether its person was switched off or removed since, by an answer that said so.
    is_over: bool,
}

async fn sign_in(test: &TestBroker, person: usize) -> Option<Family> {
    let (authorization, login) = test.start().await;
    let back = test.idp.sign_in(authorization.as_str(), PEOPLE[person]).await.ok()?;
    let reply = test.get(back.strip_prefix("https://sso.example")?, &login).await;
    reply.location()?;
    let tokens = test.redeem(&signed_in(&reply).code).await.json();
    Some(Family {
        user: claims(&tokens["id_token"])["sub"].as_str()?.to_owned(),
        id_token: tokens["id_token"].as_str()?.to_owned(),
        access_token: tokens["access_token"].as_str()?.to_owned(),
        is_over: false,
        tokens: vec![tokens["refresh_token"].as_str()?.to_owned()],
    })
}

async fn refresh(test: &TestBroker, family: &mut Family) -> bool {
    let reply = test.refresh(family.tokens.last().expect("a token")).await;
    let is_good = reply.status.is_success();
    if is_good {
        family.tokens.push(reply.text("refresh_token"));
    }
    is_good
}

/// A process that dies after some calls to the store.
fn dying(test: &TestBroker, calls: usize) -> TestBroker {
    test.another_process(Some(watched(&test.store, DiesAfter::calls(calls)).0))
}

/// A quarter of an hour whose first minutes are a process's that dies after some calls.
async fn crash(test: &TestBroker, calls: usize) {
    let dying = dying(test, calls);
    for _ in 0..5 {
        test.pass(60);
        // What a dead process answers, nobody hears.
        drop(dying.broker.tick().await);
    }
}

/// An administrator switches somebody off or on. Whether they are out, and the administrator knows.
async fn administer(test: &TestBroker, draw: &mut Draw, user: &str) -> bool {
    let active = draw.below(3) == 0;
    let path = format!("/tenants/acme/users/{user}");
    test.try_admin(Method::PUT, &path, &json!({ "active": active })).await.status.is_success() && !active
}

/// A directory switches somebody off or on, or removes them; now and then at a process that dies meanwhile. Whether they
/// are out, and the directory knows.
async fn push(test: &TestBroker, directory: &str, draw: &mut Draw, user: &str) -> bool {
    let (what, crashes) = (draw.below(6), draw.below(3) == 0);
    let calls = if crashes { 1 + draw.below(25) } else { usize::MAX };
    let (process, path) = (dying(test, calls), format!("/Users/{user}"));
    let reply = if what == 0 {
        process.scim(directory, Method::DELETE, &path, &Value::Null).await
    } else {
        let active = json!([{ "op": "replace", "path": "active", "value": what > 3 }]);
        process.scim_patch(directory, &path, &active).await
    };
    what <= 3 && reply.status.is_success()
}

/// Whatever somebody had is over, at once.
async fn are_over(test: &TestBroker, families: &mut [Family], user: &str) {
    for family in families.iter_mut().filter(|family| family.user == user) {
        family.is_over = true;
        assert_eq!(test.introspect(&family.access_token).await, json!({ "active": false }));
    }
}

async fn act(test: &TestBroker, directory: &str, draw: &mut Draw, families: &mut Vec<Family>) {
    let (person, family) = (draw.below(PEOPLE.len()), draw.below(families.len()));
    let user = families[family].user.clone();
    match draw.below(12) {
        0 | 1 => drop(test.minutes(u32::try_from(1 + draw.below(15)).expect("few")).await),
        2 | 3 => crash(test, 5 + draw.below(60)).await,
        4 | 5 => drop(refresh(test, &mut families[family]).await),
        6 => {
            let hint = families[family].id_token.clone();
            test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
        }
        7 => test.idp.set_active(PEOPLE[person], draw.below(3) > 0),
        8 if administer(test, draw, &user).await => are_over(test, families, &user).await,
        9 | 10 if push(test, directory, draw, &user).await => are_over(test, families, &user).await,
        8..=10 => {}
        _ if draw.below(2) == 0 => test.idp.lie(Lie::TimesOut),
        _ => {
            test.idp.be_honest();
            families.extend(sign_in(test, person).await);
        }
    }
}

/// Every session of the log with its ends, and whether its record is there. Whoever is out has an event that says so.
async fn check_events(test: &TestBroker, seed: u64, out: &BTreeSet<String>) {
    let log = test.admin(Method::GET, "/tenants/acme/audit?limit=1000&from=2025-06-15", &Value::Null).await;
    assert!(log["next"].is_null(), "all of it");
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let mut put_out = BTreeSet::new();
    for event in log["events"].as_array().expect("events") {
        let (kind, session) = (event["kind"].as_str().expect("a kind"), event["session"].as_str().unwrap_or_default());
        if kind == "signed_in" {
            ends.entry(session).or_default();
        } else if ENDS.contains(&kind) {
            *ends.entry(session).or_default() += 1;
        } else if kind == "user_deactivated" {
            put_out.extend(event["user"].as_str().map(str::to_owned));
        } else if kind == "provisioned" && event["change"] == "deleted" {
            put_out
                .extend(event["object"].as_str().and_then(|object| object.strip_prefix("/Users/")).map(str::to_owned));
        }
    }
    assert!(out.is_subset(&put_out), "seed {seed}: an event for whoever is out");
    let live = test.among_sessions("session#").await;
    assert!(ends.values().all(|ends| *ends <= 1), "seed {seed}: one event for each end: {ends:?}");
    assert_eq!(ends.values().filter(|ends| **ends == 0).count(), live, "seed {seed}: an event for each end");
    assert!(test.among_sessions("watch#").await <= live, "seed {seed}: nothing is kept of a session that is over");
}

/// Whoever is switched on and there.
async fn is_active(test: &TestBroker, user: &str) -> bool {
    let reply = test.try_admin(Method::GET, &format!("/tenants/acme/users/{user}"), &Value::Null).await;
    reply.status == StatusCode::OK && reply.json()["active"] == true
}

/// ED-5, ED-6, CK-5, SC-11, SC-12, TK-6: the invariants hold however things fall together.
#[tokio::test]
async fn whatever_happens_the_invariants_hold() {
    for seed in 0..16 {
        let (test, mut draw) = (TestBroker::new().await, Draw(seed));
        let directory = test.scim_token().await;
        test.set_mode("just_in_time").await;
        let mut families = Vec::new();
        for (number, name) in PEOPLE.iter().enumerate() {
            test.idp.add_account(Account::new(name, "password", &format!("subject-{number}"), "Somebody"));
            families.extend(sign_in(&test, number).await);
            families.extend(sign_in(&test, number).await);
        }
        for _ in 0..30 {
            act(&test, &directory, &mut draw, &mut families).await;
        }
        test.idp.be_honest();
        test.minutes(31).await;
        let mut out = BTreeSet::new();
        for family in &mut families {
            let is_live = refresh(&test, family).await;
            assert!(!(is_live && family.is_over), "seed {seed}: who was out does not come back");
            if !is_active(&test, &family.user).await {
                assert!(!is_live, "seed {seed}: who is out has no session");
                out.insert(family.user.clone());
            }
            if is_live && family.tokens.len() > 3 {
                let replayed = test.refresh(&family.tokens[0]).await;
                assert_eq!(replayed.text("error"), "invalid_grant", "seed {seed}");
                assert!(!refresh(&test, family).await, "seed {seed}: one branch, and a replay ends it");
            }
        }
        test.minutes(31).await;
        check_events(&test, seed, &out).await;
    }
}
