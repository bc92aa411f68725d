//! The identity provider's side: its documents, found and kept; what we ask of it ([`request`]) and what we
//! believe ([`oidc`]).
//!
//! Metadata and keys are fetched together, stored beside the connection, and read through copies. They are fetched
//! again after an hour; when that fails they serve for a day. A token that names an unknown key fetches once at once,
//! then not again for a minute: a provider rotates its keys whenever it likes, and nobody can make us hammer it.

pub(crate) mod again;
mod assertion;
mod client;
mod form;
pub(crate) mod kept;
pub(crate) mod oidc;
pub(crate) mod person;
pub(crate) mod probe;
mod push;
pub(crate) mod reach;
pub(crate) mod request;
mod request_object;
mod signature;
mod token;
mod userinfo;

use std::sync::Arc;

use bytes::Bytes;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use url::Url;
use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::oidc::discovery::ProviderMetadata;
use vestibule_protocol::time::{Seconds, Timestamp};

use self::reach::Reach;
pub(crate) use self::signature::verify_signature;
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{Error, LoginError};
use crate::model::connection::{OidcSettings, UpstreamDocuments};
use crate::platform::{HttpClient, HttpError, check_egress};
use crate::store::{Expect, key};

/// After this long, documents are fetched again.
const FRESH: Seconds = Seconds(3_600);
/// For this long they serve when fetching fails.
const USABLE: Seconds = Seconds(86_400);
/// Pause between two fetches on account of unknown keys.
const COOL_DOWN: Seconds = Seconds(60);

/// A connection whose provider is talked to.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    pub(crate) settings: &'a OidcSettings,
}

/// A provider's documents, parsed.
pub(crate) struct UpstreamCopy {
    pub(crate) metadata: ProviderMetadata,
    /// The keys that can verify signatures. Others in the set are no business of ours.
    pub(crate) keys: Vec<PublicKey>,
    refetched_at: Option<Timestamp>,
}

impl From<UpstreamDocuments> for UpstreamCopy {
    fn from(documents: UpstreamDocuments) -> Self {
        let keys = documents.jwks.keys.iter().filter_map(|jwk| PublicKey::from_jwk(jwk).ok()).collect();
        Self { metadata: documents.metadata, keys, refetched_at: documents.refetched_at }
    }
}

/// The documents of a connection's provider.
pub(crate) async fn documents(broker: &Broker, target: &Target<'_>) -> Result<Arc<UpstreamCopy>, Error> {
    let Target { tenant, connection, settings } = *target;
    let now = broker.platform.clock.now();
    let name = connection_name(tenant, connection);
    if let Some(copy) = broker.copies.upstreams.get(&name, now) {
        return Ok(copy);
    }
    let stored = key::upstream_documents(tenant, connection).get_copy(&*broker.platform.store).await?;
    // Documents of another provider are left over from before the connection was changed.
    let manual = settings.manual_metadata();
    let same = |found: &UpstreamDocuments| match &manual {
        Some(manual) => found.metadata == *manual,
        None => found.metadata.issuer == settings.issuer,
    };
    let stored = stored.map(|stored| stored.value).filter(same);
    let old = match stored {
        Some(stored) if !(stored.fetched_at + FRESH).has_passed(now) => {
            return Ok(broker.copies.upstreams.keep(name, stored.into(), now));
        }
        old => old.filter(|old| !(old.fetched_at + USABLE).has_passed(now)),
    };
    match (fetch(broker, target, None).await, old) {
        (Err(Error::Login(error)), Some(old)) => {
            tracing::warn!(tenant.id = tenant, connection.id = connection, error = %error, "upstream.stale_documents_used");
            Ok(broker.copies.upstreams.keep(name, old.into(), now))
        }
        (fetched, _) => fetched,
    }
}

/// The documents again, because a token named a key that `known` does not hold; `known` itself during the cool-down.
pub(crate) async fn documents_for_unknown_key(
    broker: &Broker,
    target: &Target<'_>,
    known: Arc<UpstreamCopy>,
) -> Result<Arc<UpstreamCopy>, Error> {
    let now = broker.platform.clock.now();
    if known.refetched_at.is_some_and(|last| !(last + COOL_DOWN).has_passed(now)) {
        return Ok(known);
    }
    fetch(broker, target, Some(now)).await
}

async fn fetch(
    broker: &Broker,
    target: &Target<'_>,
    refetched_at: Option<Timestamp>,
) -> Result<Arc<UpstreamCopy>, Error> {
    let Target { tenant, connection, settings } = *target;
    let reach = Reach::of(broker, tenant).await?;
    let metadata = match settings.manual_metadata() {
        Some(metadata) => metadata,
        None => discover(broker, &reach, settings).await?,
    };
    let jwks = parse_jwks(&get_json(&reach, metadata.jwks_uri.as_str()).await?)?;
    let now = broker.platform.clock.now();
    let documents = UpstreamDocuments { metadata, jwks, fetched_at: now, refetched_at };
    let record = key::upstream_documents(tenant, connection);
    let write = record.put_until(&documents, now + USABLE, Expect::Any)?;
    broker.platform.store.commit(record.partition(), vec![write]).await?;
    Ok(broker.copies.upstreams.keep(connection_name(tenant, connection), documents.into(), now))
}

async fn discover(broker: &Broker, reach: &Reach, settings: &OidcSettings) -> Result<ProviderMetadata, Error> {
    let document = get_json(reach, &ProviderMetadata::location(&settings.issuers().discovery_base())).await?;
    let metadata = ProviderMetadata::parse(&document, &settings.issuer);
    let mut metadata = metadata.map_err(|error| LoginError::UpstreamUnavailable(error.to_string()))?;
    may_be_gone_to(broker, &metadata.authorization_endpoint)
        .map_err(|error| LoginError::UpstreamUnavailable(error.to_string()))?;
    metadata.end_session_endpoint = metadata.end_session_endpoint.filter(|there| may_be_gone_to(broker, there).is_ok());
    Ok(metadata)
}

/// Browsers are sent there: no plain http, no other scheme.
pub(crate) fn may_be_gone_to(broker: &Broker, address: &Url) -> Result<(), HttpError> {
    let address = address.as_str().parse().map_err(|_| HttpError::Refused("not a URL"))?;
    check_egress(&address, broker.config.egress_loopback)
}

/// A key set. Keys that are not even JWKs by shape are left out: one odd key must not lock everybody out.
pub(crate) fn parse_jwks(document: &[u8]) -> Result<JwkSet, LoginError> {
    #[derive(Deserialize)]
    struct Loose {
        keys: Vec<serde_json::Value>,
    }
    let loose: Loose = serde_json::from_slice(document)
        .map_err(|_| LoginError::UpstreamUnavailable("the key set is not one".to_owned()))?;
    let readable = |key| serde_json::from_value::<Jwk>(key).ok().filter(|jwk| PublicKey::from_jwk(jwk).is_ok());
    Ok(JwkSet { keys: loose.keys.into_iter().filter_map(readable).collect() })
}

async fn get_json(reach: &Reach, address: &str) -> Result<Bytes, Error> {
    let unavailable = |reason: String| Error::from(LoginError::UpstreamUnavailable(reason));
    let request = http::Request::get(address)
        .header(http::header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| unavailable("its address is not one".to_owned()))?;
    let reply = reach.send(request).await.map_err(|error| unavailable(error.to_string()))?;
    if reply.status() != http::StatusCode::OK {
        return Err(unavailable(format!("it answered {}", reply.status().as_u16())));
    }
    Ok(reply.into_body())
}
