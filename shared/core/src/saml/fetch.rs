//! A provider's metadata, fetched from its address, and kept until it is replaced or says that it is over.
//!
//! It is fetched when what is kept is some hours old, and once when a signature does not verify: providers change their keys
//! when they like. Whatever the reason, of several who would fetch it the one does who first wrote down that it does, and
//! nobody for a minute from then on, so that no message makes us hammer a provider. What cannot be used changes nothing:
//! what was fetched before serves on. The entity id is the connection's and never the document's.

use bytes::Bytes;
use url::Url;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Target, facts};
use crate::Broker;
use crate::audit;
use crate::broker::connection_name;
use crate::error::{Error, Internal};
use crate::model::audit::AuditKind;
use crate::model::connection::IdpFacts;
use crate::model::saml::{FetchFailure, FetchedFacts, SamlProvider};
use crate::outbox;
use crate::platform::{HttpClient, HttpError};
use crate::store::record::Stored;
use crate::store::{Expect, StoreError, key};
use crate::upstream::reach::Reach;

/// After this long, metadata that is needed is fetched again.
const FRESH: Seconds = Seconds(6 * 3_600);
/// Pause between two tries that nobody but us asked for.
pub(crate) const COOL_DOWN: Seconds = Seconds(60);

impl SamlProvider {
    /// What the provider's metadata says, unless it is over.
    pub(crate) fn facts(&self, now: Timestamp) -> Option<&IdpFacts> {
        self.fetched.as_ref().map(|fetched| &fetched.facts).filter(|facts| !facts.is_over(now))
    }

    /// Whether it is of this connection as it is set now.
    pub(crate) fn is_of(&self, target: &Target<'_>, url: &Url) -> bool {
        self.entity_id == target.settings.idp_entity_id && self.metadata_url == *url
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.facts(now).is_some()
            && self.fetched.as_ref().is_some_and(|fetched| !(fetched.fetched_at + FRESH).has_passed(now))
    }

    /// Whether a try began less than `pause` ago.
    pub(crate) fn rests(&self, pause: Seconds, now: Timestamp) -> bool {
        !(self.tried_at + pause).has_passed(now)
    }
}

/// What is kept of a provider, fetched where that is due.
pub(super) async fn kept(broker: &Broker, target: &Target<'_>, url: &Url) -> Result<SamlProvider, Error> {
    let now = broker.platform.clock.now();
    let copy = key::saml_provider(target.tenant, target.connection).get_copy(&*broker.platform.store).await?;
    match copy.map(|copy| copy.value).filter(|copy| copy.is_of(target, url)) {
        Some(copy) if copy.is_fresh(now) || copy.rests(COOL_DOWN, now) => Ok(copy),
        _ => fetch(broker, target, url, COOL_DOWN).await,
    }
}

/// Fetches the metadata and keeps what came of it, unless a try began less than `pause` ago. What is kept then.
pub(crate) async fn fetch(
    broker: &Broker,
    target: &Target<'_>,
    url: &Url,
    pause: Seconds,
) -> Result<SamlProvider, Error> {
    let store = &*broker.platform.store;
    let now = broker.platform.clock.now();
    let record = key::saml_provider(target.tenant, target.connection);
    let found = record.get(store).await?;
    let expect = found.as_ref().map_or(Expect::Absent, |found| Expect::Version(found.version.clone()));
    let provider = match found.map(|found| found.value).filter(|kept| kept.is_of(target, url)) {
        Some(kept) if kept.rests(pause, now) => return Ok(kept),
        Some(kept) => SamlProvider { tried_at: now, ..kept },
        None => SamlProvider {
            entity_id: target.settings.idp_entity_id.clone(),
            metadata_url: url.clone(),
            fetched: None,
            tried_at: now,
            failure: None,
        },
    };
    // Whoever writes this fetches.
    let claim = store.commit(record.partition(), vec![record.put(&provider, expect)?]).await;
    let kept = match claim {
        Ok(versions) => {
            let version = versions.into_iter().next().ok_or(Error::bug("a put without a version"))?;
            conclude(broker, target, Stored { value: provider.clone(), version }).await
        }
        Err(error) => Err(error.into()),
    };
    match kept {
        // Somebody else fetches, or the connection was changed.
        Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {
            let found = record.get(store).await?.map(|found| found.value);
            Ok(found.filter(|found| found.is_of(target, url)).unwrap_or(SamlProvider { fetched: None, ..provider }))
        }
        kept => kept,
    }
}

/// Asks the provider, and writes down what it says: a conflict if the record is not as this try left it.
async fn conclude(
    broker: &Broker,
    target: &Target<'_>,
    Stored { value: mut provider, version }: Stored<SamlProvider>,
) -> Result<SamlProvider, Error> {
    let Target { tenant, connection, .. } = *target;
    let record = key::saml_provider(tenant, connection);
    let mut writes = Vec::new();
    match ask(broker, target, &provider.metadata_url).await? {
        Ok(facts) => {
            if let Some(kind) = changed(provider.fetched.as_ref(), &facts) {
                let event = audit::event(broker, kind).through(Some(connection));
                writes.push(audit::owe(broker, record.partition().clone(), tenant, event)?);
            }
            provider.fetched = Some(FetchedFacts { facts, fetched_at: broker.platform.clock.now() });
            provider.failure = None;
        }
        Err(error) => {
            tracing::warn!(tenant.id = tenant, connection.id = connection, error, "saml.metadata_not_fetched");
            provider.failure = Some(FetchFailure { error: error.to_owned(), at: provider.tried_at });
        }
    }
    let tells = !writes.is_empty();
    writes.push(record.put(&provider, Expect::Version(version))?);
    broker.platform.store.commit(record.partition(), writes).await?;
    broker.copies.saml.forget(&connection_name(tenant, connection));
    if tells {
        outbox::wake(broker, record.partition()).await;
    }
    Ok(provider)
}

/// The event of a change in what the provider signs with. The first certificates are none.
fn changed(before: Option<&FetchedFacts>, after: &IdpFacts) -> Option<AuditKind> {
    let before = facts::fingerprints(&before?.facts.certificates);
    let after = facts::fingerprints(&after.certificates);
    (before != after).then_some(AuditKind::SamlCertificatesChanged { before, after })
}

/// Asks the provider: what its metadata says, or the name of what went wrong.
async fn ask(broker: &Broker, target: &Target<'_>, url: &Url) -> Result<Result<IdpFacts, &'static str>, Error> {
    let reach = Reach::of(broker, target.tenant).await?;
    let request = http::Request::get(url.as_str())
        .header(http::header::ACCEPT, "application/samlmetadata+xml, application/xml, text/xml")
        .body(Bytes::new())
        .map_err(|_| Error::bug("a stored address is not one"))?;
    let reply = match reach.send(request).await {
        Ok(reply) if reply.status() == http::StatusCode::OK => reply.into_body(),
        Ok(_) => return Ok(Err("status")),
        Err(HttpError::Refused(_)) => return Ok(Err("egress")),
        Err(HttpError::TooLarge) => return Ok(Err("too_large")),
        Err(HttpError::Timeout | HttpError::Network(_)) => return Ok(Err("unreachable")),
    };
    let Ok(text) = std::str::from_utf8(&reply) else { return Ok(Err("encoding")) };
    let read = facts::read(broker, text, Some(&target.settings.idp_entity_id));
    Ok(read.map(|(_, facts)| facts).map_err(facts::FactsError::name))
}
