//! The tokens of a grant, signed. What stands in them beside the protocols' claims is in [`super::claims`].

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::time::Timestamp;

use super::TokenResponse;
use super::claims::{self, AccessClaims, IdClaims};
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, HandleSecret, Locator, new_id};
use crate::model::client::Client;
use crate::model::lifetimes::Lifetimes;
use crate::model::session::Grant;
use crate::signing;
use crate::status_list;
use crate::store::key::SessionShard;

/// Which tokens to make.
pub(super) struct Issue<'a> {
    pub(super) shard: &'a SessionShard,
    /// The family's secret name, in the refresh token only.
    pub(super) family: String,
    pub(super) grant: &'a Grant,
    /// At most the grant's.
    pub(super) scope: Scope,
    pub(super) client: &'a Client,
    /// The tenant's.
    pub(super) lives: Lifetimes,
    pub(super) refresh_secret: HandleSecret,
    /// When the grant was made or turned: lives are counted from one reading of the clock.
    pub(super) now: Timestamp,
    /// When the access token ends: not after what the grant says of the family's last one.
    pub(super) access_end: Timestamp,
    /// For the first ID token of a login.
    pub(super) nonce: Option<String>,
}

/// The id of a family's grant record. The family's name proves that its bearer holds a token of it, so whatever shows
/// outside (the record, `jti`) is a hash of it.
pub(crate) fn grant_id(family: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(family).into();
    let (half, _) = digest.split_at(16);
    URL_SAFE_NO_PAD.encode(half)
}

/// Signs an access token and an ID token, and writes out the refresh token.
pub(super) async fn issue(broker: &Broker, issue: Issue<'_>) -> Result<TokenResponse, Error> {
    let Issue { shard, family, grant, scope, client, lives, refresh_secret, now, access_end, nonce } = issue;
    let subject = &grant.subject;
    let chosen = claims::choose(broker, client, subject, &scope).await?;
    let access = AccessClaims {
        iss: broker.config.issuer.clone(),
        sub: subject.user.clone(),
        aud: grant.client.clone(),
        client_id: grant.client.clone(),
        iat: now,
        exp: access_end,
        jti: format!("{}.{}", grant_id(&family), new_id(&*broker.platform.random)),
        scope: scope.clone(),
        tenant: subject.tenant.clone(),
        sid: subject.session.clone(),
        status: status_list::claim(broker, shard, grant),
        chosen: chosen.access_token,
    };
    let keys = signing::keys(broker).await?;
    let access_token = keys.sign(broker, TokenType::AccessToken, &access).await?;
    let id = IdClaims {
        iss: access.iss,
        sub: access.sub,
        aud: access.aud,
        iat: now,
        exp: now + lives.id_token(),
        auth_time: subject.auth_time,
        method: subject.method.clone(),
        nonce,
        at_hash: keys.token_hash(&access_token),
        tenant: access.tenant,
        sid: access.sid,
        chosen: chosen.id_token,
    };
    let id_token = keys.sign(broker, TokenType::IdToken, &id).await?;
    let locator = Locator { shard: shard.clone(), path: vec![subject.session.clone(), family] };
    let refresh = Handle { kind: HandleKind::Refresh, locator, secret: refresh_secret };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: access_end.seconds() - now.seconds(),
        refresh_token: refresh.to_text(),
        refresh_token_expires_in: grant.expires_at.seconds() - now.seconds(),
        id_token,
        scope: scope.as_str().to_owned(),
    })
}
