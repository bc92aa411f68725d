//! Applications.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::time::Seconds;

use super::relay::{self, RelayInput};
use super::{Put, check_id, check_name, check_redirect_uris, conflict_is_theirs};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::SecretHash;
use crate::model::client::{Client, Relay, access_token_life, refresh_token_life};
use crate::store::{Expect, key};

/// What an administrator sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientInput {
    /// What people read.
    pub name: String,
    /// The tenants that it serves; left out or null for all.
    #[serde(default)]
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it begins a login that an identity provider asks for (OpenID Connect Core §4).
    #[serde(default)]
    pub initiate_login_uri: Option<String>,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Its secret, at least 32 characters, random. Kept as it was when left out of a replacement.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Lets the relay sign people in for its control plane. Only for a public client.
    #[serde(default)]
    pub relay: Option<RelayInput>,
    /// Its public keys, for `private_key_jwt`: 1 to 10, in full. There is no `jwks_uri`.
    #[serde(default)]
    pub jwks: Option<KeysInput>,
    /// Whether it must send its authorization requests ahead (RFC 9126 §6).
    #[serde(default)]
    pub require_pushed_requests: bool,
    /// How long its access tokens live, in seconds: a minute to a day; a day when left out.
    #[serde(default = "access_token_life")]
    pub access_token_life: Seconds,
    /// How long its refresh families live, in seconds: ten minutes to a session's seven days, which is what it is when
    /// left out.
    #[serde(default = "refresh_token_life")]
    pub refresh_token_life: Seconds,
}

/// A JWK set as sent, so that a private member is seen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysInput {
    /// The keys.
    pub keys: Vec<Value>,
}

/// What an administrator sees.
#[derive(Debug, Serialize)]
pub struct ClientView {
    /// The application.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The tenants that it serves; null for all.
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it begins a login that an identity provider asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Whether it has a secret. Nobody can read it back.
    pub has_client_secret: bool,
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// Whether it must send its authorization requests ahead.
    pub require_pushed_requests: bool,
    /// How long its access tokens live, in seconds.
    pub access_token_life: Seconds,
    /// How long its refresh families live, in seconds.
    pub refresh_token_life: Seconds,
    /// What the relay does for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
}

fn view(id: &str, client: Client) -> ClientView {
    ClientView {
        id: id.to_owned(),
        name: client.name,
        tenants: client.tenants,
        redirect_uris: client.redirect_uris,
        post_logout_redirect_uris: client.post_logout_redirect_uris,
        initiate_login_uri: client.initiate_login_uri,
        client_auth: client.client_auth,
        has_client_secret: client.secret_hash.is_some(),
        jwks: (!client.keys.is_empty()).then_some(JwkSet { keys: client.keys }),
        require_pushed_requests: client.require_pushed_requests,
        access_token_life: client.access_token_life,
        refresh_token_life: client.refresh_token_life,
        relay: client.relay,
    }
}

