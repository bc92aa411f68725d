//! A test login: an administrator's link leads to a connection's provider and back, and what the provider said is shown.
//! Nobody is created and nobody is signed in.
//!
//! It shares with a login what is asked of the provider and how the answer is checked, and nothing else: its cookie has a
//! name of its own and is sealed for a purpose of its own, so that neither ever passes for the other. The connection is
//! read from the store, so that what was just set is what is tested; it may be disabled.

mod outcome;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::acr::Classes;
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::oidc::shown_claims::shown;
use vestibule_protocol::params::Params;
use vestibule_protocol::time::Timestamp;

pub(crate) use self::outcome::claims;
use self::outcome::{reason, record, registered, seal};
use super::finish::check_issuer;
use super::start::Started;
use super::state::LOGIN_LIFE;
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::{TenantHandle, TenantHandleKind, new_id, new_secret};
use crate::model::connection::{OidcSettings, ResponseMode};
use crate::model::test_login::{Outcome, TestClaims, TestLogin};
use crate::seal::{Purpose, Sealed};
use crate::store::key;
use crate::upstream::oidc::{self, Answer};
use crate::upstream::request::{Asked, authorization_url};
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
    verifier: String,
    nonce: String,
    response_mode: ResponseMode,
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
    let random = &*broker.platform.random;
    let state = TestState {
        tenant: handle.tenant,
        test: handle.id,
        connection: found.value.connection.clone(),
        verifier: URL_SAFE_NO_PAD.encode(new_secret(random).expose()),
        nonce: new_id(random),
        response_mode: ResponseMode::default(),
        started_at: broker.platform.clock.now(),
    };
    let (tenant, test) = (state.tenant.clone(), state.test.clone());
    let (outcome, answer) = match go(broker, state).await {
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
async fn go(broker: &Broker, mut state: TestState) -> Result<Started, Error> {
    let settings = settings(broker, &state).await?;
    state.response_mode = settings.request.response_mode;
    let id = new_id(&*broker.platform.random);
    let asked = Asked {
        state: &id,
        nonce: &state.nonce,
        verifier: &state.verifier,
        login_hint: None,
        prompt: &Prompt::AsNeeded,
        max_age: None,
        classes: &Classes::default(),
    };
    let location = authorization_url(broker, &state.target(&settings), &asked).await?;
    let plain = serde_json::to_vec(&state).map_err(|_| Error::bug("a test login does not serialize"))?;
    let cookie = broker.sealer.seal(&*broker.platform.random, Purpose::TestCookie, &id, &plain)?;
    Ok(Started { location, id, cookie, response_mode: state.response_mode })
}

/// The connection as it is now.
async fn settings(broker: &Broker, state: &TestState) -> Result<OidcSettings, Error> {
    let found = key::connection(&state.tenant, &state.connection).get(&*broker.platform.store).await?;
    let upstream = found.ok_or(LoginError::ConnectionUnavailable)?.value.upstream;
    Ok(upstream.oidc().ok_or(LoginError::ConnectionUnavailable)?.clone())
}

impl TestState {
    /// Opens the test login of this id.
    fn open(broker: &Broker, id: &str, sealed: &Sealed) -> Option<Self> {
        let plain = broker.sealer.open(Purpose::TestCookie, id, sealed).ok()?;
        let state: Self = serde_json::from_slice(&plain).ok()?;
        (!(state.started_at + LOGIN_LIFE).has_passed(broker.platform.clock.now())).then_some(state)
    }

    fn target<'a>(&'a self, settings: &'a OidcSettings) -> Target<'a> {
        Target { tenant: &self.tenant, connection: &self.connection, settings }
    }
}

/// Takes the provider's answer, which came in this way. `sealed` is the cookie of the test login that the answer's
/// `state` names.
pub async fn finish(
    broker: &Broker,
    params: &Params<'_>,
    came_by: ResponseMode,
    (id, sealed): (&str, &Sealed),
) -> Result<Shown, Error> {
    let Some(state) = TestState::open(broker, id, sealed) else { return Ok(Shown::Over) };
    let found = key::test_login(&state.tenant, &state.test).get(&*broker.platform.store).await?;
    let Some(found) = found.filter(|found| found.value.outcome == Outcome::Started) else { return Ok(Shown::Over) };
    let name = (state.tenant.as_str(), state.test.as_str());
    let (outcome, shown) = match heard(broker, &state, params, came_by).await {
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
    state: &TestState,
    params: &Params<'_>,
    came_by: ResponseMode,
) -> Result<TestClaims, Error> {
    if state.response_mode != came_by {
        return Err(LoginError::UpstreamInvalid("an answer in another response mode").into());
    }
    let settings = settings(broker, state).await?;
    let target = state.target(&settings);
    check_issuer(params, &settings, &*documents(broker, &target).await?)?;
    if let Some(code) = params.get("error").map_err(oauth::Error::from)? {
        return Err(LoginError::UpstreamDenied(registered(code)).into());
    }
    let code = params.get("code").map_err(oauth::Error::from)?.ok_or(LoginError::UpstreamInvalid("no code"))?;
    let answer = Answer { target, verifier: &state.verifier, nonce: &state.nonce, code };
    let (id_token, userinfo) = oidc::claims(broker, &answer).await?;
    Ok(TestClaims { id_token: shown(&id_token), userinfo: userinfo.as_ref().map(shown) })
}
