//! How soon a person is refused everywhere who is switched off at their provider and nowhere else. A quarter of an hour
//! passes at most until their session is examined, so time is moved, ten seconds at once; latencies are of that time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use vestibule_core::platform::Clock;

use super::Deployment;
use super::door::Door;
use super::people::{Person, sign_in, watched};
use super::spread::{self, Refused};
use super::verifiers::{Verifiers, list_verifier};
use crate::scene::{Scene, Setting, person};

/// Within so many seconds all are switched off: each slot comes once.
const SPAN: i64 = 900;
/// How far the time is moved at once, in seconds.
const STEP: i64 = 10;
/// A quarter of an hour, a tick, and the life of a copy are less.
const TOO_LONG: i64 = 3 * 900;

/// Somebody, when they are switched off, and who refused them when.
struct Trial {
    person: Person,
    verifiers: Verifiers,
    off_at: i64,
    is_off: bool,
    refused_at: [Option<i64>; 3],
}

/// Runs it with so many people. Their sessions are spread over all slots; the breaker would stop it.
pub(crate) async fn run(deployment: &Deployment<'_>, door: &mut Door, samples: u32) -> Result<()> {
    let setting = Setting {
        name: "switched-off",
        tenant: json!({ "name": "A tenant whose people are switched off", "session_shards": 120 }),
        connection: watched(&json!({ "breaker": { "percent": 100, "people": 1 } })),
        people: usize::try_from(samples)?,
        clock: door.clock.clone(),
    };
    let people = 0..setting.people;
    let scene = Arc::new(Scene::set(deployment.broker, deployment.admin_token, setting).await?);
    let people = sign_in(&scene, people).await?;
    door.quarter_of_an_hour().await?;
    let begun = door.clock.now().seconds();
    let list = list_verifier(&scene, &door.clock);
    let mut trials = Vec::with_capacity(people.len());
    for (number, person) in (0..i64::from(samples)).zip(people) {
        let (verifiers, off_at) = (Verifiers::open(&scene, &list).await?, begun + SPAN * number / i64::from(samples));
        trials.push(Trial { person, verifiers, off_at, is_off: false, refused_at: [None; 3] });
    }
    let mut minute = begun.div_euclid(60);
    while trials.iter().any(|trial| trial.refused_at.contains(&None)) {
        let now = door.clock.now().seconds();
        ensure!(now - begun < TOO_LONG, "whoever was switched off is still there");
        for trial in trials.iter_mut().filter(|trial| !trial.is_off && trial.off_at <= now) {
            scene.idp.set_active(&person(trial.person.number), false);
            trial.is_off = true;
        }
        if now.div_euclid(60) > minute {
            minute = now.div_euclid(60);
            door.tick().await?;
        }
        try_join_all(trials.iter_mut().map(|trial| trial.look(now))).await?;
        door.pass(STEP).await?;
    }
    let refused: Vec<Refused> = trials.iter().map(Trial::refused).collect();
    spread::print("REV switched off at the provider", &refused, true)
}

impl Trial {
    /// Asks everybody who has not refused yet; so whoever reads copies has one of every age.
    async fn look(&mut self, now: i64) -> Result<()> {
        let token = &self.person.tokens.access;
        let [introspected, verified, listed] = &mut self.refused_at;
        if introspected.is_none() && self.is_off && !self.verifiers.introspects(token).await? {
            *introspected = Some(now);
        }
        if verified.is_none() && !self.verifiers.verifies(token).await? {
            *verified = Some(now);
        }
        if listed.is_none() && !self.verifiers.lists(token).await? {
            *listed = Some(now);
        }
        ensure!(self.is_off || self.refused_at == [None; 3], "refused before anything happened");
        Ok(())
    }

    fn refused(&self) -> Refused {
        let after = |at: Option<i64>| at.and_then(|at| u64::try_from(at - self.off_at).ok()).unwrap_or_default();
        self.refused_at.map(|at| Duration::from_secs(after(at)))
    }
}
