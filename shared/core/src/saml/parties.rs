//! Both sides of a connection that speaks SAML, ready for use: what is known of its provider, with the keys read out of the
//! certificates, and our own keys, opened.

use std::sync::Arc;

use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::saml::Certificate;
use vestibule_protocol::time::Timestamp;

use super::verify::Keys;
use super::{Target, fetch, keys};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{Error, LoginError};
use crate::model::connection::IdpFacts;
use crate::model::saml::{KeyUsage, SamlProvider};
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
    /// When the last try to fetch its metadata began, where it is fetched.
    pub(crate) tried_at: Option<Timestamp>,
}

impl Parties {
    /// What messages are verified and opened with.
    pub(crate) fn keys<'a>(&'a self, broker: &'a Broker) -> Keys<'a> {
        Keys { crypto: &*broker.platform.crypto, signing: &self.signing, encryption: &self.encryption }
    }
}

/// Both sides of a connection, perhaps as they were a minute ago.
pub(crate) async fn parties(broker: &Broker, target: &Target<'_>) -> Result<Arc<Parties>, Error> {
    let now = broker.platform.clock.now();
    let name = connection_name(target.tenant, target.connection);
    if let Some(copy) = broker.copies.saml.get(&name, now) {
        return Ok(copy);
    }
    let fetched = match (&target.settings.idp, &target.settings.metadata_url) {
        (None, Some(url)) => Some(Box::pin(fetch::kept(broker, target, url)).await?),
        _ => None,
    };
    assemble(broker, target, fetched.as_ref()).await
}

/// Both sides again, because a signature was none of those that `known` can verify: with what the provider's metadata says
/// now. `None` where that is nothing else, or was looked up less than a minute ago.
pub(crate) async fn renewed(
    broker: &Broker,
    target: &Target<'_>,
    known: &Parties,
) -> Result<Option<Arc<Parties>>, Error> {
    let now = broker.platform.clock.now();
    let (None, Some(url)) = (&target.settings.idp, &target.settings.metadata_url) else { return Ok(None) };
    if known.tried_at.is_some_and(|tried_at| !(tried_at + fetch::COOL_DOWN).has_passed(now)) {
        return Ok(None);
    }
    let fetched = Box::pin(fetch::fetch(broker, target, url, fetch::COOL_DOWN)).await?;
    let found = assemble(broker, target, Some(&fetched)).await?;
    Ok((found.facts.certificates != known.facts.certificates).then_some(found))
}

async fn assemble(broker: &Broker, target: &Target<'_>, fetched: Option<&SamlProvider>) -> Result<Arc<Parties>, Error> {
    let now = broker.platform.clock.now();
    let facts = match fetched {
        Some(fetched) => fetched.facts(now),
        None => target.settings.idp.as_ref().filter(|facts| !facts.is_over(now)),
    };
    let facts = facts.cloned().ok_or_else(|| unavailable("its metadata was not fetched, or is over"))?;
    let ours = key::saml_keys(target.tenant, target.connection).get_copy(&*broker.platform.store).await?;
    let ours = ours.ok_or(LoginError::ConnectionUnavailable)?.value;
    let open = |key| keys::open(broker, (target.tenant, target.connection), key);
    let signer = ours.of(KeyUsage::Signing).next().ok_or(Error::bug("a connection without a key to sign with"))?;
    let readable = |text: &String| Certificate::read(text).ok().map(|certificate| certificate.key);
    let parties = Parties {
        signing: facts.certificates.iter().filter_map(readable).collect(),
        facts,
        signer: open(signer)?,
        encryption: ours.of(KeyUsage::Encryption).map(open).collect::<Result<_, _>>()?,
        tried_at: fetched.map(|fetched| fetched.tried_at),
    };
    Ok(broker.copies.saml.keep(connection_name(target.tenant, target.connection), parties, now))
}

fn unavailable(reason: &str) -> Error {
    LoginError::UpstreamUnavailable(reason.to_owned()).into()
}
