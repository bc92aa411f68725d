//! The first leg: from the application's authorization request to the identity provider's login page, which writes
//! nothing; or straight back to the application, when the browser's session does ([`super::resume`]).

use std::sync::Arc;

use vestibule_protocol::oauth::authorize::{AuthorizationRequest, ReplyTo};
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use super::checkpoint::Passage;
use super::depart::{Wishes, depart};
use super::state::LoginState;
use super::{Refusal, ReplyAddress, choose, pushed, resume};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::invitations;
use crate::model::client::Client;
use crate::model::connection::{Connection, ResponseMode};
use crate::saml::sending::Sending;
use crate::seal::Sealed;

/// Where the browser goes, and what it carries.
#[derive(Debug)]
pub struct Started {
    /// To the identity provider, with our request.
    pub sending: Sending,
    /// The login's id: part of the cookie's name.
    pub id: String,
    /// The cookie's value.
    pub cookie: Sealed,
    /// How the answer comes, which decides on what requests the cookie has to be.
    pub response_mode: ResponseMode,
}

/// What becomes of an authorization request.
#[derive(Debug)]
pub enum Start {
    /// The person goes to their identity provider.
    Login(Started),
    /// The browser's session does.
    Resumed(Passage),
}

/// A request of a client that is known, with an address that is registered for it.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) client_id: &'a str,
    pub(super) client: &'a Client,
    pub(super) reply: &'a ReplyAddress,
    pub(super) request: &'a AuthorizationRequest,
}

/// What a browser has with it.
#[derive(Debug, Clone, Default)]
pub struct Browser<'a> {
    /// The handle of its session.
    pub session: Option<&'a str>,
    /// The invitation that was opened in it.
    pub invitation: Option<Sealed>,
    /// The host that it asked for, as far as that is known.
    pub host: Option<&'a str>,
}

/// Starts a login for an authorization request.
pub async fn start(broker: &Broker, params: &Params<'_>, browser: &Browser<'_>) -> Result<Start, Refusal> {
    let pushed = pushed::take(broker, params).await?;
    let Some(pushed) = pushed else { return begin(broker, params, false, browser).await };
    let parameters = pushed.parameters(params)?;
    let params = Params::parse(&parameters).map_err(|_| Error::bug("a pushed request is not readable"))?;
    match begin(broker, &params, true, browser).await {
        Err(question @ (Refusal::Ask(_) | Refusal::ByIssuer(_))) => Err(pushed.wait(broker, question).await?),
        done => done,
    }
}

/// Starts a login for a request that came with the browser, or was pushed.
async fn begin(
    broker: &Broker,
    params: &Params<'_>,
    was_pushed: bool,
    browser: &Browser<'_>,
) -> Result<Start, Refusal> {
    let (client, reply) = trusted_client(broker, params).await?;
    let refuse = |error: oauth::Error| Refusal::Reply(reply.clone(), error);
    if client.client.require_pushed_requests && !was_pushed {
        return Err(refuse(oauth::Error::invalid_request("this application has to push its requests")));
    }
    let request = AuthorizationRequest::parse(params).map_err(refuse)?;
    let hinted = resume::hinted(broker, &request).await?.map_err(refuse)?;
    let asking = Asking { client_id: &client.id, client: &client.client, reply: &reply, request: &request };
    if let Some(passage) = resume::resume(broker, &asking, hinted.as_ref(), browser.session).await? {
        return Ok(Start::Resumed(passage));
    }
    // Whatever comes now shows the person something, here or at the provider.
    if request.prompt == Prompt::None {
        return Err(refuse(resume::login_required()));
    }
    let chosen = choose::choose(broker, &client.client, params, &request, browser.host).await?.map_err(refuse)?;
    if hinted.as_ref().is_some_and(|hinted| hinted.tenant != chosen.tenant) {
        return Err(refuse(oauth::Error::invalid_request("id_token_hint is of another tenant")));
    }
    let expected_user = hinted.map(|hinted| hinted.user);
    let invitation = browser.invitation.as_ref().and_then(|sealed| invitations::opened(broker, sealed, &chosen.tenant));
    Ok(Start::Login(go(broker, &asking, chosen, expected_user, invitation).await?))
}

/// Seals the login, and sends the person to the chosen connection.
async fn go(
    broker: &Broker,
    asking: &Asking<'_>,
    chosen: choose::Chosen,
    expected_user: Option<String>,
    invitation: Option<String>,
) -> Result<Started, Refusal> {
    let Asking { client_id, client, reply, request } = *asking;
    let refuse = |error: oauth::Error| Refusal::Reply(reply.clone(), error);
    let (tenant, connection_id) = (chosen.tenant, chosen.connection);
    let connection = usable(broker.connection(&tenant, &connection_id).await?).map_err(refuse)?;

    let wishes = Wishes {
        login_hint: request.login_hint.as_deref(),
        prompt: &request.prompt,
        max_age: request.max_age,
        classes: &request.classes,
    };
    let departure = match depart(broker, (&tenant, &connection_id), &connection.upstream, wishes).await {
        Ok(departure) => departure,
        Err(Error::Login(error)) => {
            tracing::warn!(tenant.id = tenant, connection.id = connection_id, error = %error, "login.upstream_failed");
            return Err(refuse(told(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    let login = LoginState {
        tenant,
        connection: connection_id,
        proof: departure.proof,
        started_at: broker.platform.clock.now(),
        client: client_id.to_owned(),
        redirect_uri: reply.redirect_uri.clone(),
        state: reply.state.clone(),
        client_nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.clone(),
        scope: request.scope.clone(),
        max_age: request.max_age,
        condition: Some(&request.classes).filter(|classes| classes.essential).cloned(),
        expected_user,
        invitation,
        relayed: client.relay.is_some(),
    };
    let (id, sending) = (departure.id, departure.sending);
    let cookie = login.seal(broker, &id)?;
    Ok(Started { sending, id, cookie, response_mode: login.proof.response_mode() })
}

/// What the application learns when its person cannot be sent away; the log has the rest.
const fn told(error: &LoginError) -> oauth::Error {
    if matches!(error, LoginError::UpstreamUnavailable(_)) {
        oauth::Error::new(ErrorCode::TemporarilyUnavailable, "the identity provider cannot be reached")
    } else {
        oauth::Error::new(ErrorCode::ServerError, "the identity provider does not take requests as they are set up")
    }
}

struct TrustedClient {
    id: String,
    client: Arc<Client>,
}

/// Until the client is known and the address is registered for it, nothing is redirected (RFC 6749 §4.1.2.1).
async fn trusted_client(broker: &Broker, params: &Params<'_>) -> Result<(TrustedClient, ReplyAddress), Refusal> {
    let asked = ReplyTo::parse(params)?;
    let client = broker.client(asked.client_id).await?;
    let client = client.ok_or(oauth::Error::invalid_request("client_id is not a registered application"))?;
    if !asked.is_registered(&client.redirect_uris) {
        return Err(oauth::Error::invalid_request("redirect_uri is not registered for this application").into());
    }
    let state = AuthorizationRequest::state(params)?;
    let reply = ReplyAddress { redirect_uri: asked.redirect_uri.to_owned(), state };
    Ok((TrustedClient { id: asked.client_id.to_owned(), client }, reply))
}

const fn unknown_connection() -> oauth::Error {
    oauth::Error::invalid_request("connection is not one of the tenant's")
}

fn usable(connection: Option<Arc<Connection>>) -> Result<Arc<Connection>, oauth::Error> {
    connection.filter(|connection| connection.enabled).ok_or(unknown_connection())
}
