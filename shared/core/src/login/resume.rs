//! A login without the identity provider: the browser's session vouches for the person, for as long as it lives.
//!
//! One read and one commit, both in the session's partition. The commit holds only if the session is there and its
//! person's gate stands as remembered, so nothing that ended a session is overtaken.

use url::Url;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::authorize::AuthorizationRequest;
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::oauth::prompt::{Prompt, is_too_old};
use vestibule_protocol::oauth::{self, ErrorCode};

use super::code::new_code;
use super::complete::code_location;
use super::start::Asking;
use crate::Broker;
use crate::error::Error;
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::session::{Code, Session, Subject};
use crate::store::StoreError;
use crate::store::key::SessionShard;
use crate::token::IdClaims;
use crate::{outbox, sessions, signing};

/// The person that `id_token_hint` is about (OpenID Connect Core §3.1.2.1). Expired or not, it must be one of ours.
pub(super) struct Hinted {
    pub(super) tenant: String,
    pub(super) user: String,
}

/// Reads the request's `id_token_hint`; the inner error is the application's.
pub(super) async fn hinted(
    broker: &Broker,
    request: &AuthorizationRequest,
) -> Result<Result<Option<Hinted>, oauth::Error>, Error> {
    let Some(hint) = &request.id_token_hint else { return Ok(Ok(None)) };
    let claims: Option<IdClaims> = signing::verify(broker, TokenType::IdToken, hint).await?;
    let ours = claims.filter(|claims| claims.iss == broker.config.issuer);
    Ok(match ours {
        Some(claims) => Ok(Some(Hinted { tenant: claims.tenant, user: claims.sub })),
        None => Err(oauth::Error::invalid_request("id_token_hint is not an ID token of this issuer")),
    })
}

/// Where the application gets its code, if the browser's session does for this request. `None` when the person has to
/// go to their identity provider.
pub(super) async fn resume(
    broker: &Broker,
    asking: &Asking<'_>,
    hinted: Option<&Hinted>,
    cookie: Option<&str>,
) -> Result<Option<Url>, Error> {
    let request = asking.request;
    if matches!(request.prompt, Prompt::Ask(_)) || could_be_anybody(asking) {
        return Ok(None);
    }
    let Some((shard, session)) = sessions::of_cookie(broker, cookie).await? else { return Ok(None) };
    let now = broker.platform.clock.now();
    let subject = &session.subject;
    let fits = !is_too_old(subject.auth_time, request.max_age, now)
        && hinted.is_none_or(|hinted| hinted.tenant == subject.tenant && hinted.user == subject.user)
        && is_named(subject, request.login_hint.as_deref())
        && is_for(broker, asking, &session).await?;
    if fits { give_code(broker, asking, &shard, session).await } else { Ok(None) }
}

/// A public client at an address that any program on the device may claim is not known to be itself, so nothing is
/// given to it without the person seeing it (RFC 8252 §8.6).
fn could_be_anybody(asking: &Asking<'_>) -> bool {
    asking.client.client_auth == ClientAuthMethod::None && !asking.reply.redirect_uri.starts_with("https://")
}

/// Whether a hint, if there is one, names this person. Another name means that somebody else wants to sign in.
fn is_named(subject: &Subject, hint: Option<&str>) -> bool {
    let names = [subject.profile.email.as_deref(), subject.profile.preferred_username.as_deref()];
    hint.is_none_or(|hint| names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(hint)))
}

/// Whether the session's tenant and connection are ones that the request allows and that still count.
async fn is_for(broker: &Broker, asking: &Asking<'_>, session: &Session) -> Result<bool, Error> {
    let (request, tenant) = (asking.request, session.subject.tenant.as_str());
    let asked = request.tenant.as_deref().is_none_or(|asked| asked == tenant)
        && request.connection.as_deref().is_none_or(|asked| asked == session.connection)
        && asking.client.serves(tenant);
    if !asked || broker.tenant(tenant).await?.is_none() {
        return Ok(false);
    }
    Ok(broker.connection(tenant, &session.connection).await?.is_some_and(|connection| connection.enabled))
}

async fn give_code(
    broker: &Broker,
    asking: &Asking<'_>,
    shard: &SessionShard,
    session: Session,
) -> Result<Option<Url>, Error> {
    let Asking { client_id, reply, request, .. } = *asking;
    let subject = session.subject;
    let event = AuditEvent {
        time: broker.platform.clock.now(),
        kind: AuditKind::SessionContinued,
        user: Some(subject.user.clone()),
        connection: Some(session.connection),
        client: Some(client_id.to_owned()),
        session: Some(subject.session.clone()),
    };
    let audit = Effect::Audit { tenant: subject.tenant.clone(), event };
    let mut writes = sessions::still_live(shard, &subject).to_vec();
    let code = Code {
        client: client_id.to_owned(),
        redirect_uri: reply.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        subject,
    };
    let code = new_code(broker, shard, &code)?;
    writes.extend([code.write, outbox::owe(broker, shard.partition(), &audit)?.write]);
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(()) => Ok(Some(code_location(broker, reply, asking.client.relay.is_some(), &code.text)?)),
        // It ended since it was read, or its person's sessions did.
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What an application is told when the person would have to be asked.
pub(super) const fn login_required() -> oauth::Error {
    oauth::Error::new(ErrorCode::LoginRequired, "the person has to sign in")
}
