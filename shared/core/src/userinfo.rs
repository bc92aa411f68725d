//! Userinfo (OpenID Connect Core §5.3): who is behind an access token, as long as the session lives.
//!
//! That a session lives is read through a copy of at most a minute: a session that has ended is refused here within
//! [`crate::cache::COPY_LIFE`], at the token endpoint at once.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use vestibule_protocol::oauth::{self, ErrorCode};

use crate::Broker;
use crate::error::Error;
use crate::model::session::{Grant, Subject};
use crate::sessions;
use crate::store::StoreError;
use crate::token::family::{Family, live_claims, of_claims};
use crate::token::{AccessClaims, for_userinfo, visible};

/// What a client learns.
#[derive(Debug, Serialize)]
pub struct UserInfo {
    /// The person.
    pub sub: String,
    /// The tenant.
    pub tenant: String,
    /// What the token's scope reveals, what the tenant's webhook added, and what the client wants besides. None of them
    /// has the name of one above.
    #[serde(flatten)]
    pub claims: Map<String, Value>,
}

/// A grant that was found alive.
pub(crate) struct LiveGrant {
    pub(crate) subject: Subject,
    /// What its client wants to know whatever the scope.
    chosen: Map<String, Value>,
}

/// Answers for `token`.
pub async fn userinfo(broker: &Broker, token: &str) -> Result<UserInfo, Error> {
    let (claims, live) = bearer(broker, token).await?;
    let mut shown = visible(&live.subject, &claims.scope);
    shown.extend(live.chosen.clone());
    Ok(UserInfo { sub: claims.sub, tenant: claims.tenant, claims: shown })
}

/// What an access token says, if it is one of ours and its grant is alive.
pub(crate) async fn bearer(broker: &Broker, token: &str) -> Result<(AccessClaims, Arc<LiveGrant>), Error> {
    let refused = || Error::from(oauth::Error::new(ErrorCode::InvalidToken, "the access token is not valid"));
    let claims = live_claims(broker, token).await?.ok_or_else(refused)?;
    if !claims.scope.has("openid") {
        return Err(oauth::Error::new(ErrorCode::InsufficientScope, "the access token lacks the scope openid").into());
    }
    let live = live_grant(broker, &claims).await?.ok_or_else(refused)?;
    Ok((claims, live))
}

/// Drops what this process remembers of a family that it ended.
pub(crate) fn forget(broker: &Broker, family: &Family) {
    broker.copies.live_grants.forget(&copy_name(family));
}

fn copy_name(family: &Family) -> String {
    format!("{}/{}/{}", family.shard.tenant, family.session, family.id)
}

/// The grant of an access token, if it is alive or was less than a minute ago.
pub(crate) async fn live_grant(broker: &Broker, claims: &AccessClaims) -> Result<Option<Arc<LiveGrant>>, Error> {
    let Some(family) = of_claims(broker, claims).await? else { return Ok(None) };
    let now = broker.platform.clock.now();
    let name = copy_name(&family);
    if let Some(copy) = broker.copies.live_grants.get(&name, now) {
        return Ok(Some(copy));
    }
    let store = &*broker.platform.store;
    let Some(found) = family.record().get(store).await? else { return Ok(None) };
    let Grant { subject, client, .. } = found.value;
    let chosen = match broker.client(&client).await? {
        Some(client) => for_userinfo(broker, &client, &subject).await?,
        None => Map::new(),
    };
    match store.commit(&family.shard.partition(), sessions::still_live(&family.shard, &subject).into()).await {
        Ok(_) => Ok(Some(broker.copies.live_grants.keep(name, LiveGrant { subject, chosen }, now))),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
