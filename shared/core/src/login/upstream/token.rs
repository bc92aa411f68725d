//! The provider's ID token: signature first, through the platform, then the claims (OpenID Connect Core §3.1.3.7).
//! Both are in this file, in one function, so that neither can be forgotten.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKeyType, CoreJsonWebKeyUse, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, ClientId, IdToken, IdTokenClaims, IdTokenVerifier, IssuerUrl,
    JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeyId, JsonWebKeySet, Nonce, SignatureVerificationError,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384, Sha512};
use vestibule_protocol::jose::{Compact, PublicKey};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Target, UpstreamCopy, documents_for_unknown_key};
use crate::Broker;
use crate::error::{Error, LoginError};

/// How far a provider's clock may be off, in either direction.
const SKEW: Seconds = Seconds(60);

/// The claims beside the standard ones that we look at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ExtraClaims {
    /// Before this, the token does not count (RFC 7519 §4.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

impl AdditionalClaims for ExtraClaims {}

type UpstreamIdToken =
    IdToken<ExtraClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What the token must fit.
pub(super) struct Expected<'a> {
    pub(super) target: Target<'a>,
    pub(super) nonce: &'a str,
}

/// The claims of an ID token that the provider signed, for us, for this login, now.
pub(super) async fn verify_id_token<'t>(
    broker: &Broker,
    expected: &Expected<'_>,
    copy: Arc<UpstreamCopy>,
    id_token: &'t UpstreamIdToken,
    access_token: &AccessToken,
) -> Result<&'t IdTokenClaims<ExtraClaims, CoreGenderClaim>, Error> {
    let invalid = |rule: &'static str| Error::from(LoginError::UpstreamInvalid(rule));
    let text = id_token.to_string();
    let parsed = Compact::parse(&text).map_err(|_| invalid("ID token header"))?;
    let mut keys = copy;
    if candidates(&keys, &parsed).next().is_none() {
        keys = documents_for_unknown_key(broker, &expected.target, keys).await?;
    }
    // Without a kid any key of the set may have signed; there are few, and an unsuitable one verifies nothing.
    let mut signed = false;
    for key in candidates(&keys, &parsed).take(4) {
        signed |= broker.platform.crypto.verify(key, parsed.algorithm, parsed.input, &parsed.signature).await.is_ok();
    }
    if !signed {
        return Err(invalid("ID token signature"));
    }

    let now = broker.platform.clock.now();
    let settings = expected.target.settings;
    let client_id = ClientId::new(settings.client_id.clone());
    let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|_| invalid("issuer"))?;
    let earliest_end = date(now - SKEW).ok_or(Error::bug("the clock is out of range"))?;
    let latest_start = date(now + SKEW).ok_or(Error::bug("the clock is out of range"))?;
    let verifier =
        IdTokenVerifier::<PlatformKey>::new_public_client(client_id.clone(), issuer, JsonWebKeySet::default())
            .insecure_disable_signature_check() // verified above, through the platform
            .set_time_fn(move || earliest_end)
            .set_issue_time_verifier_fn(move |issued| {
                if issued <= latest_start { Ok(()) } else { Err("issued in the future".to_owned()) }
            });
    let claims =
        id_token.claims(&verifier, &Nonce::new(expected.nonce.to_owned())).map_err(|error| invalid(rule_of(&error)))?;
    if claims.authorized_party().is_some_and(|party| *party != client_id) {
        return Err(invalid("ID token azp"));
    }
    if claims.additional_claims().nbf.is_some_and(|start| Timestamp::from_seconds(start) > now + SKEW) {
        return Err(invalid("ID token nbf"));
    }
    if claims.subject().is_empty() || claims.subject().len() > 255 {
        return Err(invalid("ID token sub"));
    }
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|_| invalid("ID token header"))?;
        let actual = AccessTokenHash::from_token(access_token, algorithm, &PlatformKey);
        if actual.ok().as_ref() != Some(expected) {
            return Err(invalid("ID token at_hash"));
        }
    }
    Ok(claims)
}

/// The keys that may have made this signature: named by the token, and of a type for its algorithm.
fn candidates<'k>(keys: &'k UpstreamCopy, token: &'k Compact<'_>) -> impl Iterator<Item = &'k PublicKey> {
    keys.keys
        .iter()
        .filter(|key| key.allows(token.algorithm))
        .filter(|key| token.kid.is_none() || key.kid() == token.kid.as_deref())
}

fn date(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds(), 0)
}

const fn rule_of(error: &openidconnect::ClaimsVerificationError) -> &'static str {
    use openidconnect::ClaimsVerificationError as Rule;
    match error {
        Rule::Expired(_) => "ID token exp or iat",
        Rule::InvalidAudience(_) => "ID token aud",
        Rule::InvalidIssuer(_) => "ID token iss",
        Rule::InvalidNonce(_) => "ID token nonce",
        _ => "ID token claims",
    }
}

/// Stands where `openidconnect` wants a key type. It verifies nothing: the platform does. It only knows which hash
/// belongs to an algorithm, for `at_hash`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PlatformKey;

impl JsonWebKey for PlatformKey {
    type KeyUse = CoreJsonWebKeyUse;
    type SigningAlgorithm = CoreJwsSigningAlgorithm;

    fn key_id(&self) -> Option<&JsonWebKeyId> {
        None
    }

    fn key_type(&self) -> &CoreJsonWebKeyType {
        &CoreJsonWebKeyType::RSA
    }

    fn key_use(&self) -> Option<&CoreJsonWebKeyUse> {
        None
    }

    fn signing_alg(&self) -> JsonWebKeyAlgorithm<&CoreJwsSigningAlgorithm> {
        JsonWebKeyAlgorithm::Unsupported
    }

    fn new_symmetric(_: Vec<u8>) -> Self {
        Self
    }

    fn verify_signature(
        &self,
        _: &CoreJwsSigningAlgorithm,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), SignatureVerificationError> {
        Err(SignatureVerificationError::NoMatchingKey)
    }

    fn hash_bytes(&self, bytes: &[u8], algorithm: &CoreJwsSigningAlgorithm) -> Result<Vec<u8>, String> {
        use CoreJwsSigningAlgorithm as Signed;
        match algorithm {
            Signed::RsaSsaPkcs1V15Sha256 | Signed::RsaSsaPssSha256 | Signed::EcdsaP256Sha256 => {
                Ok(Sha256::digest(bytes).to_vec())
            }
            Signed::RsaSsaPkcs1V15Sha384 | Signed::RsaSsaPssSha384 | Signed::EcdsaP384Sha384 => {
                Ok(Sha384::digest(bytes).to_vec())
            }
            // Ed25519 hashes with SHA-512 (RFC 8032 §5.1).
            Signed::RsaSsaPkcs1V15Sha512 | Signed::RsaSsaPssSha512 | Signed::EdDsa => {
                Ok(Sha512::digest(bytes).to_vec())
            }
            _ => Err("no hash for this algorithm".to_owned()),
        }
    }
}
