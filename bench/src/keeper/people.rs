//! People who are signed in and watched.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use vestibule_testkit::relying_party::payload;

use crate::application::{Application, Tokens};
use crate::measure::CONCURRENCY;
use crate::scene::{Scene, person};

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) number: usize,
    pub(crate) tokens: Tokens,
    /// The broker's name for them, and for their session.
    pub(crate) user: String,
    pub(crate) session: String,
}

/// Members of a connection that give its sessions refresh tokens, and examines as many as there are: a deployment asks for
/// ten a second unless it says otherwise.
pub(crate) fn watched(sync: &Value) -> Value {
    json!({ "scopes": ["openid", "email", "profile", "offline_access"], "sync": sync })
}

/// Signs these people in, each once.
pub(crate) async fn sign_in(scene: &Arc<Scene>, numbers: Range<usize>) -> Result<Vec<Person>> {
    let workers = (0..CONCURRENCY).map(|worker| {
        let (scene, mine) = (Arc::clone(scene), numbers.clone().skip(worker).step_by(CONCURRENCY));
        tokio::spawn(async move {
            let mut application = Application::open(&scene).await?;
            let mut there = Vec::new();
            for number in mine {
                application.login(&person(number)).await?;
                there.push(Person::of(number, application.tokens.clone())?);
            }
            anyhow::Ok(there)
        })
    });
    let mut people = Vec::with_capacity(numbers.len());
    for worker in try_join_all(workers).await? {
        people.extend(worker?);
    }
    people.sort_by_key(|person| person.number);
    Ok(people)
}

impl Person {
    fn of(number: usize, tokens: Tokens) -> Result<Self> {
        let claims = payload(&tokens.access).context("an access token that cannot be read")?;
        let claim =
            |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned).context("a claim is missing");
        Ok(Self { number, user: claim("sub")?, session: claim("sid")?, tokens })
    }
}
