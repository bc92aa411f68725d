//! From what a provider proved to a person who is let in, whatever protocol it spoke.

use vestibule_protocol::oauth::prompt::is_too_old;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::oidc::added_claims::AddedClaims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::Refusal;
use super::checkpoint::{Passage, pass};
use super::complete::Beginning;
use super::resume::login_required;
use super::state::LoginState;
use crate::Broker;
use crate::directory::{self, Arrival};
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::model::connection::Connection;
use crate::model::pending::PendingSignIn;
use crate::model::saml::SamlName;
use crate::model::session::{Code, Subject};
use crate::model::user::User;
use crate::provider_notice;
use crate::sessions;
use crate::store::key::SessionShard;
use crate::sync;
use crate::upstream::oidc::Identity;

/// How far a provider's clock may be behind ours where it dates a login.
const CLOCK_LEEWAY: Seconds = Seconds(60);

/// Whom a provider says that somebody is, verified.
pub(super) struct Proven {
    pub(super) identity: Identity,
    /// Until when it vouches for the session, if it says so.
    pub(super) ends: Option<Timestamp>,
    /// What it calls the person and the session, if it speaks SAML.
    pub(super) saml: Option<SamlName>,
}

/// Lets somebody in who came back to a login, or keeps them at the tenant's checkpoint. `session` is the handle of the
/// session that the browser has had until now.
pub(super) async fn let_in(
    broker: &Broker,
    login: &LoginState,
    connection: &Connection,
    proven: &Proven,
    session: Option<&str>,
) -> Result<Passage, Refusal> {
    let identity = &proven.identity;
    if let Err(error) = is_recent(login, identity).and_then(|()| is_strong(login, identity)) {
        return Err(Refusal::Reply(login.reply_address(), error));
    }
    let arrival = Arrival {
        tenant: &login.tenant,
        connection: &login.connection,
        client: Some(&login.client),
        invitation: login.invitation.as_deref(),
        sign_in: &connection.sign_in,
        identity,
    };
    // A person who is deactivated while this runs changes the gate, and the commit fails: look again, then refuse.
    for _ in 0..3 {
        let user = directory::admit(broker, arrival).await?;
        if login.expected_user.as_ref().is_some_and(|expected| *expected != user.id) {
            return Err(Refusal::Reply(login.reply_address(), login_required()));
        }
        let beginning = begin(broker, (&login.tenant, &login.connection, connection), proven, user).await?;
        if let Some(passage) = pass(broker, pending(login, beginning), session, false).await? {
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

/// The session of a person whom the directory let in.
pub(super) async fn begin(
    broker: &Broker,
    (tenant, id, connection): (&str, &str, &Connection),
    proven: &Proven,
    user: User,
) -> Result<Beginning, Error> {
    let (now, identity) = (broker.platform.clock.now(), &proven.identity);
    let settings = broker.tenant(tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let shard = SessionShard::of_user(tenant, &user.id, settings.session_shards);
    let (gate, era) = sessions::open_gate(broker, &shard, &user.id).await?;
    let session = new_id(&*broker.platform.random);
    let watch = sync::watch(broker, (tenant, id, connection), identity, (&user.id, &session))?;
    let life = if watch.is_some() { settings.lifetimes.session() } else { settings.lifetimes.session_unwatched() };
    let end = now + life;
    let subject = Subject {
        tenant: tenant.to_owned(),
        user: user.id,
        session,
        session_ends_at: Some(proven.ends.map_or(end, |until| end.min(until))),
        idle_life: settings.lifetimes.session_idle,
        gate,
        // A provider may sign in from a session of its own; its clock may be ahead of ours.
        auth_time: identity.auth_time.map_or(now, |at| at.min(now)),
        method: identity.method.clone(),
        profile: user.profile,
        connection: Some(id.to_owned()),
        justification: None,
        claims: AddedClaims::default(),
        checkpoint_passed_at: None,
    };
    let provider = provider_notice::remember(identity, &subject.user);
    Ok(Beginning { subject, connection: id.to_owned(), era, provider, saml: proven.saml.clone(), watch })
}

/// What the application will get.
fn pending(login: &LoginState, beginning: Beginning) -> PendingSignIn {
    let Beginning { subject, connection, era, provider, saml, watch } = beginning;
    let code = Code {
        client: login.client.clone(),
        redirect_uri: login.redirect_uri.clone(),
        code_challenge: login.code_challenge.clone(),
        nonce: login.client_nonce.clone(),
        scope: login.scope.clone(),
        subject,
    };
    PendingSignIn {
        code,
        state: login.state.clone(),
        connection,
        relayed: login.relayed,
        began_at: login.started_at,
        continues: false,
        era,
        provider,
        saml,
        justification: None,
        passed: false,
        watch,
    }
}
