//! That a client is the one that it says: by secret, by a statement signed with a key of its own, by one of an issuer
//! that is trusted for it ([`trusted_issuer`]), or not at all.

mod trusted_issuer;

use std::sync::Arc;

use jsonwebtoken::jwk::Jwk;
use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::oauth::assertion::ClientAssertion;
use vestibule_protocol::oauth::client_auth::{ClientAuthMethod, ClientCredentials};
use vestibule_protocol::oauth::{self, ErrorCode};

pub(crate) use self::trusted_issuer::is_vouched_for;
use crate::Broker;
use crate::error::Error;
use crate::handle::SecretHash;
use crate::model::client::Client;
use crate::store::{Expect, StoreError, key};

/// One error for every reason.
pub(crate) const REFUSED: oauth::Error = oauth::Error::new(ErrorCode::InvalidClient, "client authentication failed");

/// What is registered of a client's own secrets.
pub(crate) enum Own<'a> {
    Secret(&'a SecretHash),
    Keys(&'a [Jwk]),
    Nothing,
}

/// The application is the one that it says.
pub(crate) async fn authenticate(broker: &Broker, credentials: &ClientCredentials) -> Result<Arc<Client>, Error> {
    let client = broker.client(&credentials.client_id).await?.ok_or(REFUSED)?;
    let own = match (client.client_auth, &client.secret_hash) {
        (ClientAuthMethod::None, _) => Own::Nothing,
        (ClientAuthMethod::PrivateKeyJwt, _) => Own::Keys(&client.keys),
        (_, Some(hash)) => Own::Secret(hash),
        (_, None) => return Err(REFUSED.into()),
    };
    let proved = is_proved(broker, credentials, client.client_auth, own).await?;
    if proved { Ok(client) } else { Err(REFUSED.into()) }
}

/// Whether the credentials came in the registered way and fit what is registered.
pub(crate) async fn is_proved(
    broker: &Broker,
    credentials: &ClientCredentials,
    method: ClientAuthMethod,
    own: Own<'_>,
) -> Result<bool, Error> {
    if credentials.method != method {
        return Ok(false);
    }
    match (own, &credentials.assertion, &credentials.secret) {
        (Own::Keys(keys), Some(assertion), None) => is_signed(broker, &credentials.client_id, keys, assertion).await,
        (Own::Secret(hash), None, Some(secret)) => Ok(hash.matches(secret.as_bytes())),
        (Own::Nothing, None, None) => Ok(true),
        _ => Ok(false),
    }
}

/// Whether a statement is signed with one of a client's own keys. It counts once.
async fn is_signed(broker: &Broker, id: &str, keys: &[Jwk], assertion: &str) -> Result<bool, Error> {
    let Ok(assertion) = ClientAssertion::parse(assertion) else { return Ok(false) };
    if let Err(error) = assertion.check(id, &broker.config.issuer, broker.platform.clock.now()) {
        tracing::info!(client.id = id, error = %error, "client.assertion_refused");
        return Ok(false);
    }
    let keys = keys
        .iter()
        .map(|key| PublicKey::from_jwk(key).map_err(|_| Error::bug("a registered key is not readable")))
        .collect::<Result<Vec<_>, _>>()?;
    let signed = &assertion.compact;
    let mut verified = false;
    for key in assertion.candidates(&keys) {
        let checked = broker.platform.crypto.verify(key, signed.algorithm, signed.input, &signed.signature).await;
        verified |= checked.is_ok();
    }
    Ok(verified && spend(broker, id, &assertion).await?)
}

/// Whether this is a statement's first use, if it has a name. It is spent after its signature is verified, so nobody else
/// can spend it, and before the request is looked at, so a lost answer needs another statement.
async fn spend(broker: &Broker, id: &str, assertion: &ClientAssertion<'_>) -> Result<bool, Error> {
    let (Some(name), until) = assertion.one_use() else { return Ok(true) };
    let record = key::used_assertion(id, name);
    let write = record.put_until(&(), until, Expect::Absent)?;
    match broker.platform.store.commit(record.partition(), vec![write]).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict) => {
            tracing::warn!(client.id = id, "client.assertion_replayed");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
