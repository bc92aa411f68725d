//! What becomes of a tenant's connections that speak SAML without anybody signing in: every six hours their providers'
//! metadata is fetched again, so that new keys are known before they are used, and what ends soon is told of.
//!
//! The tick asks for a look in one of 24 quarters of an hour, each tenant in its own. Looks may overlap, repeat and be missed.

use sha2::{Digest, Sha256};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Target, expiry, fetch};
use crate::Broker;
use crate::error::Error;
use crate::model::saml::SamlKeys;
use crate::store::{Partition, key, record};

/// Quarters of an hour between two looks.
const ROUND: i64 = 24;
/// A second look of the same round fetches nothing.
const PAUSE: Seconds = Seconds(3 * 3_600);

/// What a batch did.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Connections in which something of ours failed.
    pub(crate) failed: u32,
    /// Where the next batch goes on; none when this was the last.
    pub(crate) next: Option<String>,
}

/// Whether this is the quarter of an hour in which a tenant's connections are looked at.
pub(crate) fn is_due(tenant: &str, now: Timestamp) -> bool {
    let [offset, ..] = <[u8; 32]>::from(Sha256::digest(tenant));
    (now.seconds().div_euclid(900) + i64::from(offset)).rem_euclid(ROUND) == 0
}

/// Looks at some of a tenant's connections, beginning `after` a record. Only those that speak SAML have such records.
pub(crate) async fn work(
    broker: &Broker,
    partition: &Partition,
    tenant: &str,
    after: Option<&str>,
) -> Result<Batch, Error> {
    let most = broker.platform.queue.steps();
    let page = broker.platform.store.list(partition, key::SAML_KEYS, after, most).await?;
    let mut batch = Batch { failed: 0, next: page.next };
    for found in &page.records {
        let Some(connection) = found.id.strip_prefix(key::SAML_KEYS) else { continue };
        let looked = async { look(broker, tenant, connection, &record::parse(found)?.value).await };
        if let Err(error) = looked.await {
            batch.failed += 1;
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(tenant.id = tenant, connection.id = connection, error = %error, cause, "saml.watch_failed");
        }
    }
    Ok(batch)
}

async fn look(broker: &Broker, tenant: &str, connection: &str, ours: &SamlKeys) -> Result<(), Error> {
    let found = broker.connection(tenant, connection).await?.filter(|found| found.enabled);
    let Some(settings) = found.as_ref().and_then(|found| found.upstream.saml()) else { return Ok(()) };
    let target = Target { tenant, connection, settings };
    let fetched = match (&settings.idp, &settings.metadata_url) {
        (None, Some(url)) => Box::pin(fetch::fetch(broker, &target, url, PAUSE)).await?.fetched,
        _ => None,
    };
    let facts = fetched.as_ref().map(|fetched| &fetched.facts).or(settings.idp.as_ref());
    expiry::tell(broker, &target, facts, ours).await
}
