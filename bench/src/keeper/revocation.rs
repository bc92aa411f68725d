//! How soon a person is refused everywhere, in real time. People are asked about all the time, as applications do; they are
//! signed out one after the other within a minute, so that the copies of verifiers have every age.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use vestibule_verify::Verifier;

use super::Deployment;
use super::door::MovedClock;
use super::people::{Person, sign_in, watched};
use super::signal::{Senders, Signal, send};
use super::spread::{self, Refused};
use super::verifiers::{Verifiers, list_verifier};
use crate::connection::Connection;
use crate::measure::now;
use crate::scene::{Scene, Setting};

/// Its name among the workloads.
pub(crate) const NAME: &str = "REV";
/// Within so long all signals are sent: the age that a copy can have.
const SPAN: Duration = Duration::from_mins(1);
/// How often whoever reads copies is asked.
const PAUSE: Duration = Duration::from_millis(500);
/// How often introspection is asked from the signal on.
const SHORT_PAUSE: Duration = Duration::from_millis(2);
/// Longer than any copy may live.
const TOO_LONG: Duration = Duration::from_mins(5);

/// Runs it, with so many people for each signal.
pub(crate) async fn run(deployment: &Deployment<'_>, clock: &Arc<MovedClock>, samples: u32) -> Result<()> {
    let each = usize::try_from(samples)?;
    let setting = Setting {
        name: "signed-out",
        tenant: json!({ "name": "A tenant whose people are signed out" }),
        connection: watched(&json!({})),
        people: each * Signal::ALL.len(),
        clock: Arc::<MovedClock>::clone(clock),
    };
    let people = 0..setting.people;
    let scene = Arc::new(Scene::set(deployment.broker, deployment.admin_token, setting).await?);
    let mut people = sign_in(&scene, people).await?.into_iter();
    let senders = Senders::new(&scene, deployment.admin_token).await?;
    let list = list_verifier(&scene, clock);
    let begun = now();
    let mut running = Vec::new();
    for signal in Signal::ALL {
        let mut of_signal = Vec::with_capacity(each);
        for (number, person) in (0..samples).zip(&mut people) {
            let request = senders.request(signal, &person).await?;
            let trial = Trial { scene: Arc::clone(&scene), list: list.clone(), person, request };
            of_signal.push(tokio::spawn(trial.run(begun + SPAN * number / samples)));
        }
        running.push((signal, of_signal));
    }
    for (signal, of_signal) in running {
        let mut refused = Vec::with_capacity(of_signal.len());
        for trial in of_signal {
            refused.push(trial.await??);
        }
        spread::print(&format!("{NAME} {}", signal.name()), &refused, false)?;
    }
    Ok(())
}

/// One person, and what is sent about them.
struct Trial {
    scene: Arc<Scene>,
    list: Verifier,
    person: Person,
    request: Request<Full<Bytes>>,
}

impl Trial {
    async fn run(self, at: Instant) -> Result<Refused> {
        let token = self.person.tokens.access;
        let mut verifiers = Verifiers::open(&self.scene, &self.list).await?;
        while now() < at {
            ensure!(verifiers.verifies(&token).await? && verifiers.lists(&token).await?, "refused before the signal");
            tokio::time::sleep(PAUSE.min(at.saturating_duration_since(now()))).await;
        }
        // Now: workerd closes what is idle for five seconds.
        let mut introspection = Verifiers::open(&self.scene, &self.list).await?;
        let mut sender = Connection::open(&self.scene.broker).await?;
        ensure!(introspection.introspects(&token).await?, "a token that nobody revoked is inactive");
        let sent_at = now();
        let sending = send(&mut sender, self.request);
        let introspected = async {
            while introspection.introspects(&token).await? {
                ensure!(sent_at.elapsed() < TOO_LONG, "introspection refuses nobody");
                tokio::time::sleep(SHORT_PAUSE).await;
            }
            Ok(sent_at.elapsed())
        };
        let copied = until_refused(&mut verifiers, &token, sent_at);
        let ((), introspected, [verified, listed]) = futures_util::try_join!(sending, introspected, copied)?;
        Ok([introspected, verified, listed])
    }
}

/// Asks those who read copies until both refuse.
async fn until_refused(verifiers: &mut Verifiers, token: &str, sent_at: Instant) -> Result<[Duration; 2]> {
    let (mut verified, mut listed) = (None, None);
    loop {
        if verified.is_none() && !verifiers.verifies(token).await? {
            verified = Some(sent_at.elapsed());
        }
        if listed.is_none() && !verifiers.lists(token).await? {
            listed = Some(sent_at.elapsed());
        }
        if let (Some(verified), Some(listed)) = (verified, listed) {
            return Ok([verified, listed]);
        }
        ensure!(sent_at.elapsed() < TOO_LONG, "a copy lives for too long");
        tokio::time::sleep(PAUSE).await;
    }
}
