//! A code for its first tokens (RFC 6749 §4.1.3).
//!
//! The code's removal and the grant's creation are one commit, so of any number of redemptions exactly one succeeds,
//! and whoever comes later always finds the grant that the code began, and revokes it (§4.1.2). A code that is
//! presented wrongly is spent as well.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_protocol::oauth;

use super::family::{self, Family};
use super::issue::{Issue, grant_id, issue};
use super::{Caller, TokenResponse};
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, SecretHash, new_secret};
use crate::model::audit::AuditKind;
use crate::model::session::{Code, Grant};
use crate::sessions;
use crate::status_list;
use crate::store::{Expect, StoreError, Write};

/// How many places in the status list are tried for a new family: of a list that is half full, 255 of 256 find one.
const PLACES_TRIED: usize = 8;

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
    let began = Family { shard: shard.clone(), session: session.clone(), id: grant_id(hash.as_str()) };
    let Some(found) = record.get(store).await? else {
        family::end(broker, &began, client.id, AuditKind::CodeReplayed).await?;
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
    let access_end = now + lives.access_token(client.registered.access_token_life);
    let grant = Grant {
        client: code.client,
        scope: code.scope.clone(),
        subject: code.subject.clone(),
        current: SecretHash::of(refresh_secret.expose()),
        previous: None,
        salt: URL_SAFE_NO_PAD.encode(new_secret(random).expose()),
        rotated_at: now,
        expires_at: code.subject.session_ends_at.map_or(end, |session| session.min(end)),
        status: Some(status_list::draw(random, access_end)),
    };
    let Some(grant) = begin(broker, &began, grant, record.delete(Expect::Version(found.version))).await? else {
        // Another redemption was faster, or the session ended meanwhile.
        family::end(broker, &began, client.id, AuditKind::CodeReplayed).await?;
        return Err(refused());
    };
    let tokens = Issue {
        shard: &shard,
        family: hash.as_str().to_owned(),
        grant: &grant,
        scope: code.scope,
        client: client.registered,
        lives,
        refresh_secret,
        now,
        access_end,
        nonce: code.nonce,
    };
    issue(broker, tokens).await
}

/// The code is redeemed by the client it was made for, at its address, by whoever began the login (AZ-7).
fn is_acceptable(code: &Code, client: &str, offer: &Offer<'_>) -> bool {
    code.client == client && code.redirect_uri == offer.redirect_uri && code.code_challenge.matches(offer.code_verifier)
}

/// Spends the code and creates the grant, in one commit; the grant as it was written. `None` when the code is spent or
/// the session over. Two families never have one place in the status list: whoever finds theirs taken draws another.
async fn begin(broker: &Broker, family: &Family, grant: Grant, spend: Write) -> Result<Option<Grant>, Error> {
    let (shard, mut grant) = (&family.shard, grant);
    for _ in 0..PLACES_TRIED {
        let mut writes = vec![spend.clone(), family.record().put_until(&grant, grant.expires_at, Expect::Absent)?];
        writes.extend(sessions::still_live(shard, &grant.subject));
        writes.extend(status_list::hold(shard, &grant)?);
        match broker.platform.store.commit(&shard.partition(), writes).await {
            Ok(_) => return Ok(Some(grant)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        let Some(drawn) = grant.status else { return Ok(None) };
        if !status_list::is_taken(broker, shard, drawn.index).await? {
            return Ok(None);
        }
        grant.status = Some(status_list::draw(&*broker.platform.random, drawn.tokens_end));
    }
    Err(StoreError::Busy("no place in the status list was free".to_owned()).into())
}
