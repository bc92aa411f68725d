//! A code for its first tokens (RFC 6749 §4.1.3).
//!
//! The code's removal and the grant's creation are one commit, so of any number of redemptions exactly one succeeds,
//! and whoever comes later always finds the grant that the code began, and revokes it (§4.1.2). A code that is
//! presented wrongly is spent as well.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_protocol::oauth;

use super::issue::{Issue, grant_id, issue};
use super::{Caller, TokenResponse};
use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, SecretHash, new_secret};
use crate::model::audit::AuditKind;
use crate::model::session::{Code, Grant};
use crate::sessions;
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError};

/// What a client offers.
pub(super) struct Offer<'a> {
    pub(super) code: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) code_verifier: &'a str,
}

pub(super) async fn redeem(broker: &Broker, client: Caller<'_>, offer: &Offer<'_>) -> Result<TokenResponse, Error> {
    let refused = || Error::from(oauth::Error::invalid_grant());
    let handle = Handle::parse(HandleKind::Code, 1, offer.code).ok_or_else(refused)?;
    let shard = handle.locator.shard;
    let [session] = handle.locator.path.as_slice() else { return Err(refused()) };
    let hash = SecretHash::of(handle.secret.expose());
    let store = &*broker.platform.store;
    let record = shard.code(hash.as_str());
    let Some(found) = record.get(store).await? else {
        revoke_replayed(broker, &shard, session, hash.as_str(), client.id).await?;
        return Err(refused());
    };
    let code = found.value;
    let lives = client.lives_at(broker, &code.subject.tenant).await?;
    let Some(lives) = lives.filter(|_| is_acceptable(&code, client.id, offer)) else {
        record.take(store).await?;
        return Err(refused());
    };

    let random = &*broker.platform.random;
    let now = broker.platform.clock.now();
    let refresh_secret = new_secret(random);
    let end = now + lives.refresh_token(client.registered.refresh_token_life);
    let grant = Grant {
        client: code.client,
        scope: code.scope.clone(),
        subject: code.subject.clone(),
        current: SecretHash::of(refresh_secret.expose()),
        previous: None,
        salt: URL_SAFE_NO_PAD.encode(new_secret(random).expose()),
        rotated_at: now,
        expires_at: code.subject.session_ends_at.map_or(end, |session| session.min(end)),
    };
    let family = hash.as_str().to_owned();
    let grant_record = shard.grant(session, &grant_id(&family));
    let mut writes = vec![
        record.delete(Expect::Version(found.version)),
        grant_record.put_until(&grant, grant.expires_at, Expect::Absent)?,
    ];
    writes.extend(sessions::still_live(&shard, &grant.subject));
    match store.commit(&shard.partition(), writes).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => {
            // Another redemption was faster, or the session ended meanwhile.
            revoke_replayed(broker, &shard, session, &family, client.id).await?;
            return Err(refused());
        }
        Err(error) => return Err(error.into()),
    }
    let tokens = Issue {
        shard: &shard,
        family,
        grant: &grant,
        scope: code.scope,
        client: client.registered,
        lives,
        refresh_secret,
        now,
        nonce: code.nonce,
    };
    issue(broker, tokens).await
}

/// The code is redeemed by the client it was made for, at its address, by whoever began the login (AZ-7).
fn is_acceptable(code: &Code, client: &str, offer: &Offer<'_>) -> bool {
    code.client == client && code.redirect_uri == offer.redirect_uri && code.code_challenge.matches(offer.code_verifier)
}

/// A code that is gone and comes again: if it began a family of this client, that family ends.
async fn revoke_replayed(
    broker: &Broker,
    shard: &SessionShard,
    session: &str,
    family: &str,
    client: &str,
) -> Result<(), Error> {
    let record = shard.grant(session, &grant_id(family));
    let Some(grant) = record.get(&*broker.platform.store).await? else { return Ok(()) };
    if grant.value.client != client {
        return Ok(());
    }
    revoke(broker, shard, &grant.value, &grant_id(family), AuditKind::CodeReplayed).await
}

/// Ends a family and owes the audit event, in one commit.
pub(super) async fn revoke(
    broker: &Broker,
    shard: &SessionShard,
    grant: &Grant,
    id: &str,
    kind: AuditKind,
) -> Result<(), Error> {
    let subject = &grant.subject;
    let event = audit::event(broker, kind).about(&subject.user).in_client(&grant.client).in_session(&subject.session);
    // Present: of many replays at once, one is told of.
    let delete = shard.grant(&subject.session, id).delete(Expect::Present);
    let writes = vec![delete, audit::owe(broker, shard.partition(), &subject.tenant, event)?];
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
