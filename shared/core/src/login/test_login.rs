//! A test login: an administrator's link leads to a connection's provider and back, and what the provider said is shown.
//! Nobody is created and nobody is signed in.
//!
//! It shares with a login what is asked of the provider and how the answer is checked, and nothing else: its cookie has a
//! name of its own and is sealed for a purpose of its own, so that neither ever passes for the other. The connection is
//! read from the store, so that what was just set is what is tested; it may be disabled.

mod outcome;

use serde::{Deserialize, Serialize};
use serde_json::Map;
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::acr::Classes;
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::shown_claims::shown;
use vestibule_protocol::params::Params;
use vestibule_protocol::saml::{Refused, failure};
use vestibule_protocol::time::Timestamp;

pub(crate) use self::outcome::claims;
use self::outcome::{reason, record, registered, seal};
use super::depart::{Departure, Wishes, depart};
use super::finish::check_issuer;
use super::posted::message;
use super::start::Started;
use super::state::{LOGIN_LIFE, Proof};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::{TenantHandle, TenantHandleKind};
use crate::model::connection::{ResponseMode, Upstream};
use crate::model::test_login::{Outcome, TestClaims, TestLogin};
use crate::saml::response::assertion;
use crate::saml::start::request_id;
use crate::saml::{self, person};
use crate::seal::{Purpose, Sealed};
use crate::store::key;
use crate::upstream::oidc::{self, Answer};
use crate::upstream::{Target, documents};

/// What becomes of a link that somebody follows.
#[derive(Debug)]
pub enum Start {
    /// They go to the provider.
    ToProvider(Started),
    /// They are shown why not.
    Ended(Shown),
}

/// What somebody who follows the link, or comes back from the provider, is shown.
#[derive(Debug)]
pub enum Shown {
    /// The link is used up, over, or none of ours.
    Over,
    /// It did not work: why, in words.
    Failed(String),
    /// What the provider said.
    Claims(TestClaims),
}

/// What the callback must know again.
#[derive(Debug, Serialize, Deserialize)]
struct TestState {
    tenant: String,
    /// Which test login.
    test: String,
    connection: String,
    proof: Proof,
    started_at: Timestamp,
}

/// Where such a link leads.
pub(crate) fn link(broker: &Broker, handle: &TenantHandle) -> String {
    format!("{}/oauth2/test-login/{}", broker.config.issuer, handle.to_text())
}

/// Follows a link. It works once, whatever comes of it.
pub async fn start(broker: &Broker, handle: &str) -> Result<Start, Error> {
    let over = Start::Ended(Shown::Over);
    let Some(handle) = TenantHandle::parse(TenantHandleKind::TestLogin, handle) else { return Ok(over) };
    let found = key::test_login(&handle.tenant, &handle.id).get(&*broker.platform.store).await?;
    let fresh = |test: &TestLogin| test.outcome == Outcome::Waiting && test.secret.matches(handle.secret.expose());
    let Some(found) = found.filter(|found| fresh(&found.value)) else { return Ok(over) };
    let (tenant, test) = (handle.tenant, handle.id);
    let (outcome, answer) = match go(broker, (&tenant, &test), &found.value.connection).await {
        Ok(started) => (Outcome::Started, Start::ToProvider(started)),
        Err(error) => {
            let reason = reason(&error).ok_or(error)?;
            (Outcome::Failed { reason: reason.clone() }, Start::Ended(Shown::Failed(reason)))
        }
    };
    // Of several who follow it at once, whoever commits goes on.
    let first = record(broker, (&tenant, &test), found, outcome).await?;
    Ok(if first { answer } else { over })
}

/// Seals the test login, and sends the browser to the provider: asked as for a login, of nobody in particular.
async fn go(broker: &Broker, (tenant, test): (&str, &str), connection: &str) -> Result<Started, Error> {
    let classes = Classes::default();
    let wishes = Wishes { login_hint: None, prompt: &Prompt::AsNeeded, max_age: None, classes: &classes };
    let upstream = upstream(broker, tenant, connection).await?;
    let Departure { id, proof, sending } = depart(broker, (tenant, connection), &upstream, wishes).await?;
    let state = TestState {
        tenant: tenant.to_owned(),
        test: test.to_owned(),
        connection: connection.to_owned(),
        proof,
        started_at: broker.platform.clock.now(),
    };
    let plain = serde_json::to_vec(&state).map_err(|_| Error::bug("a test login does not serialize"))?;
    let cookie = broker.sealer.seal(&*broker.platform.random, Purpose::TestCookie, &id, &plain)?;
    Ok(Started { sending, id, cookie, response_mode: state.proof.response_mode() })
}