/// An application.
pub async fn get(broker: &Broker, id: &str) -> Result<ClientView, Error> {
    check_id("client", id)?;
    let found = key::client(id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    Ok(view(id, found.value))
}

/// Creates or replaces an application. Other processes follow within a minute.
pub async fn put(broker: &Broker, id: &str, input: ClientInput) -> Result<(Put, ClientView), Error> {
    check_id("client", id)?;
    check_name(&input.name)?;
    for tenant in input.tenants.iter().flatten() {
        check_id("tenants", tenant)?;
    }
    if input.redirect_uris.is_empty() {
        return Err(AdminError::Invalid { field: "redirect_uris", problem: "has no address" }.into());
    }
    check_redirect_uris("redirect_uris", &input.redirect_uris)?;
    check_redirect_uris("post_logout_redirect_uris", &input.post_logout_redirect_uris)?;
    check_redirect_uris("initiate_login_uri", input.initiate_login_uri.as_slice())?;
    check_life("access_token_life", input.access_token_life, 60, access_token_life())?;
    check_life("refresh_token_life", input.refresh_token_life, 600, refresh_token_life())?;
    let relay =
        input.relay.as_ref().map(|sent| relay::check(sent, &input.redirect_uris, input.client_auth)).transpose()?;
    let record = key::client(id);
    let found = record.get(&*broker.platform.store).await?;
    let kept = found.as_ref().and_then(|found| found.value.secret_hash.clone());
    let client = Client {
        secret_hash: secret_hash(input.client_auth, input.client_secret.as_deref(), kept)?,
        keys: public_keys(input.client_auth, input.jwks)?,
        name: input.name,
        tenants: input.tenants,
        redirect_uris: input.redirect_uris,
        post_logout_redirect_uris: input.post_logout_redirect_uris,
        initiate_login_uri: input.initiate_login_uri,
        client_auth: input.client_auth,
        require_pushed_requests: input.require_pushed_requests,
        access_token_life: input.access_token_life,
        refresh_token_life: input.refresh_token_life,
        relay,
    };
    let earlier = found.as_ref().and_then(|found| found.value.relay.clone());
    // The route first: an application that names an origin always holds it.
    if let Some(relay) = &client.relay {
        relay::claim(broker, id, &relay.control_plane_url).await?;
    }
    let (outcome, expect) = match found {
        Some(found) => (Put::Replaced, Expect::Version(found.version)),
        None => (Put::Created, Expect::Absent),
    };
    let write = record.put(&client, expect)?;
    broker.platform.store.commit(record.partition(), vec![write]).await.map_err(|e| conflict_is_theirs(e.into()))?;
    broker.copies.clients.forget(id);
    if let Some(earlier) = earlier.filter(|earlier| client.relay_at(&earlier.control_plane_url).is_none()) {
        relay::release(broker, id, &earlier.control_plane_url).await?;
    }
    Ok((outcome, view(id, client)))
}

fn secret_hash(
    method: ClientAuthMethod,
    sent: Option<&str>,
    kept: Option<SecretHash>,
) -> Result<Option<SecretHash>, AdminError> {
    let invalid = |problem| Err(AdminError::Invalid { field: "client_secret", problem });
    match (method, sent) {
        (ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt, None) => Ok(None),
        (ClientAuthMethod::None, Some(_)) => invalid("must be left out: a public client has no secret"),
        (ClientAuthMethod::PrivateKeyJwt, Some(_)) => invalid("must be left out: the client proves itself by its keys"),
        (_, Some(secret)) if secret.len() < 32 => invalid("must be random, at least 32 characters"),
        (_, Some(secret)) => Ok(Some(SecretHash::of(secret.as_bytes()))),
        (_, None) if kept.is_some() => Ok(kept),
        (_, None) => invalid("is missing"),
    }
}

/// The keys of a client that signs. Whatever tells a private key is refused, not dropped: it was shown to us.
fn public_keys(method: ClientAuthMethod, sent: Option<KeysInput>) -> Result<Vec<Jwk>, AdminError> {
    let invalid = |problem| AdminError::Invalid { field: "jwks", problem };
    let keys = match (method, sent) {
        (ClientAuthMethod::PrivateKeyJwt, Some(sent)) if (1..=10).contains(&sent.keys.len()) => sent.keys,
        (ClientAuthMethod::PrivateKeyJwt, _) => return Err(invalid("must have 1 to 10 keys")),
        (_, Some(_)) => return Err(invalid("is for private_key_jwt only")),
        (_, None) => return Ok(Vec::new()),
    };
    let read = |key: Value| {
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|member| key.get(member).is_some()) {
            return Err(invalid("has a private or symmetric key: send public keys only, and replace that one"));
        }
        let key: Jwk = serde_json::from_value(key).map_err(|_| invalid("has a key that is not a JSON Web Key"))?;
        PublicKey::from_jwk(&key).map_err(|_| invalid("has a key that cannot verify signatures here"))?;
        Ok(key)
    };
    keys.into_iter().map(read).collect()
}

fn check_life(field: &'static str, life: Seconds, shortest: i64, longest: Seconds) -> Result<(), AdminError> {
    let problem = "is out of bounds: access tokens live 60 to 86400 seconds, refresh tokens 600 to 604800";
    if (shortest..=longest.0).contains(&life.0) { Ok(()) } else { Err(AdminError::Invalid { field, problem }) }
}

/// Removes an application.
pub async fn delete(broker: &Broker, id: &str) -> Result<(), Error> {
    check_id("client", id)?;
    let client = key::client(id).take(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    broker.copies.clients.forget(id);
    if let Some(relay) = client.relay {
        relay::release(broker, id, &relay.control_plane_url).await?;
    }
    Ok(())
}
