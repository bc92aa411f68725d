//! Whatever comes in whatever order: ticks, refreshes, sign-outs, deactivations here and there, outages, processes that
//! die. Afterwards who is out is out, each end has one event, and no refresh family has two branches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};
use vestibule_core::store::StoreError;
use vestibule_testkit::{Account, Lie};
use vestibule_tests::in_process::{TestBroker, claims, signed_in};
use vestibule_tests::watched_store::{Call, Watch, watched};

const PEOPLE: [&str; 3] = ["ann@corp.example", "ben@corp.example", "cleo@corp.example"];
const ENDS: [&str; 3] = ["session_ended", "signed_out", "session_replaced"];

/// A process that dies after so many calls to the store.
struct DiesAfterCalls(AtomicUsize);

#[async_trait]
impl Watch for DiesAfterCalls {
    async fn before(&self, _: Call<'_>) -> Result<(), StoreError> {
        let left = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| StoreError::Unavailable("the process died".into()))
    }
}

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
    tokens: Vec<String>,
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

/// A quarter of an hour whose first minutes are a process's that dies after some calls.
async fn crash(test: &TestBroker, calls: usize) {
    let dying = test.another_process(Some(watched(&test.store, DiesAfterCalls(AtomicUsize::new(calls))).0));
    for _ in 0..5 {
        test.pass(60);
        // What a dead process answers, nobody hears.
        drop(dying.broker.tick().await);
    }
}

async fn act(test: &TestBroker, draw: &mut Draw, families: &mut Vec<Family>) {
    let (person, family) = (draw.below(PEOPLE.len()), draw.below(families.len()));
    match draw.below(10) {
        0 | 1 => drop(test.minutes(u32::try_from(1 + draw.below(15)).expect("few")).await),
        2 | 3 => crash(test, 5 + draw.below(60)).await,
        4 | 5 => drop(refresh(test, &mut families[family]).await),
        6 => {
            let hint = families[family].id_token.clone();
            test.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
        }
        7 => test.idp.set_active(PEOPLE[person], draw.below(3) > 0),
        8 => {
            let path = format!("/tenants/acme/users/{}", families[family].user);
            test.try_admin(Method::PUT, &path, &json!({ "active": draw.below(3) > 0 })).await;
        }
        _ if draw.below(2) == 0 => test.idp.lie(Lie::TimesOut),
        _ => {
            test.idp.be_honest();
            families.extend(sign_in(test, person).await);
        }
    }
}

/// Every session of the log with its ends, and whether its record is there.
async fn check_events(test: &TestBroker, seed: u64) {
    let log = test.admin(Method::GET, "/tenants/acme/audit?limit=1000&from=2025-06-15", &Value::Null).await;
    assert!(log["next"].is_null(), "all of it");
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for event in log["events"].as_array().expect("events") {
        let (kind, session) = (event["kind"].as_str().expect("a kind"), event["session"].as_str().unwrap_or_default());
        if kind == "signed_in" {
            ends.entry(session).or_default();
        } else if ENDS.contains(&kind) {
            *ends.entry(session).or_default() += 1;
        }
    }
    let live = test.among_sessions("session#").await;
    assert!(ends.values().all(|ends| *ends <= 1), "seed {seed}: one event for each end: {ends:?}");
    assert_eq!(ends.values().filter(|ends| **ends == 0).count(), live, "seed {seed}: an event for each end");
    assert!(test.among_sessions("watch#").await <= live, "seed {seed}: nothing is kept of a session that is over");
}

/// ED-5, ED-6, CK-5, TK-6: the invariants hold however things fall together.
#[tokio::test]
async fn whatever_happens_the_invariants_hold() {
    for seed in 0..16 {
        let (test, mut draw) = (TestBroker::new().await, Draw(seed));
        let mut families = Vec::new();
        for (number, name) in PEOPLE.iter().enumerate() {
            test.idp.add_account(Account::new(name, "password", &format!("subject-{number}"), "Somebody"));
            families.extend(sign_in(&test, number).await);
            families.extend(sign_in(&test, number).await);
        }
        for _ in 0..25 {
            act(&test, &mut draw, &mut families).await;
        }
        test.idp.be_honest();
        test.minutes(31).await;
        for family in &mut families {
            let active = test.is_active(&family.user).await;
            let is_live = refresh(&test, family).await;
            assert!(active || !is_live, "seed {seed}: who is out has no session");
            if is_live && family.tokens.len() > 3 {
                let replayed = test.refresh(&family.tokens[0]).await;
                assert_eq!(replayed.text("error"), "invalid_grant", "seed {seed}");
                assert!(!refresh(&test, family).await, "seed {seed}: one branch, and a replay ends it");
            }
        }
        test.minutes(31).await;
        check_events(&test, seed).await;
    }
}
