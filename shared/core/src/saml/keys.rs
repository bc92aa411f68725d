//! Our key pairs toward one connection's provider: made, sealed and opened.

use base64::{Engine, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::saml::{Certificate, NewCertificate, Subject};
use vestibule_protocol::time::Seconds;

use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::saml::{KeyUsage, SamlKey, SamlKeys};
use crate::platform::PrivateKey;
use crate::seal::Purpose;
use crate::secret::Secret;

/// How long a certificate of ours is good. Providers hardly look, and each replacement costs somebody's afternoon: ten years.
const CERTIFICATE_LIFE: Seconds = Seconds(10 * 365 * 86_400);
/// Ours may be ahead of a provider's clock.
const CLOCK_LEEWAY: Seconds = Seconds(86_400);

/// Where a private key is sealed to.
pub(crate) fn sealed_place(tenant: &str, connection: &str, key: &str) -> String {
    format!("tenant/{tenant}/connection/{connection}/saml_keys/{key}")
}

/// A new key pair, which is not in use yet.
pub(crate) async fn new_key(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    usage: KeyUsage,
    algorithm: Algorithm,
) -> Result<SamlKey, Error> {
    let pair = broker.platform.crypto.generate(algorithm).await?;
    let random = &*broker.platform.random;
    let (id, created_at) = (new_id(random), broker.platform.clock.now());
    let mut serial = [0; 16];
    random.fill(&mut serial);
    // Positive, and without a zero in front (RFC 5280 §4.1.2.2).
    if let Some(first) = serial.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    let ends_at = created_at + CERTIFICATE_LIFE;
    let name = format!("{tenant}/{connection}");
    let subject = Subject { name: &name, serial, starts: created_at - CLOCK_LEEWAY, ends: ends_at };
    let certificate = NewCertificate::new(&subject, &pair.public).ok_or(Error::bug("a certificate for no key"))?;
    let signature = broker.platform.crypto.sign(&pair, certificate.input()).await?;
    let der = certificate.signed(&signature).ok_or(Error::bug("a certificate that cannot be written"))?;
    let private = URL_SAFE_NO_PAD.encode(pair.pkcs8.expose());
    let place = sealed_place(tenant, connection, &id);
    Ok(SamlKey {
        private: broker.sealer.seal(random, Purpose::Record, &place, private.as_bytes())?,
        id,
        usage,
        algorithm,
        active: false,
        created_at,
        ends_at,
        certificate: STANDARD.encode(der),
    })
}

/// `keys` with one that is active for each use that has none.
pub(crate) async fn complete(
    broker: &Broker,
    connection: (&str, &str),
    mut keys: SamlKeys,
    wants_encryption: bool,
) -> Result<SamlKeys, Error> {
    let uses = [KeyUsage::Signing, KeyUsage::Encryption];
    for usage in uses.into_iter().filter(|usage| *usage == KeyUsage::Signing || wants_encryption) {
        if !keys.of(usage).any(|key| key.active) {
            let new = new_key(broker, connection, usage, Algorithm::RS256).await?;
            keys.keys.push(SamlKey { active: true, ..new });
        }
    }
    Ok(keys)
}

/// The private half, opened.
pub(crate) fn open(broker: &Broker, (tenant, connection): (&str, &str), key: &SamlKey) -> Result<PrivateKey, Error> {
    let sealed = broker.sealer.open(Purpose::Record, &sealed_place(tenant, connection, &key.id), &key.private)?;
    let pkcs8 = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Error::bug("a stored private key is not base64url"))?;
    let public = certificate(key)?.key;
    Ok(PrivateKey { algorithm: key.algorithm, pkcs8: Secret::new(pkcs8), public })
}

/// The certificate, read.
pub(crate) fn certificate(key: &SamlKey) -> Result<Certificate, Error> {
    Certificate::read(&key.certificate).map_err(|_| Error::bug("a stored certificate is not readable"))
}
