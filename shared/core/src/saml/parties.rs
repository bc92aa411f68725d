//! Both sides of a connection that speaks SAML, ready for use: what is known of its provider, with the keys read out of the
//! certificates, and our own keys, opened.

use std::sync::Arc;

use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::saml::Certificate;
use vestibule_protocol::time::Timestamp;

use super::{Target, keys};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{Error, LoginError};
use crate::model::connection::IdpFacts;
use crate::model::saml::{KeyUsage, SamlKeys, SamlProvider};
use crate::platform::PrivateKey;
use crate::store::key;

/// Both sides of a connection.
pub(crate) struct Parties {
    /// What is known of the provider.
    pub(crate) facts: IdpFacts,
    /// What it signs with.
    pub(crate) signing: Vec<PublicKey>,
    /// What we sign with.
    pub(crate) signer: PrivateKey,
    /// What it may have encrypted for.
    pub(crate) encryption: Vec<PrivateKey>,
    /// When its metadata was last fetched because a signature did not verify.
    pub(crate) refetched_at: Option<Timestamp>,
}

/// Both sides of a connection, perhaps as they were a minute ago.
pub(crate) async fn parties(broker: &Broker, target: &Target<'_>) -> Result<Arc<Parties>, Error> {
    let now = broker.platform.clock.now();
    let name = connection_name(target.tenant, target.connection);
    if let Some(copy) = broker.copies.saml.get(&name, now) {
        return Ok(copy);
    }
    let store = &*broker.platform.store;
    let ours = key::saml_keys(target.tenant, target.connection).get_copy(store).await?;
    let ours = ours.ok_or(LoginError::ConnectionUnavailable)?.value;
    let theirs = match &target.settings.idp {
        Some(facts) => SamlProvider { facts: facts.clone(), fetched_at: now, refetched_at: None },
        None => return Err(LoginError::UpstreamUnavailable("its metadata was not fetched".to_owned()).into()),
    };
    Ok(broker.copies.saml.keep(name, assemble(broker, target, theirs, &ours)?, now))
}

fn assemble(broker: &Broker, target: &Target<'_>, theirs: SamlProvider, ours: &SamlKeys) -> Result<Parties, Error> {
    let open = |key| keys::open(broker, (target.tenant, target.connection), key);
    let signer = ours.of(KeyUsage::Signing).next().ok_or(Error::bug("a connection without a key to sign with"))?;
    let readable = |text: &String| Certificate::read(text).ok().map(|certificate| certificate.key);
    Ok(Parties {
        signing: theirs.facts.certificates.iter().filter_map(readable).collect(),
        facts: theirs.facts,
        signer: open(signer)?,
        encryption: ours.of(KeyUsage::Encryption).map(open).collect::<Result<_, _>>()?,
        refetched_at: theirs.refetched_at,
    })
}
