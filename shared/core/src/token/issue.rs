//! The tokens of a grant: what stands in them, and how they are signed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::added_claims::AddedClaims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::TokenResponse;
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, HandleSecret, Locator, new_id};
use crate::model::session::{AuthenticationMethod, Grant};
use crate::model::user::Profile;
use crate::signing;
use crate::store::key::SessionShard;

/// An ID token's life. It says who signed in; it opens nothing.
const ID_TOKEN_LIFE: Seconds = Seconds(3_600);

/// The claims of an access token (RFC 9068 §2.2), with `tenant` and `sid` beside them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) client_id: String,
    pub(crate) iat: Timestamp,
    pub(crate) exp: Timestamp,
    /// `grant.random`: the grant that it came from can be found again.
    pub(crate) jti: String,
    pub(crate) scope: Scope,
    pub(crate) tenant: String,
    pub(crate) sid: String,
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IdClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) iat: Timestamp,
    pub(crate) exp: Timestamp,
    pub(crate) auth_time: Timestamp,
    #[serde(flatten)]
    pub(crate) method: AuthenticationMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    pub(crate) at_hash: String,
    pub(crate) tenant: String,
    pub(crate) sid: String,
    #[serde(flatten)]
    pub(crate) profile: Profile,
    /// None of these has the name of one above.
    #[serde(flatten, skip_deserializing)]
    pub(crate) added: AddedClaims,
}

/// Which tokens to make.
pub(super) struct Issue<'a> {
    pub(super) shard: &'a SessionShard,
    /// The family's secret name, in the refresh token only.
    pub(super) family: String,
    pub(super) grant: &'a Grant,
    /// At most the grant's.
    pub(super) scope: Scope,
    /// The client's.
    pub(super) access_token_life: Seconds,
    pub(super) refresh_secret: HandleSecret,
    /// When the grant was made or turned: lives are counted from one reading of the clock.
    pub(super) now: Timestamp,
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
    let Issue { shard, family, grant, scope, access_token_life, refresh_secret, now, nonce } = issue;
    let subject = &grant.subject;
    let access = AccessClaims {
        iss: broker.config.issuer.clone(),
        sub: subject.user.clone(),
        aud: grant.client.clone(),
        client_id: grant.client.clone(),
        iat: now,
        exp: now + access_token_life,
        jti: format!("{}.{}", grant_id(&family), new_id(&*broker.platform.random)),
        scope: scope.clone(),
        tenant: subject.tenant.clone(),
        sid: subject.session.clone(),
    };
    let keys = signing::keys(broker).await?;
    let access_token = keys.sign(broker, TokenType::AccessToken, &access).await?;
    let id = IdClaims {
        iss: access.iss,
        sub: access.sub,
        aud: access.aud,
        iat: now,
        exp: now + ID_TOKEN_LIFE,
        auth_time: subject.auth_time,
        method: subject.method.clone(),
        nonce,
        at_hash: keys.token_hash(&access_token),
        tenant: access.tenant,
        sid: access.sid,
        profile: subject.profile.visible_to(&scope),
        added: subject.claims.clone(),
    };
    let id_token = keys.sign(broker, TokenType::IdToken, &id).await?;
    let locator = Locator { shard: shard.clone(), path: vec![subject.session.clone(), family] };
    let refresh = Handle { kind: HandleKind::Refresh, locator, secret: refresh_secret };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: access_token_life.0,
        refresh_token: refresh.to_text(),
        refresh_token_expires_in: grant.expires_at.seconds() - now.seconds(),
        id_token,
        scope: scope.as_str().to_owned(),
    })
}
