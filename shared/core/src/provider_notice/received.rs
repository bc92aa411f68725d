//! A notice as it comes in: read, its signature verified with the keys of the connection's provider, its name spent.

use std::sync::Arc;

use vestibule_protocol::jose::Compact;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::notice::{Expected, LoggedOut, Notice};

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::{ClaimNames, Connection};
use crate::model::effect::{Effect, Over};
use crate::outbox::{self, Owed};
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, StoreError};
use crate::upstream::{Target, documents, verify_signature};

const NO_CONNECTION: oauth::Error = oauth::Error::invalid_request("there is no such connection");
/// Its provider signs no tokens.
pub(super) const NOT_OIDC: oauth::Error = oauth::Error::invalid_request("the connection does not speak OpenID Connect");
const REFUSED: oauth::Error = oauth::Error::invalid_request("the token is refused");
const REPLAYED: oauth::Error = oauth::Error::invalid_request("the token was used before");
const UNAVAILABLE: oauth::Error =
    oauth::Error::new(ErrorCode::TemporarilyUnavailable, "the identity provider's keys cannot be reached");

/// Ends what a logout token of a connection's provider says is over (OpenID Connect Back-Channel Logout 1.0 §2.6): one
/// session, or all of a person through this connection. That nobody has such a session is no error.
pub async fn logout_token(broker: &Broker, tenant: &str, connection: &str, token: &str) -> Result<(), Error> {
    let found = self::connection(broker, tenant, connection).await?;
    let settings = found.upstream.oidc().ok_or(NOT_OIDC)?;
    let target = Target { tenant, connection, settings };
    let parsed = Compact::parse(token).map_err(|_| refused(&target, "header"))?;
    let claims = Claims::parse(&parsed.payload).ok_or_else(|| refused(&target, "claims"))?;
    let about = LoggedOut::read(parsed.typ.as_deref(), &claims).map_err(|rule| refused(&target, rule))?;
    let notice = check(broker, &target, (&parsed, &claims), settings.audience()).await?;
    let over = Over {
        issuer: notice.issuer.clone(),
        subject: about.subject,
        is_identity: settings.claims.unique_id == ClaimNames::default().unique_id,
        sid: about.session,
    };
    let (tenant, connection) = (tenant.to_owned(), connection.to_owned());
    let end = Effect::EndProviderSessions { tenant, connection, over, shard: 0 };
    let owed = spend(broker, &target, &notice, &end).await?;
    outbox::settle(broker, &owed).await
}

/// The connection, enabled or not: whoever may not sign in through it may still be signed out.
pub(super) async fn connection(broker: &Broker, tenant: &str, connection: &str) -> Result<Arc<Connection>, Error> {
    Ok(broker.connection(tenant, connection).await?.ok_or(NO_CONNECTION)?)
}

/// Refuses a token. The log says which rule it breaks, whoever sent it does not learn.
pub(super) fn refused(target: &Target<'_>, rule: &'static str) -> Error {
    tracing::info!(tenant.id = target.tenant, connection.id = target.connection, rule, "provider_notice.refused");
    REFUSED.into()
}

/// The notice is the provider's, for `audience`, now. Claims first: a stranger makes us ask nobody.
pub(super) async fn check(
    broker: &Broker,
    target: &Target<'_>,
    (parsed, claims): (&Compact<'_>, &Claims),
    audience: &str,
) -> Result<Notice, Error> {
    let (issuers, skew) = (target.settings.issuers(), target.settings.skew);
    let expected = Expected { issuers, audience, skew, now: broker.platform.clock.now() };
    let notice = expected.check(claims).map_err(|rule| refused(target, rule))?;
    let signed = async { verify_signature(broker, target, documents(broker, target).await?, parsed).await };
    match signed.await {
        Ok(true) => Ok(notice),
        Ok(false) => Err(refused(target, "signature")),
        Err(Error::Login(LoginError::UpstreamUnavailable(reason))) => {
            tracing::warn!(
                tenant.id = target.tenant,
                connection.id = target.connection,
                reason,
                "provider_notice.no_keys"
            );
            Err(UNAVAILABLE.into())
        }
        Err(error) => Err(error),
    }
}

/// Spends a notice's name, and owes in the same commit what follows from it.
pub(super) async fn spend(
    broker: &Broker,
    target: &Target<'_>,
    notice: &Notice,
    effect: &Effect,
) -> Result<Owed, Error> {
    let store = &*broker.platform.store;
    let tenant = key::tenant(target.tenant).get(store).await?.ok_or(NO_CONNECTION)?;
    let shards = tenant.value.session_shards;
    let (shard, used) = SessionShard::of_notice(target.tenant, target.connection, &notice.name, shards);
    let owed = outbox::owe(broker, shard.partition(), effect)?;
    let writes = vec![used.put_until(&(), notice.until, Expect::Absent)?, owed.write.clone()];
    match store.commit(used.partition(), writes).await {
        Ok(_) => Ok(owed),
        Err(StoreError::Conflict) => {
            tracing::warn!(tenant.id = target.tenant, connection.id = target.connection, "provider_notice.replayed");
            Err(REPLAYED.into())
        }
        Err(error) => Err(error.into()),
    }
}
