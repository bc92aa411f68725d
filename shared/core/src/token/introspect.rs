//! Introspection (RFC 7662): whether a token counts now. Asked of the store as it is, never of a copy: who was signed
//! out, deactivated or removed a moment ago is not active.

use serde::Serialize;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::client_auth::{ClientAuthMethod, ClientCredentials};
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Timestamp;

use super::Caller;
use super::family::{Family, Shown};
use super::revoke::asked;
use crate::Broker;
use crate::client_auth::{REFUSED, authenticate};
use crate::error::Error;
use crate::model::session::{Gate, Grant, Subject};
use crate::signing;
use crate::store::record;

/// What a client learns of a token (§2.2). Of one that does not count, or is not its own, that it is not active, and
/// nothing else.
#[derive(Debug, Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(flatten)]
    about: Option<About>,
}

#[derive(Debug, Serialize)]
struct About {
    iss: String,
    sub: String,
    client_id: String,
    scope: Scope,
    exp: Timestamp,
    iat: Timestamp,
    tenant: String,
    sid: String,
    /// The rest is said of access tokens only.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

/// The claims of a signed answer (RFC 9701 §5).
#[derive(Serialize)]
struct SignedClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: Timestamp,
    token_introspection: &'a Introspection,
}

/// Answers for the token of a request. A client must prove who it is: one that cannot is told nothing (§2.1).
pub async fn introspect(
    broker: &Broker,
    credentials: &ClientCredentials,
    params: &Params<'_>,
) -> Result<Introspection, Error> {
    let registered = authenticate(broker, credentials).await?;
    if registered.client_auth == ClientAuthMethod::None {
        return Err(REFUSED.into());
    }
    let caller = Caller { id: &credentials.client_id, registered: &registered };
    let about = match Shown::read(broker, asked(params)?).await? {
        Some(shown) => look(broker, caller, shown).await?,
        None => None,
    };
    Ok(Introspection { active: about.is_some(), about })
}

/// The same as a signed token for this client.
pub async fn sign(broker: &Broker, client: &str, answer: &Introspection) -> Result<String, Error> {
    let claims = SignedClaims {
        iss: &broker.config.issuer,
        aud: client,
        iat: broker.platform.clock.now(),
        token_introspection: answer,
    };
    signing::keys(broker).await?.sign(broker, TokenType::Introspection, &claims).await
}

async fn look(broker: &Broker, caller: Caller<'_>, shown: Shown) -> Result<Option<About>, Error> {
    if !caller.serves(broker, &shown.family().shard.tenant).await? {
        return Ok(None);
    }
    let iss = broker.config.issuer.clone();
    match shown {
        Shown::Access(claims, family) => {
            let grant = live_grant(broker, &family, &claims.sub).await?;
            if grant.is_none_or(|grant| grant.client != caller.id) {
                return Ok(None);
            }
            Ok(Some(About {
                iss,
                sub: claims.sub,
                client_id: claims.client_id,
                scope: claims.scope,
                exp: claims.exp,
                iat: claims.iat,
                tenant: claims.tenant,
                sid: claims.sid,
                token_type: Some("Bearer"),
                aud: Some(claims.aud),
                jti: Some(claims.jti),
            }))
        }
        Shown::Refresh(secret, family) => {
            let Some(found) = family.record().get(&*broker.platform.store).await? else { return Ok(None) };
            let grant = live_grant(broker, &family, &found.value.subject.user).await?;
            let Some(grant) = grant.filter(|grant| grant.client == caller.id) else { return Ok(None) };
            // The one before is good until the current one is used: its answer may have been lost.
            let good = grant.current.matches(secret.expose())
                || grant.previous.is_some_and(|previous| previous.matches(secret.expose()));
            let Subject { user, session, tenant, .. } = grant.subject;
            Ok(good.then_some(About {
                iss,
                sub: user,
                client_id: grant.client,
                scope: grant.scope,
                exp: grant.expires_at,
                iat: grant.rotated_at,
                tenant,
                sid: session,
                token_type: None,
                aud: None,
                jti: None,
            }))
        }
    }
}

/// A family's grant, if it counts now: it is there, and so is its session, and the person's gate stands as the session
/// remembers it. One read.
async fn live_grant(broker: &Broker, family: &Family, user: &str) -> Result<Option<Grant>, Error> {
    let Family { shard, session, .. } = family;
    let ids = [
        family.record().id().to_owned(),
        shard.session(user, session).id().to_owned(),
        shard.gate(user).id().to_owned(),
    ];
    let mut found = broker.platform.store.get_many(&shard.partition(), &ids).await?.into_iter().flatten();
    let (Some(grant), Some(_), Some(gate)) = (found.next(), found.next(), found.next()) else { return Ok(None) };
    let grant = record::parse::<Grant>(&grant)?.value;
    let gate = record::parse::<Gate>(&gate)?;
    let counts = gate.value.open && gate.version == grant.subject.gate;
    Ok((counts && grant.subject.user == user).then_some(grant))
}
