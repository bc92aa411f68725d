//! A login without the identity provider: the browser's session vouches for the person, for as long as it lives.
//!
//! One read and one commit, both in the session's partition. The commit holds only if the session is there and its
//! person's gate stands as remembered, so nothing that ended a session is overtaken.

use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::authorize::AuthorizationRequest;
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::oauth::prompt::{Prompt, is_too_old};
use vestibule_protocol::oauth::{self, ErrorCode};

use super::Refusal;
use super::checkpoint::{Passage, pass};
use super::start::Asking;
use crate::Broker;
use crate::error::Error;
use crate::model::pending::PendingSignIn;
use crate::model::session::{Code, SeenEra, Session, Subject};
use crate::token::IdClaims;
use crate::{sessions, signing};

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

/// How the browser's session signs the person in, if it does for this request. `None` when the person has to go to their
/// identity provider.
pub(super) async fn resume(
    broker: &Broker,
    asking: &Asking<'_>,
    hinted: Option<&Hinted>,
    cookie: Option<&str>,
) -> Result<Option<Passage>, Refusal> {
    let request = asking.request;
    if matches!(request.prompt, Prompt::Ask(_)) || could_be_anybody(asking) {
        return Ok(None);
    }
    let Some((_, session)) = sessions::of_cookie(broker, cookie).await? else { return Ok(None) };
    let now = broker.platform.clock.now();
    let subject = &session.subject;
    let fits = !is_too_old(subject.auth_time, request.max_age, now)
        && hinted.is_none_or(|hinted| hinted.tenant == subject.tenant && hinted.user == subject.user)
        && request.classes.are_met_by(subject.method.acr.as_deref())
        && is_named(subject, request.login_hint.as_deref())
        && is_for(broker, asking, &session).await?;
    if !fits {
        return Ok(None);
    }
    pass(broker, continued(broker, asking, session), cookie, request.prompt == Prompt::None).await
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

/// What the application will get in this session.
fn continued(broker: &Broker, asking: &Asking<'_>, session: Session) -> PendingSignIn {
    let Asking { client_id, reply, request, .. } = *asking;
    let code = Code {
        client: client_id.to_owned(),
        redirect_uri: reply.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        scope: request.scope.clone(),
        subject: session.subject,
    };
    PendingSignIn {
        code,
        state: reply.state.clone(),
        connection: session.connection,
        relayed: asking.client.relay.is_some(),
        began_at: broker.platform.clock.now(),
        continues: true,
        era: SeenEra::default(),
        provider: None,
        justification: None,
        passed: false,
        watch: None,
        saml: None,
    }
}

/// What an application is told when the person would have to be asked.
pub(super) const fn login_required() -> oauth::Error {
    oauth::Error::new(ErrorCode::LoginRequired, "the person has to sign in")
}
