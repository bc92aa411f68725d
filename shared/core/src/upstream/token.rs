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
use vestibule_protocol::jose::Compact;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::signature::verify_signature;
use super::{Target, UpstreamCopy};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::session::AuthenticationMethod;

/// The claims beside the standard ones that we look at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ExtraClaims {
    /// Before this, the token does not count (RFC 7519 §4.1.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

impl AdditionalClaims for ExtraClaims {}

pub(super) type UpstreamIdToken =
    IdToken<ExtraClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What the token must fit.
pub(super) struct Expected<'a> {
    pub(super) target: Target<'a>,
    /// What the login sent. None where the token is not of a login.
    pub(super) nonce: Option<&'a str>,
    /// How long ago the person may have signed in at the provider.
    pub(super) max_age: Option<Seconds>,
}

/// What an ID token said, after everything about it was found right.
pub(super) struct Verified {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) claims: Claims,
    pub(super) auth_time: Option<Timestamp>,
    pub(super) method: AuthenticationMethod,
}

/// The claims of an ID token that the provider signed, for us, for this login if for one, now.
pub(super) async fn verify_id_token(
    broker: &Broker,
    expected: &Expected<'_>,
    copy: Arc<UpstreamCopy>,
    id_token: &UpstreamIdToken,
    access_token: &AccessToken,
) -> Result<Verified, Error> {
    let invalid = |rule: &'static str| Error::from(LoginError::UpstreamInvalid(rule));
    let text = id_token.to_string();
    let parsed = Compact::parse(&text).map_err(|_| invalid("ID token header"))?;
    if !verify_signature(broker, &expected.target, copy, &parsed).await? {
        return Err(invalid("ID token signature"));
    }

    let settings = expected.target.settings;
    let raw = Claims::parse(&parsed.payload).ok_or_else(|| invalid("ID token claims"))?;
    let issuer = raw.text("iss").filter(|issuer| settings.issuers().may_issue(issuer, raw.text("tid")));
    let issuer = issuer.ok_or_else(|| invalid("ID token iss"))?.to_owned();
    let issuer_url = IssuerUrl::new(issuer.clone()).map_err(|_| invalid("ID token iss"))?;
    let now = broker.platform.clock.now();
    let earliest_end = date(now - settings.skew).ok_or(Error::bug("the clock is out of range"))?;
    let latest_start = date(now + settings.skew).ok_or(Error::bug("the clock is out of range"))?;
    let audience = ClientId::new(settings.audience().to_owned());
    let verifier = IdTokenVerifier::<PlatformKey>::new_public_client(audience, issuer_url, JsonWebKeySet::default())
        .insecure_disable_signature_check() // verified above, through the platform
        .set_other_audience_verifier_fn(|_| true) // allowed under the rule on `azp` below
        .set_time_fn(move || earliest_end)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= latest_start { Ok(()) } else { Err("issued in the future".to_owned()) }
        });
    let is_ours = |said: Option<&Nonce>| match expected.nonce {
        Some(sent) if said.map(|said| said.secret().as_str()) != Some(sent) => Err("another nonce".to_owned()),
        _ => Ok(()),
    };
    let claims = id_token.claims(&verifier, is_ours).map_err(|error| invalid(rule_of(&error)))?;
    check_claims(expected, claims, now)?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|_| invalid("ID token header"))?;
        let actual = AccessTokenHash::from_token(access_token, algorithm, &PlatformKey);
        if actual.ok().as_ref() != Some(expected) {
            return Err(invalid("ID token at_hash"));
        }
    }
    let (auth_time, method) = authentication(claims);
    Ok(Verified { issuer, subject: claims.subject().to_string(), claims: raw, auth_time, method })
}

/// When and how the person proved who they are, bounded: it goes into our tokens.
fn authentication(claims: &IdTokenClaims<ExtraClaims, CoreGenderClaim>) -> (Option<Timestamp>, AuthenticationMethod) {
    let auth_time = claims.auth_time().map(|at| Timestamp::from_seconds(at.timestamp()));
    let short = |text: &String| (1..=128).contains(&text.len());
    let acr = claims.auth_context_ref().map(|acr| acr.to_string()).filter(short);
    let amr = claims.auth_method_refs().into_iter().flatten().map(|amr| amr.to_string()).filter(short).take(16);
    (auth_time, AuthenticationMethod { acr, amr: amr.collect() })
}

/// The rules that `openidconnect` leaves to its callers.
fn check_claims(
    expected: &Expected<'_>,
    claims: &IdTokenClaims<ExtraClaims, CoreGenderClaim>,
    now: Timestamp,
) -> Result<(), LoginError> {
    let settings = expected.target.settings;
    let invalid = |rule| Err(LoginError::UpstreamInvalid(rule));
    match claims.authorized_party() {
        Some(party) if party.as_str() != settings.client_id => return invalid("ID token azp"),
        // For several audiences it must be said that we are the one it was issued to (Core §3.1.3.7, rules 3 to 5).
        None if claims.audiences().len() > 1 => return invalid("ID token azp"),
        _ => {}
    }
    let latest_start = now + settings.skew;
    if claims.additional_claims().nbf.is_some_and(|start| Timestamp::from_seconds(start) > latest_start) {
        return invalid("ID token nbf");
    }
    if claims.subject().is_empty() || claims.subject().len() > 255 {
        return invalid("ID token sub");
    }
    if let Some(max_age) = expected.max_age {
        // Core §3.1.3.7 rule 13: asked for, so it must be there.
        let signed_in = claims.auth_time().map(|at| Timestamp::from_seconds(at.timestamp()));
        let recent = |at: Timestamp| at <= latest_start && now <= at + max_age + settings.skew;
        if !signed_in.is_some_and(recent) {
            return invalid("ID token auth_time");
        }
    }
    Ok(())
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
