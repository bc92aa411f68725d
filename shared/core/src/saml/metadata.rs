//! Our own metadata for a connection: what its provider's administrator uploads, or what the provider fetches. It is there
//! before the connection is enabled.

use vestibule_protocol::saml::OwnMetadata;

use super::names::Names;
use super::{Target, keys};
use crate::Broker;
use crate::error::Error;
use crate::model::saml::{KeyUsage, SamlKey};
use crate::store::key;

/// The document for a connection; `None` if there is none that speaks SAML. All certificates to sign with are in it, the
/// active one first, so that a provider knows the next before it is used.
pub async fn document(broker: &Broker, tenant: &str, connection: &str) -> Result<Option<String>, Error> {
    let Some(found) = broker.connection(tenant, connection).await? else { return Ok(None) };
    let Some(settings) = found.upstream.saml() else { return Ok(None) };
    let kept = key::saml_keys(tenant, connection).get_copy(&*broker.platform.store).await?;
    let Some(kept) = kept.map(|kept| kept.value) else { return Ok(None) };
    let der = |key: &SamlKey| keys::certificate(key).map(|certificate| certificate.der);
    let signing = kept.of(KeyUsage::Signing).map(der).collect::<Result<Vec<_>, _>>()?;
    let encryption = kept.of(KeyUsage::Encryption).find(|key| key.active && settings.wants_encryption);
    let encryption = encryption.map(der).transpose()?;
    let names = Names::of(broker, &Target { tenant, connection, settings });
    let metadata = OwnMetadata {
        entity_id: &names.entity_id,
        acs: &names.acs,
        slo: &names.slo,
        signing: &signing,
        encryption: encryption.as_deref(),
        signs_requests: settings.request.signed,
    };
    Ok(Some(metadata.to_xml()))
}
