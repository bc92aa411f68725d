//! OAuth for directories (RFC 6749 §4.4): a client of a tenant proves who it is and gets an access token that is good
//! here and for nothing else. The client's record is read from the store each time, so that its removal counts at once,
//! for tokens that were given out, too.

use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oauth::client_auth::{ClientAuthMethod, ClientCredentials};
use vestibule_protocol::oauth::scope::SCIM_SCOPE;
use vestibule_protocol::time::Timestamp;

use super::ScimCaller;
use crate::Broker;
use crate::client_auth::{Own, REFUSED, is_proved, is_vouched_for};
use crate::error::Error;
use crate::handle::new_id;
use crate::model::is_id;
use crate::model::scim_access::{Proof, ScimClient};
use crate::signing;
use crate::store::key;

/// What a directory gets (RFC 6749 §4.4.3): no refresh token, it asks again.
#[derive(Serialize)]
pub struct DirectoryToken {
    /// A JWT for SCIM.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// The access token's life, in seconds.
    pub expires_in: i64,
    /// What was granted.
    pub scope: &'static str,
}

/// The claims of the access token (RFC 9068 §2.2). There is no person in it: `sub` is the client.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    iat: Timestamp,
    exp: Timestamp,
    jti: String,
    scope: String,
    tenant: String,
}

/// Whom such tokens are for.
fn audience(broker: &Broker) -> String {
    format!("{}/scim/v2", broker.config.issuer)
}

async fn find(broker: &Broker, id: &str) -> Result<Option<ScimClient>, Error> {
    if !is_id(id) {
        return Ok(None);
    }
    Ok(key::scim_client(id).get(&*broker.platform.store).await?.map(|found| found.value))
}

/// A token for a directory that proves who it is; `None` where no directory has this name.
pub(crate) async fn grant(broker: &Broker, credentials: &ClientCredentials) -> Result<Option<DirectoryToken>, Error> {
    let id = credentials.client_id.as_str();
    let Some(client) = find(broker, id).await? else { return Ok(None) };
    if broker.tenant(&client.tenant).await?.is_none() || !is_itself(broker, credentials, &client).await? {
        return Err(REFUSED.into());
    }
    let (now, life) = (broker.platform.clock.now(), client.access_token_life);
    let claims = Claims {
        iss: broker.config.issuer.clone(),
        sub: id.to_owned(),
        aud: audience(broker),
        client_id: id.to_owned(),
        iat: now,
        exp: now + life,
        jti: new_id(&*broker.platform.random),
        scope: SCIM_SCOPE.to_owned(),
        tenant: client.tenant,
    };
    let access_token = signing::keys(broker).await?.sign(broker, TokenType::AccessToken, &claims).await?;
    Ok(Some(DirectoryToken { access_token, token_type: "Bearer", expires_in: life.0, scope: SCIM_SCOPE }))
}

async fn is_itself(broker: &Broker, credentials: &ClientCredentials, client: &ScimClient) -> Result<bool, Error> {
    let (method, own) = match &client.proof {
        Proof::ClientSecretBasic { secret } => (ClientAuthMethod::ClientSecretBasic, Own::Secret(secret)),
        Proof::ClientSecretPost { secret } => (ClientAuthMethod::ClientSecretPost, Own::Secret(secret)),
        Proof::PrivateKeyJwt { keys } => (ClientAuthMethod::PrivateKeyJwt, Own::Keys(keys)),
        Proof::TrustedIssuer(trusted) => {
            let Some(assertion) = &credentials.assertion else { return Ok(false) };
            return is_vouched_for(broker, (&client.tenant, &credentials.client_id), trusted, assertion).await;
        }
    };
    is_proved(broker, credentials, method, own).await
}

/// Whose access token this is. `None` for what is no token for SCIM, and for one whose client is gone.
pub(super) async fn caller(broker: &Broker, token: &str) -> Result<Option<ScimCaller>, Error> {
    let Some(claims) = signing::verify::<Claims>(broker, TokenType::AccessToken, token).await? else {
        return Ok(None);
    };
    let for_us = claims.iss == broker.config.issuer && claims.aud == audience(broker) && claims.scope == SCIM_SCOPE;
    if !for_us || claims.exp.has_passed(broker.platform.clock.now()) {
        return Ok(None);
    }
    let found = find(broker, &claims.client_id).await?.filter(|client| client.tenant == claims.tenant);
    let Some(ScimClient { tenant, name, connection, .. }) = found else { return Ok(None) };
    let settings = key::tenant(&tenant).get(&*broker.platform.store).await?;
    let provisioning = settings.map(|settings| settings.value.provisioning);
    Ok(provisioning.map(|provisioning| ScimCaller { tenant, id: claims.client_id, name, connection, provisioning }))
}
