//! Global Token Revocation (draft-parecki-oauth-global-token-revocation), as Okta's Universal Logout sends it: the
//! provider says that nothing which a person has is to count any more.

use serde::Deserialize;
use vestibule_protocol::jose::Compact;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::notice::Notice;
use vestibule_protocol::scim::condition::fold;

use super::received::{NOT_OIDC, check, connection as find_connection, refused, spend};
use crate::Broker;
use crate::directory::{self, Because};
use crate::error::Error;
use crate::model::audit::{AuditKind, Cause};
use crate::model::effect::Effect;
use crate::model::session::EndReason;
use crate::outbox;
use crate::sessions::end;
use crate::store::key;
use crate::upstream::Target;

/// People who can have one address.
const NAMESAKES: usize = 20;

/// What came of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It is done, or the provider is not to know that there was nobody.
    Done,
    /// Nobody here is called so.
    Unknown,
}

/// Whom a revocation is about (RFC 9493 §3.2).
#[derive(Deserialize)]
struct Body {
    sub_id: SubjectId,
}

#[derive(Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
enum SubjectId {
    IssSub { iss: String, sub: String },
    Email { email: String },
}

/// Where a connection's provider sends its revocations. It is the audience of its tokens, too.
pub(crate) fn revocation_uri(broker: &Broker, tenant: &str, connection: &str) -> String {
    format!("{}/oauth2/global-token-revocation/{tenant}/{connection}", broker.config.issuer)
}

/// Ends all sessions of a person whom a connection's provider revokes, through whatever connection they came.
pub async fn revoke(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    bearer: Option<&str>,
    body: &[u8],
) -> Result<Revoked, Error> {
    let found = find_connection(broker, tenant, connection).await?;
    let settings = found.upstream.oidc().ok_or(NOT_OIDC)?;
    let target = Target { tenant, connection, settings };
    let notice = verify(broker, &target, bearer.unwrap_or_default()).await.map_err(unauthorized)?;
    let body: Body = serde_json::from_slice(body)
        .map_err(|_| oauth::Error::invalid_request("the body must have a sub_id of the format iss_sub or email"))?;
    let users = people(broker, &target, &body.sub_id).await?;
    if users.is_empty() {
        return Ok(if found.revocation.hides_unknown { Revoked::Done } else { Revoked::Unknown });
    }
    let (tenant, connection) = (tenant.to_owned(), connection.to_owned());
    let revoke = Effect::Revoke { tenant, connection, users, deactivates: found.revocation.deactivates };
    let owed = spend(broker, &target, &notice, &revoke).await.map_err(unauthorized)?;
    outbox::settle(broker, &owed).await?;
    Ok(Revoked::Done)
}

/// The token is the provider's, for this endpoint, now.
async fn verify(broker: &Broker, target: &Target<'_>, bearer: &str) -> Result<Notice, Error> {
    let parsed = Compact::parse(bearer).map_err(|_| refused(target, "header"))?;
    let known = |typ: &str| ["global-token-revocation+jwt", "JWT"].iter().any(|fine| typ.eq_ignore_ascii_case(fine));
    if !parsed.typ.as_deref().is_none_or(known) {
        return Err(refused(target, "typ"));
    }
    let claims = Claims::parse(&parsed.payload).ok_or_else(|| refused(target, "claims"))?;
    let audience = revocation_uri(broker, target.tenant, target.connection);
    check(broker, target, (&parsed, &claims), &audience).await
}

/// Here the token is what lets the caller in.
fn unauthorized(error: Error) -> Error {
    match error {
        Error::OAuth(error) if error.code == ErrorCode::InvalidRequest => {
            oauth::Error::new(ErrorCode::InvalidToken, "the token is missing or refused").into()
        }
        other => other,
    }
}

/// Who is meant: people who have an identity at this connection's provider, and no others.
async fn people(broker: &Broker, target: &Target<'_>, id: &SubjectId) -> Result<Vec<String>, Error> {
    let store = &*broker.platform.store;
    let Target { tenant, connection, settings } = *target;
    let address = match id {
        SubjectId::IssSub { iss, .. } if !settings.issuers().includes(iss) => return Ok(Vec::new()),
        SubjectId::IssSub { iss, sub } => {
            let link = key::identity(tenant, connection, iss, sub).get(store).await?;
            return Ok(link.into_iter().map(|link| link.value.user).collect());
        }
        SubjectId::Email { email } => fold(email),
    };
    let prefix = key::addresses(&address);
    let found = store.list(&key::directory(tenant), &prefix, None, NAMESAKES).await?;
    let mut people = Vec::new();
    for record in found.records {
        let Some(id) = record.id.strip_prefix(&prefix) else { continue };
        let user = key::user(tenant, id).get(store).await?;
        let theirs = user.is_some_and(|user| user.value.identities.iter().any(|name| name.connection == connection));
        people.extend(theirs.then(|| id.to_owned()));
    }
    Ok(people)
}

/// Ends everything that people have.
pub(crate) async fn revoke_users(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    users: &[String],
    deactivates: bool,
) -> Result<(), Error> {
    for user in users {
        if deactivates {
            let connection = Some(connection.to_owned());
            let because = Because { cause: Cause::Revocation, connection, ..Because::default() };
            directory::decommission(broker, tenant, user, &because, |_| Ok(())).await?;
        } else {
            let (kind, reason) = (AuditKind::SessionsRevoked, EndReason::ProviderNotice);
            end::end_all(broker, tenant, user, kind, reason).await?;
        }
    }
    Ok(())
}
