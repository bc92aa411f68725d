//! That a client is the one that it says: by secret, by a statement signed with a key of its own, or not at all.

use std::sync::Arc;

use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::oauth::assertion::ClientAssertion;
use vestibule_protocol::oauth::client_auth::{ClientAuthMethod, ClientCredentials};
use vestibule_protocol::oauth::{self, ErrorCode};

use crate::Broker;
use crate::error::Error;
use crate::model::client::Client;
use crate::store::{Expect, StoreError, key};

/// The client is the one that it says. One error for every reason.
pub(crate) async fn authenticate(broker: &Broker, credentials: &ClientCredentials) -> Result<Arc<Client>, Error> {
    let refused = oauth::Error::new(ErrorCode::InvalidClient, "client authentication failed");
    let client = broker.client(&credentials.client_id).await?;
    let client = client.filter(|client| client.client_auth == credentials.method).ok_or(refused)?;
    let proved = match (&credentials.assertion, &credentials.secret, &client.secret_hash) {
        (Some(assertion), None, None) => is_signed(broker, &credentials.client_id, &client, assertion).await?,
        (None, Some(secret), Some(hash)) => hash.matches(secret.as_bytes()),
        (None, None, None) => client.client_auth == ClientAuthMethod::None,
        _ => false,
    };
    if proved { Ok(client) } else { Err(refused.into()) }
}

/// A statement counts once. It is spent after its signature is verified, so nobody else can spend it, and before the
/// request is looked at, so a lost answer needs another statement.
async fn is_signed(broker: &Broker, id: &str, client: &Client, assertion: &str) -> Result<bool, Error> {
    let Ok(assertion) = ClientAssertion::parse(assertion) else { return Ok(false) };
    if let Err(error) = assertion.check(id, &broker.config.issuer, broker.platform.clock.now()) {
        tracing::info!(client.id = id, error = %error, "client.assertion_refused");
        return Ok(false);
    }
    let keys = client
        .keys
        .iter()
        .map(|key| PublicKey::from_jwk(key).map_err(|_| Error::bug("a registered key is not readable")))
        .collect::<Result<Vec<_>, _>>()?;
    let signed = &assertion.compact;
    let mut verified = false;
    for key in assertion.candidates(&keys) {
        let checked = broker.platform.crypto.verify(key, signed.algorithm, signed.input, &signed.signature).await;
        verified |= checked.is_ok();
    }
    if !verified {
        return Ok(false);
    }
    let (name, until) = assertion.one_use();
    let record = key::used_assertion(id, name);
    let write = record.put_until(&(), until, Expect::Absent)?;
    match broker.platform.store.commit(record.partition(), vec![write]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => {
            tracing::warn!(client.id = id, "client.assertion_replayed");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
