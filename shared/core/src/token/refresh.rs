//! A refresh token for new tokens (RFC 6749 §6), with rotation and reuse detection (RFC 9700 §4.14.2).
//!
//! A family has one live token. The next one is derived from it and the grant's salt, so that for half a minute the
//! same question gets the same answer: a client that lost the answer, or asked twice at once, still ends up with one
//! live branch. Later, as long as the next token was not used, the lost answer is replaced by another, and the lost one
//! is dead. Anything older is a replay and ends the family.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::family::{self, Family};
use super::issue::{Issue, grant_id, issue};
use super::{Caller, TokenResponse};
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, HandleSecret, SecretHash, new_secret};
use crate::model::audit::AuditKind;
use crate::model::session::Grant;
use crate::secret::Secret;
use crate::sessions;
use crate::status_list;
use crate::store::{Expect, StoreError, Write};
use crate::usage;

/// For this long after a rotation the same token gets the same answer.
const LEEWAY: Seconds = Seconds(30);
/// How often a rotation that lost a race looks again. Each time, somebody else's rotation succeeded.
const TRIES: usize = 8;

pub(super) async fn refresh(
    broker: &Broker,
    client: Caller<'_>,
    token: &str,
    scope: Option<Scope>,
) -> Result<TokenResponse, Error> {
    let refused = || Error::from(oauth::Error::invalid_grant());
    let handle = Handle::parse(HandleKind::Refresh, 2, token).ok_or_else(refused)?;
    let shard = handle.locator.shard;
    let [session, family] = handle.locator.path.as_slice() else { return Err(refused()) };
    let held = Family { shard: shard.clone(), session: session.clone(), id: grant_id(family) };
    let record = held.record();
    for _ in 0..TRIES {
        let found = record.get(&*broker.platform.store).await?.ok_or_else(refused)?;
        let lives = client.lives_at(broker, &found.value.subject.tenant).await?;
        let lives = lives.filter(|_| found.value.client == client.id).ok_or_else(refused)?;
        let narrowed = narrow(scope.as_ref(), &found.value.scope)?;
        let now = broker.platform.clock.now();
        let Some(mut turn) = turn(broker, &found.value, &handle.secret, now) else {
            family::end(broker, &held, client.id, AuditKind::RefreshTokenReplayed).await?;
            return Err(refused());
        };
        let end = now + lives.access_token(client.registered.access_token_life);
        let mut writes = write(broker, &held, &mut turn, Expect::Version(found.version), end)?;
        writes.extend(sessions::used(broker, &shard, &turn.grant.subject).await?.ok_or_else(refused)?);
        match broker.platform.store.commit(&shard.partition(), writes).await {
            Ok(_) => {
                let tokens = Issue {
                    shard: &shard,
                    family: family.clone(),
                    grant: &turn.grant,
                    scope: narrowed,
                    client: client.registered,
                    lives,
                    refresh_secret: turn.next,
                    now,
                    access_end: turn.grant.status.map_or(end, |status| status.tokens_end.min(end)),
                    nonce: None,
                };
                return issue(broker, tokens).await;
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The grant stood still and the commit failed each time: the session is over.
    Err(refused())
}

/// At most what was granted, and never more (TK-7).
fn narrow(asked: Option<&Scope>, granted: &Scope) -> Result<Scope, oauth::Error> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.and(granted) == *asked => Ok(asked.clone()),
        Some(_) => Err(oauth::Error::new(ErrorCode::InvalidScope, "scope is more than was granted")),
    }
}

/// One turn of a family: the token to give out, and the grant after it.
struct Turn {
    next: HandleSecret,
    grant: Grant,
    changed: bool,
}

/// What a turn writes. An answer that is given again changes nothing, so its access token ends with that of the first.
fn write(
    broker: &Broker,
    family: &Family,
    turn: &mut Turn,
    expect: Expect,
    access_end: Timestamp,
) -> Result<Vec<Write>, Error> {
    let record = family.record();
    if !turn.changed {
        return Ok(vec![record.check(expect)]);
    }
    let place = status_list::carry_on(broker, &family.shard, &mut turn.grant, access_end)?;
    let grant = record.put_until(&turn.grant, turn.grant.expires_at, expect)?;
    let usage = usage::mark(broker, &family.shard, &turn.grant.subject)?;
    Ok([grant, usage].into_iter().chain(place).collect())
}

/// What a presented token means for its family; `None` for a replay. Whoever comes this far knows the family's name,
/// which stands in its refresh tokens only: a secret that is not the live one is an older one.
fn turn(broker: &Broker, grant: &Grant, presented: &HandleSecret, now: Timestamp) -> Option<Turn> {
    if grant.current.matches(presented.expose()) {
        return rotated(grant, grant.salt.clone(), presented, now);
    }
    if !grant.previous.as_ref()?.matches(presented.expose()) {
        return None;
    }
    if (grant.rotated_at + LEEWAY).has_passed(now) {
        let salt = URL_SAFE_NO_PAD.encode(new_secret(&*broker.platform.random).expose());
        return rotated(grant, salt, presented, now);
    }
    Some(Turn { next: derive(&grant.salt, presented)?, grant: grant.clone(), changed: false })
}

fn rotated(grant: &Grant, salt: String, presented: &HandleSecret, now: Timestamp) -> Option<Turn> {
    let next = derive(&salt, presented)?;
    let grant = Grant {
        current: SecretHash::of(next.expose()),
        previous: Some(SecretHash::of(presented.expose())),
        salt,
        rotated_at: now,
        ..grant.clone()
    };
    Some(Turn { next, grant, changed: true })
}

/// The token after `presented`. The salt is in the store, the token is not: neither alone yields the next.
fn derive(salt: &str, presented: &HandleSecret) -> Option<HandleSecret> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(salt.as_bytes()).ok()?;
    mac.update(presented.expose());
    Some(Secret::new(mac.finalize().into_bytes().into()))
}
