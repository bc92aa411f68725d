//! What a provider's metadata says that can be used.

use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;
use vestibule_protocol::saml::{Certificate, Endpoint, IdpMetadata, Refused};

use crate::Broker;
use crate::model::connection::IdpFacts;
use crate::upstream::may_be_gone_to;

/// Why metadata cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FactsError {
    /// It is not as it has to be.
    #[error("cannot be used: {0}")]
    Refused(#[from] Refused),
    /// Nobody can be sent there to sign in.
    #[error("names no SingleSignOnService by HTTP-Redirect or HTTP-POST at an https address")]
    NowhereToSignIn,
}

/// Reads the metadata of the provider of this entity id, or of the only one in it; says its entity id, too. Addresses that
/// browsers must not be sent to are left out.
pub(crate) fn read(broker: &Broker, text: &str, meant: Option<&str>) -> Result<(String, IdpFacts), FactsError> {
    let metadata = IdpMetadata::read(text, meant, broker.platform.clock.now())?;
    let IdpMetadata { entity_id, single_sign_on, single_logout, wants_signed_requests, valid_until, .. } = metadata;
    let usable =
        |all: Vec<Endpoint>| all.into_iter().filter(|endpoint| is_usable(broker, endpoint)).collect::<Vec<_>>();
    let (single_sign_on, single_logout) = (usable(single_sign_on), usable(single_logout));
    if single_sign_on.is_empty() {
        return Err(FactsError::NowhereToSignIn);
    }
    let certificates = certificates(metadata.certificates);
    Ok((entity_id, IdpFacts { single_sign_on, single_logout, certificates, wants_signed_requests, valid_until }))
}

/// Certificates as they are kept: base64 of DER.
pub(crate) fn certificates(all: impl IntoIterator<Item = Certificate>) -> Vec<String> {
    all.into_iter().map(|certificate| STANDARD.encode(certificate.der)).collect()
}

fn is_usable(broker: &Broker, endpoint: &Endpoint) -> bool {
    let mut addresses = std::iter::once(&endpoint.location).chain(&endpoint.response_location);
    addresses.all(|address| Url::parse(address).is_ok_and(|address| may_be_gone_to(broker, &address).is_ok()))
}
