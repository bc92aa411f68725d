//! What of a connection ends soon: certificates and metadata of its provider's, our own certificates. Each is told of once,
//! as an event of the audit log, and by that to the tenant's webhooks.

use std::collections::BTreeMap;

use vestibule_protocol::saml::Certificate;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Target, facts, keys};
use crate::Broker;
use crate::audit;
use crate::error::Error;
use crate::model::audit::{AuditKind, Expiring};
use crate::model::connection::IdpFacts;
use crate::model::saml::{SamlKeys, SamlTold};
use crate::outbox;
use crate::store::{Expect, StoreError, key};

/// How long before.
const AHEAD: Seconds = Seconds(30 * 86_400);

/// Tells of what ends soon and was not told of. What is replaced, or renewed, is forgotten.
pub(super) async fn tell(
    broker: &Broker,
    target: &Target<'_>,
    facts: Option<&IdpFacts>,
    ours: &SamlKeys,
) -> Result<(), Error> {
    let Target { tenant, connection, .. } = *target;
    let ending = ending(facts, ours, broker.platform.clock.now() + AHEAD)?;
    let record = key::saml_told(tenant, connection);
    let found = record.get(&*broker.platform.store).await?;
    let (told, expect) = match found {
        Some(found) => (found.value, Expect::Version(found.version)),
        None if ending.is_empty() => return Ok(()),
        None => (SamlTold::default(), Expect::Absent),
    };
    let now_told = SamlTold { names: ending.keys().cloned().collect() };
    if now_told == told {
        return Ok(());
    }
    let mut writes = vec![record.put(&now_told, expect)?];
    for (_, kind) in ending.into_iter().filter(|(name, _)| !told.names.contains(name)) {
        let event = audit::event(broker, kind).through(Some(connection));
        writes.push(audit::owe(broker, record.partition().clone(), tenant, event)?);
    }
    match broker.platform.store.commit(record.partition(), writes).await {
        Ok(_) => outbox::wake(broker, record.partition()).await,
        // Another look tells.
        Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What ends before `limit`, by names that it keeps. Metadata that is renewed again and again has one name.
fn ending(facts: Option<&IdpFacts>, ours: &SamlKeys, limit: Timestamp) -> Result<BTreeMap<String, AuditKind>, Error> {
    let mut found = BTreeMap::new();
    let mut add = |what, sha256: Option<String>, ends_at: Timestamp| {
        if ends_at <= limit {
            let name = sha256.clone().unwrap_or_else(|| "metadata".to_owned());
            found.insert(name, AuditKind::SamlExpiring { what, sha256, ends_at });
        }
    };
    for text in facts.iter().flat_map(|facts| &facts.certificates) {
        let Ok(certificate) = Certificate::read(text) else { continue };
        add(Expiring::ProviderCertificate, Some(facts::fingerprint(&certificate.der)), certificate.ends);
    }
    if let Some(end) = facts.and_then(|facts| facts.valid_until) {
        add(Expiring::ProviderMetadata, None, end);
    }
    for key in ours.keys.iter().filter(|key| key.active) {
        add(Expiring::OwnCertificate, Some(facts::fingerprint(&keys::certificate(key)?.der)), key.ends_at);
    }
    Ok(found)
}