/// The connection as it is now.
async fn upstream(broker: &Broker, tenant: &str, connection: &str) -> Result<Upstream, Error> {
    let found = key::connection(tenant, connection).get(&*broker.platform.store).await?;
    Ok(found.ok_or(LoginError::ConnectionUnavailable)?.value.upstream)
}

impl TestState {
    /// Opens the test login of this id.
    fn open(broker: &Broker, id: &str, sealed: &Sealed) -> Option<Self> {
        let plain = broker.sealer.open(Purpose::TestCookie, id, sealed).ok()?;
        let state: Self = serde_json::from_slice(&plain).ok()?;
        (!(state.started_at + LOGIN_LIFE).has_passed(broker.platform.clock.now())).then_some(state)
    }
}

/// Where an answer came to, and how.
#[derive(Clone, Copy)]
pub enum Came<'a> {
    /// To the callback.
    Callback(ResponseMode),
    /// To the assertion consumer service of this tenant and connection.
    Posted(&'a str, &'a str),
}

/// Takes the provider's answer. `sealed` is the cookie of the test login of the id that came with it.
pub async fn finish(
    broker: &Broker,
    params: &Params<'_>,
    came: Came<'_>,
    (id, sealed): (&str, &Sealed),
) -> Result<Shown, Error> {
    let Some(state) = TestState::open(broker, id, sealed) else { return Ok(Shown::Over) };
    let found = key::test_login(&state.tenant, &state.test).get(&*broker.platform.store).await?;
    let Some(found) = found.filter(|found| found.value.outcome == Outcome::Started) else { return Ok(Shown::Over) };
    let name = (state.tenant.as_str(), state.test.as_str());
    let (outcome, shown) = match heard(broker, (id, &state), params, came).await {
        Ok(claims) => (Outcome::Done { claims: seal(broker, name, &claims)? }, Shown::Claims(claims)),
        Err(error) => {
            let reason = reason(&error).ok_or(error)?;
            (Outcome::Failed { reason: reason.clone() }, Shown::Failed(reason))
        }
    };
    tracing::info!(tenant.id = state.tenant, connection.id = state.connection, "test_login.finished");
    let first = record(broker, name, found, outcome).await?;
    Ok(if first { shown } else { Shown::Over })
}

/// What the provider says: checked as the answer to a login is.
async fn heard(
    broker: &Broker,
    (id, state): (&str, &TestState),
    params: &Params<'_>,
    came: Came<'_>,
) -> Result<TestClaims, Error> {
    let (tenant, connection) = (state.tenant.as_str(), state.connection.as_str());
    match (&state.proof, came, upstream(broker, tenant, connection).await?) {
        (Proof::Oidc { response_mode, .. }, Came::Callback(came_by), _) if *response_mode != came_by => {
            Err(LoginError::UpstreamInvalid("an answer in another response mode").into())
        }
        (Proof::Oidc { verifier, nonce, .. }, Came::Callback(_), Upstream::Oidc(settings)) => {
            let target = Target { tenant, connection, settings: &settings };
            check_issuer(params, &settings, &*documents(broker, &target).await?)?;
            if let Some(code) = params.get("error").map_err(oauth::Error::from)? {
                return Err(LoginError::UpstreamDenied(registered(code)).into());
            }
            let code = params.get("code").map_err(oauth::Error::from)?.ok_or(LoginError::UpstreamInvalid("no code"))?;
            let (id_token, userinfo) = oidc::claims(broker, &Answer { target, verifier, nonce, code }).await?;
            Ok(TestClaims { id_token: shown(&id_token), userinfo: userinfo.as_ref().map(shown), assertion: None })
        }
        (Proof::Saml, Came::Posted(by_tenant, by), Upstream::Saml(settings))
            if (by_tenant, by) == (tenant, connection) =>
        {
            let target = saml::Target { tenant, connection, settings: &settings };
            let assertion = Some(shown(&asserted(broker, &target, &request_id(id), params).await?));
            Ok(TestClaims { id_token: Map::new(), userinfo: None, assertion })
        }
        _ => Err(LoginError::UpstreamInvalid("an answer in another protocol, or of another connection").into()),
    }
}

/// What the assertion says of a person whom a login would let in, or why the provider sent none.
async fn asserted(
    broker: &Broker,
    target: &saml::Target<'_>,
    request: &str,
    params: &Params<'_>,
) -> Result<Claims, Error> {
    let text = message(params)?;
    let assertion = match assertion(broker, target, &text, Some(request)).await {
        Err(Error::Login(LoginError::Saml(Refused::Status))) => {
            return Err(LoginError::UpstreamDenied(failure(&text).map_or("", |failure| failure.status)).into());
        }
        read => read?,
    };
    Ok(person::identity(target.settings, &assertion)?.claims)
}
