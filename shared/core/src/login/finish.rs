//! The second leg: from the identity provider's answer to the application, with a code. The first leg's cookie must be
//! in this browser; what is written is written in one commit of the person's session partition.

use url::Url;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use super::state::LoginState;
use super::upstream::{self, Target, UpstreamCopy};
use super::{Refusal, ReplyAddress};
use crate::Broker;
use crate::directory;
use crate::error::{Error, LoginError};
use crate::handle::{Handle, HandleKind, Locator, SecretHash, new_id, new_secret};
use crate::model::connection::{OidcSettings, Upstream};
use crate::model::effect::{AuditEvent, AuditKind, Effect};
use crate::model::session::{CODE_LIFE, Code, SESSION_LIFE, Session, Subject};
use crate::model::user::User;
use crate::outbox;
use crate::seal::Sealed;
use crate::sessions;
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError};

/// Where the browser goes, and the cookie of its new session.
#[derive(Debug)]
pub struct Finished {
    /// The application's address, with code, `state` and `iss`.
    pub location: Url,
    /// The session's handle.
    pub session: String,
}

/// Finishes a login with the identity provider's answer. `cookie` finds the sealed login of an id.
pub async fn finish(
    broker: &Broker,
    params: &Params<'_>,
    cookie: impl FnOnce(&str) -> Option<Sealed>,
) -> Result<Finished, Refusal> {
    let id = params.get("state").map_err(oauth::Error::from)?.ok_or(LoginError::UnknownLogin)?;
    let login = LoginState::open(broker, id, &cookie(id).ok_or(LoginError::UnknownLogin)?)?;
    let connection = broker.connection(&login.tenant, &login.connection).await?;
    let connection = connection.filter(|found| found.enabled).ok_or(LoginError::ConnectionUnavailable)?;
    let Upstream::Oidc(settings) = &connection.upstream;
    let copy =
        upstream::documents(broker, &Target { tenant: &login.tenant, connection: &login.connection, settings }).await?;
    check_issuer(params, settings, &copy)?;
    if params.get("error").map_err(oauth::Error::from)?.is_some() {
        let refused = oauth::Error::new(ErrorCode::AccessDenied, "the identity provider did not sign the person in");
        return Err(Refusal::Reply(login.reply_address(), refused));
    }
    let code = params.get("code").map_err(oauth::Error::from)?.ok_or(LoginError::UpstreamInvalid("no code"))?;
    let identity = upstream::oidc::identify(broker, &login, settings, code).await?;
    // A person who is deactivated while this runs changes the gate, and the commit fails: look again, then refuse.
    for _ in 0..3 {
        let user = directory::admit(broker, &login, &connection.sign_in, &identity).await?;
        if let Some(finished) = sign_in(broker, &login, user).await? {
            return Ok(finished);
        }
    }
    Err(LoginError::Inactive.into())
}

/// RFC 9207 §2.4: whoever announces that it names itself must do so, and nobody may name somebody else.
fn check_issuer(params: &Params<'_>, settings: &OidcSettings, copy: &UpstreamCopy) -> Result<(), Refusal> {
    match params.get("iss").map_err(oauth::Error::from)? {
        Some(issuer) if issuer == settings.issuer => Ok(()),
        None if !copy.metadata.authorization_response_iss_parameter_supported => Ok(()),
        _ => Err(LoginError::OtherIssuer.into()),
    }
}

/// One commit: the session, the application's code, the audit event, under the condition that the gate stands as
/// found. `None` when it does not.
async fn sign_in(broker: &Broker, login: &LoginState, user: User) -> Result<Option<Finished>, Error> {
    let random = &*broker.platform.random;
    let now = broker.platform.clock.now();
    let tenant = broker.tenant(&login.tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let shard = SessionShard::of_user(&login.tenant, &user.id, tenant.session_shards);
    let gate = sessions::open_gate(broker, &shard, &user.id).await?;
    let subject = Subject {
        tenant: login.tenant.clone(),
        user: user.id,
        session: new_id(random),
        gate,
        auth_time: now,
        profile: user.profile,
    };
    let (session_secret, code_secret) = (new_secret(random), new_secret(random));
    let session_id = subject.session.clone();
    let user_id = subject.user.clone();
    let event = AuditEvent {
        time: now,
        kind: AuditKind::SignedIn,
        user: Some(user_id.clone()),
        connection: Some(login.connection.clone()),
        client: Some(login.client.clone()),
        session: Some(session_id.clone()),
    };
    let session = Session {
        subject: subject.clone(),
        connection: login.connection.clone(),
        secret: SecretHash::of(session_secret.expose()),
    };
    let gate_stands = shard.gate(&user_id).check(Expect::Version(subject.gate.clone()));
    let code = Code {
        client: login.client.clone(),
        redirect_uri: login.redirect_uri.clone(),
        code_challenge: login.code_challenge.clone(),
        nonce: login.client_nonce.clone(),
        scope: login.scope.clone(),
        subject,
    };
    let code_hash = SecretHash::of(code_secret.expose());
    let writes = vec![
        gate_stands,
        shard.session(&user_id, &session_id).put_until(&session, now + SESSION_LIFE, Expect::Absent)?,
        shard.code(code_hash.as_str()).put_until(&code, now + CODE_LIFE, Expect::Absent)?,
        outbox::owe(broker, shard.partition(), &Effect::Audit { tenant: login.tenant.clone(), event })?.write,
    ];
    match broker.platform.store.commit(&shard.partition(), writes).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let locator = |path| Locator { shard: shard.clone(), path };
    let code = Handle { kind: HandleKind::Code, locator: locator(vec![session_id.clone()]), secret: code_secret };
    let cookie =
        Handle { kind: HandleKind::Session, locator: locator(vec![user_id, session_id]), secret: session_secret };
    let location = reply_location(broker, &login.reply_address(), &[("code", &code.to_text())])?;
    Ok(Some(Finished { location, session: cookie.to_text() }))
}

/// The application's address with our answer in its query: `parameters`, its `state`, and our `iss` (RFC 9207).
pub fn reply_location(broker: &Broker, reply: &ReplyAddress, parameters: &[(&str, &str)]) -> Result<Url, Error> {
    let mut location = Url::parse(&reply.redirect_uri).map_err(|_| Error::bug("a registered address is not a URL"))?;
    {
        let mut query = location.query_pairs_mut();
        query.extend_pairs(parameters);
        if let Some(state) = &reply.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &broker.config.issuer);
    }
    Ok(location)
}
