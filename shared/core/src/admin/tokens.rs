//! Administrators' tokens: made, listed, deleted. A token is shown once, and cannot be changed: another one is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, check_name};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::{AdminHandle, SecretHash, new_id, new_secret};
use crate::model::admin_token::{AdminToken, Scope};
use crate::model::audit::{ChangeKind, DEPLOYMENT};
use crate::store::{Expect, key};

/// What an administrator sends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenInput {
    /// What people call it.
    pub name: String,
    /// What it lets its bearer do: the sum of 1 to 50 scopes.
    pub scopes: Vec<Scope>,
    /// When it ends by itself, in seconds since 1970; never when left out.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenView {
    /// The token's id, which is no secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it lets its bearer do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself; null for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last seen, to the hour; null for not yet.
    pub last_used_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewToken {
    /// What is seen of it later, too.
    #[serde(flatten)]
    pub view: TokenView,
    /// The token itself. Nobody can read it again.
    pub token: String,
}

fn view(id: &str, token: AdminToken) -> TokenView {
    let AdminToken { name, scopes, created_at, expires_at, last_used_at, secret: _ } = token;
    TokenView { id: id.to_owned(), name, scopes, created_at, expires_at, last_used_at }
}

fn done(id: &str, change: ChangeKind) -> Done<'static> {
    Done::new(DEPLOYMENT, format!("/tokens/{id}"), change)
}

/// Makes a token.
pub async fn create(
    broker: &Broker,
    change: &Change,
    Checked { input, mut problems }: Checked<TokenInput>,
) -> Result<Tagged<NewToken>, Error> {
    check_name(&mut problems, &input.name);
    if !(1..=50).contains(&input.scopes.len()) {
        problems.add("/scopes", "must have 1 to 50 entries");
    }
    let now = broker.platform.clock.now();
    if input.expires_at.is_some_and(|end| end.has_passed(now)) {
        problems.add("/expires_at", "must lie in the future");
    }
    problems.none()?;
    let random = &*broker.platform.random;
    let handle = AdminHandle { id: new_id(random), secret: new_secret(random) };
    let token = AdminToken {
        name: input.name,
        scopes: input.scopes,
        secret: SecretHash::of(handle.secret.expose()),
        created_at: now,
        expires_at: input.expires_at,
        last_used_at: None,
    };
    let record = key::admin_token(&handle.id);
    let write = record.put_for(&token, token.expires_at, Expect::Absent)?;
    change.commit(broker, record.partition(), vec![write], done(&handle.id, ChangeKind::Created)).await?;
    let Tagged { object: view, tag } = show(broker, &handle.id, token)?;
    Ok(Tagged { object: NewToken { view, token: handle.to_text() }, tag })
}

fn show(broker: &Broker, id: &str, token: AdminToken) -> Result<Tagged<TokenView>, Error> {
    let tag = change::tag(broker, &token)?;
    Ok(Tagged { object: view(id, token), tag })
}

/// A token, as far as it is shown.
pub async fn get(broker: &Broker, id: &str) -> Result<Tagged<TokenView>, Error> {
    let found = key::admin_token(check(id)?).get(&*broker.platform.store).await?;
    show(broker, id, found.ok_or(AdminError::NotFound)?.value)
}

/// The tokens that have not ended.
pub async fn list(broker: &Broker, paging: &Paging) -> Result<Page<TokenView>, Error> {
    paging::list(broker, key::admin_tokens(), key::ADMIN_TOKEN, paging, view).await
}

/// Ends a token. Whoever holds it can do nothing more with it.
pub async fn delete(broker: &Broker, change: &Change, id: &str) -> Result<(), Error> {
    change.remove(broker, &key::admin_token(check(id)?), done(id, ChangeKind::Deleted)).await?;
    Ok(())
}

/// An id that we never gave out names nothing.
fn check(id: &str) -> Result<&str, AdminError> {
    if AdminHandle::is_id(id) { Ok(id) } else { Err(AdminError::NotFound) }
}
