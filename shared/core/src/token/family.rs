//! What a client holds in a session, found by any of its tokens, and its end.

use vestibule_protocol::jose::TokenType;

use super::AccessClaims;
use super::issue::grant_id;
use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, HandleSecret};
use crate::model::audit::AuditKind;
use crate::model::session::Grant;
use crate::signing;
use crate::status_list;
use crate::store::key::SessionShard;
use crate::store::record::RecordKey;
use crate::store::{Expect, StoreError};
use crate::userinfo;

/// Where a refresh family lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) shard: SessionShard,
    pub(crate) session: String,
    /// The id of its grant.
    pub(crate) id: String,
}

impl Family {
    /// Its record.
    pub(crate) fn record(&self) -> RecordKey<Grant> {
        self.shard.grant(&self.session, &self.id)
    }
}

/// A token that somebody shows, with the family that it is of. Whether the family is alive is not known.
pub(crate) enum Shown {
    /// An access token of ours that has not expired.
    Access(Box<AccessClaims>, Family),
    /// What looks like a refresh token: only who was given one knows the family's name.
    Refresh(HandleSecret, Family),
}

impl Shown {
    /// Reads a token; `None` for what was never one of an application, or has expired.
    pub(crate) async fn read(broker: &Broker, token: &str) -> Result<Option<Self>, Error> {
        if let Some(handle) = Handle::parse(HandleKind::Refresh, 2, token) {
            let [session, family] = handle.locator.path.as_slice() else { return Ok(None) };
            let family = Family { session: session.clone(), id: grant_id(family), shard: handle.locator.shard };
            return Ok(Some(Self::Refresh(handle.secret, family)));
        }
        let Some(claims) = live_claims(broker, token).await? else { return Ok(None) };
        let family = of_claims(broker, &claims).await?;
        Ok(family.map(|family| Self::Access(Box::new(claims), family)))
    }

    /// The family.
    pub(crate) const fn family(&self) -> &Family {
        match self {
            Self::Access(_, family) | Self::Refresh(_, family) => family,
        }
    }
}

/// What an access token of ours says that has not expired. Whether its session is still there is not known.
pub(crate) async fn live_claims(broker: &Broker, token: &str) -> Result<Option<AccessClaims>, Error> {
    let claims: Option<AccessClaims> = signing::verify(broker, TokenType::AccessToken, token).await?;
    let now = broker.platform.clock.now();
    Ok(claims.filter(|claims| claims.iss == broker.config.issuer && !claims.exp.has_passed(now)))
}

/// The family of an access token; `None` when its tenant is gone, and for a token that is about no person.
pub(crate) async fn of_claims(broker: &Broker, claims: &AccessClaims) -> Result<Option<Family>, Error> {
    let Some((id, _)) = claims.jti.split_once('.') else { return Ok(None) };
    let Some(tenant) = broker.tenant(&claims.tenant).await? else { return Ok(None) };
    let shard = SessionShard::of_user(&claims.tenant, &claims.sub, tenant.session_shards);
    Ok(Some(Family { shard, session: claims.sid.clone(), id: id.to_owned() }))
}

/// Ends a family that `client` holds, and nobody else's: one commit removes the grant, marks its access tokens as revoked
/// and owes the audit event. Of many who end it at once, one is told of.
pub(crate) async fn end(broker: &Broker, family: &Family, client: &str, kind: AuditKind) -> Result<(), Error> {
    let store = &*broker.platform.store;
    let (shard, record) = (&family.shard, family.record());
    loop {
        let found = record.get(store).await?.filter(|found| found.value.client == client);
        let Some(found) = found else { return Ok(()) };
        let (now, grant) = (broker.platform.clock.now(), found.value);
        let subject = &grant.subject;
        let event = audit::event(broker, kind.clone()).about(&subject.user).in_client(&grant.client);
        let event = event.in_session(&subject.session);
        // As it was read: a refresh in between gave out a token that ends later.
        let mut writes = vec![record.delete(Expect::Version(found.version))];
        writes.push(audit::owe(broker, shard.partition(), &shard.tenant, event)?);
        writes.extend(status_list::revoke(shard, &grant, now)?);
        match store.commit(&shard.partition(), writes).await {
            Ok(_) => {
                userinfo::forget(broker, family);
                return Ok(());
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
