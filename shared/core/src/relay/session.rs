//! What a control plane holds after a login: tokens for a code, new tokens for a refresh token, and the end of both.

use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::relay::CodeRequest;
use vestibule_protocol::oauth::token::TokenRequest;

use super::ControlPlane;
use super::start::Relayed;
use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, SecretHash};
use crate::logout;
use crate::seal::Sealed;
use crate::signing;
use crate::token::{AccessClaims, TokenResponse, exchange_as, grant_id};

/// A login of this browser, finished.
pub struct Redeemed {
    /// Its tokens.
    pub tokens: TokenResponse,
    /// Its id: the cookie that began it is spent.
    pub id: String,
}

/// Redeems a code. `cookies` are the browser's logins in progress, by id.
pub async fn redeem(
    broker: &Broker,
    plane: &ControlPlane,
    request: &CodeRequest,
    cookies: &[(&str, Sealed)],
) -> Result<Redeemed, Error> {
    let refused = || Error::from(oauth::Error::invalid_grant());
    let code = Handle::parse(HandleKind::Code, 1, &request.code).ok_or_else(refused)?;
    // A code's locator names the tenant in whose partition it lies: another tenant's is found out without a look.
    if code.locator.shard.tenant != request.tenant_name {
        return Err(refused());
    }
    let named = request.state.as_deref();
    let mut logins: Vec<(&str, Relayed)> = cookies
        .iter()
        .filter(|(id, _)| named.is_none_or(|state| state == *id))
        .filter_map(|(id, sealed)| Some((*id, Relayed::open(broker, id, sealed)?)))
        .filter(|(_, login)| login.client == plane.client_id && login.tenant == request.tenant_name)
        .collect();
    let chosen = if logins.len() > 1 { begun_by(broker, &code, &logins).await? } else { 0 };
    let (id, login) = logins.drain(..).nth(chosen).ok_or_else(refused)?;
    let exchange = TokenRequest::AuthorizationCode {
        code: &request.code,
        redirect_uri: &request.redirect_uri,
        code_verifier: &login.verifier,
    };
    let tokens = exchange_as(broker, plane.caller(), exchange).await?;
    Ok(Redeemed { tokens, id: id.to_owned() })
}

/// Which of several logins began this code, for a control plane that does not hand in `state`: the one whose secret
/// fits. The first where none does; redeeming with it fails and spends the code.
async fn begun_by(broker: &Broker, code: &Handle, logins: &[(&str, Relayed)]) -> Result<usize, Error> {
    let record = code.locator.shard.code(SecretHash::of(code.secret.expose()).as_str());
    let found = record.get(&*broker.platform.store).await?;
    let fits = |login: &Relayed| found.as_ref().is_some_and(|code| code.value.code_challenge.matches(&login.verifier));
    Ok(logins.iter().position(|(_, login)| fits(login)).unwrap_or_default())
}

/// New tokens for the refresh token of the control plane's cookie.
pub async fn refresh(broker: &Broker, plane: &ControlPlane, token: Option<&str>) -> Result<TokenResponse, Error> {
    let refresh_token = token.ok_or(oauth::Error::invalid_grant())?;
    exchange_as(broker, plane.caller(), TokenRequest::RefreshToken { refresh_token, scope: None }).await
}

/// Ends the session behind the control plane's cookies: whichever of the two still names one of its own. An access
/// token that has expired will do; it only says which session.
pub async fn sign_out(
    broker: &Broker,
    plane: &ControlPlane,
    refresh_token: Option<&str>,
    access_token: Option<&str>,
) -> Result<(), Error> {
    if let Some(token) = refresh_token
        && let Some(handle) = Handle::parse(HandleKind::Refresh, 2, token)
        && let [session, family] = handle.locator.path.as_slice()
    {
        // The family's name is in its refresh tokens only. That a newer one is out is no reason to stay signed in.
        let grant = handle.locator.shard.grant(session, &grant_id(family)).get(&*broker.platform.store).await?;
        if let Some(grant) = grant.filter(|grant| grant.value.client == plane.client_id) {
            let subject = grant.value.subject;
            return logout::end(broker, &subject.tenant, &subject.user, &subject.session).await;
        }
    }
    let Some(token) = access_token else { return Ok(()) };
    let claims: Option<AccessClaims> = signing::verify(broker, TokenType::AccessToken, token).await?;
    let ours = claims.filter(|claims| claims.iss == broker.config.issuer && claims.client_id == plane.client_id);
    match ours {
        Some(claims) => logout::end(broker, &claims.tenant, &claims.sub, &claims.sid).await,
        None => Ok(()),
    }
}
