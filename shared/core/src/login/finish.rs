//! The second leg: from the identity provider's answer to a person who is known. The first leg's cookie must be in this
//! browser. What follows is in [`super::complete`].

use vestibule_protocol::oauth::prompt::is_too_old;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::oidc::added_claims::AddedClaims;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Seconds;

use super::Refusal;
use super::checkpoint::{Passage, pass};
use super::resume::login_required;
use super::state::LoginState;
use crate::Broker;
use crate::directory;
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::model::connection::{Connection, OidcSettings, ResponseMode};
use crate::model::pending::PendingSignIn;
use crate::model::session::{Code, Subject};
use crate::model::user::User;
use crate::provider_notice;
use crate::seal::Sealed;
use crate::sessions;
use crate::store::key::SessionShard;
use crate::sync;
use crate::upstream::oidc::Identity;
use crate::upstream::{self, Target, UpstreamCopy};

/// How far a provider's clock may be behind ours where it dates a login.
const CLOCK_LEEWAY: Seconds = Seconds(60);

/// Finishes a login with the identity provider's answer, which came in this way. `cookie` finds the sealed login of an
/// id, `session` is the handle of the session that the browser has had until now.
pub async fn finish(
    broker: &Broker,
    params: &Params<'_>,
    came_by: ResponseMode,
    cookie: impl FnOnce(&str) -> Option<Sealed>,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let id = params.get("state").map_err(oauth::Error::from)?.ok_or(LoginError::UnknownLogin)?;
    let login = LoginState::open(broker, id, &cookie(id).ok_or(LoginError::UnknownLogin)?)?;
    // A code that was to come in a form is in no address, and one that was to come in an address is in nobody's form:
    // whoever has it otherwise did not get it as we asked.
    if login.response_mode != came_by {
        return Err(LoginError::UpstreamInvalid("an answer in another response mode").into());
    }
    let connection = broker.connection(&login.tenant, &login.connection).await?;
    let connection = connection.filter(|found| found.enabled).ok_or(LoginError::ConnectionUnavailable)?;
    let settings = connection.upstream.oidc().ok_or(LoginError::ConnectionUnavailable)?;
    let copy =
        upstream::documents(broker, &Target { tenant: &login.tenant, connection: &login.connection, settings }).await?;
    check_issuer(params, settings, &copy)?;
    if params.get("error").map_err(oauth::Error::from)?.is_some() {
        let refused = oauth::Error::new(ErrorCode::AccessDenied, "the identity provider did not sign the person in");
        return Err(Refusal::Reply(login.reply_address(), refused));
    }
    let code = params.get("code").map_err(oauth::Error::from)?.ok_or(LoginError::UpstreamInvalid("no code"))?;
    let identity = upstream::oidc::identify(broker, &login, settings, code).await?;
    if let Err(error) = is_recent(&login, &identity).and_then(|()| is_strong(&login, &identity)) {
        return Err(Refusal::Reply(login.reply_address(), error));
    }
    // A person who is deactivated while this runs changes the gate, and the commit fails: look again, then refuse.
    for _ in 0..3 {
        let user = directory::admit(broker, &login, &connection.sign_in, &identity).await?;
        if login.expected_user.as_ref().is_some_and(|expected| *expected != user.id) {
            return Err(Refusal::Reply(login.reply_address(), login_required()));
        }
        let pending = arrived(broker, &login, &connection, &identity, user).await?;
        if let Some(passage) = pass(broker, pending, session, false).await? {
            return Ok(passage);
        }
    }
    Err(LoginError::Inactive.into())
}

/// A provider that was asked for a recent login must say when it was (OpenID Connect Core §3.1.3.7, rules 11 and 13).
/// A login that it does not date counts as one too old: we would have to invent `auth_time`.
fn is_recent(login: &LoginState, identity: &Identity) -> Result<(), oauth::Error> {
    let Some(max_age) = login.max_age else { return Ok(()) };
    let recent = identity.auth_time.is_some_and(|at| !is_too_old(at + CLOCK_LEEWAY, Some(max_age), login.started_at));
    let description = "the identity provider did not show that the person signed in recently enough";
    if recent { Ok(()) } else { Err(oauth::Error::new(ErrorCode::LoginRequired, description)) }
}

/// A class that the application made a condition must be the login's (OpenID Connect Core §5.5.1.1).
fn is_strong(login: &LoginState, identity: &Identity) -> Result<(), oauth::Error> {
    let met = login.condition.as_ref().is_none_or(|condition| condition.are_met_by(identity.method.acr.as_deref()));
    let description = "the identity provider did not show that the person signed in as strongly as was asked for";
    if met { Ok(()) } else { Err(oauth::Error::new(ErrorCode::UnmetAuthenticationRequirements, description)) }
}

/// RFC 9207 §2.4: whoever announces that it names itself must do so, and nobody may name somebody else.
pub(super) fn check_issuer(params: &Params<'_>, settings: &OidcSettings, copy: &UpstreamCopy) -> Result<(), Error> {
    match params.get("iss").map_err(oauth::Error::from)? {
        Some(issuer) if settings.issuers().includes(issuer) => Ok(()),
        None if !copy.metadata.authorization_response_iss_parameter_supported => Ok(()),
        _ => Err(LoginError::OtherIssuer.into()),
    }
}

/// What the application will get, for a person who was let in by the directory.
async fn arrived(
    broker: &Broker,
    login: &LoginState,
    connection: &Connection,
    identity: &Identity,
    user: User,
) -> Result<PendingSignIn, Error> {
    let now = broker.platform.clock.now();
    let tenant = broker.tenant(&login.tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let shard = SessionShard::of_user(&login.tenant, &user.id, tenant.session_shards);
    let (gate, era) = sessions::open_gate(broker, &shard, &user.id).await?;
    let session = new_id(&*broker.platform.random);
    let watch = sync::watch(broker, login, connection, identity, (&user.id, &session))?;
    let life = if watch.is_some() { tenant.lifetimes.session() } else { tenant.lifetimes.session_unwatched() };
    let subject = Subject {
        tenant: login.tenant.clone(),
        user: user.id,
        session,
        session_ends_at: Some(now + life),
        idle_life: tenant.lifetimes.session_idle,
        gate,
        // A provider may sign in from a session of its own; its clock may be ahead of ours.
        auth_time: identity.auth_time.map_or(now, |at| at.min(now)),
        method: identity.method.clone(),
        profile: user.profile,
        connection: Some(login.connection.clone()),
        justification: None,
        claims: AddedClaims::default(),
        checkpoint_passed_at: None,
    };
    let code = Code {
        client: login.client.clone(),
        redirect_uri: login.redirect_uri.clone(),
        code_challenge: login.code_challenge.clone(),
        nonce: login.client_nonce.clone(),
        scope: login.scope.clone(),
        subject,
    };
    Ok(PendingSignIn {
        provider: provider_notice::remember(identity, &code.subject.user),
        code,
        state: login.state.clone(),
        connection: login.connection.clone(),
        relayed: login.relayed,
        began_at: login.started_at,
        continues: false,
        era,
        justification: None,
        passed: false,
        watch,
        saml: None,
    })
}
