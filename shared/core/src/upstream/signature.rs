//! Whether a provider signed something: its published keys, the platform's arithmetic.

use std::sync::Arc;

use vestibule_protocol::jose::{Compact, PublicKey};

use super::{Target, UpstreamCopy, documents_for_unknown_key};
use crate::Broker;
use crate::error::Error;

/// Whether one of the provider's keys signed this. A key that we do not know is looked for, within the cool-down.
pub(crate) async fn verify_signature(
    broker: &Broker,
    target: &Target<'_>,
    copy: Arc<UpstreamCopy>,
    token: &Compact<'_>,
) -> Result<bool, Error> {
    let mut keys = copy;
    if candidates(&keys, token).next().is_none() {
        keys = documents_for_unknown_key(broker, target, keys).await?;
    }
    // Without a kid any key of the set may have signed; there are few, and an unsuitable one verifies nothing.
    for key in candidates(&keys, token).take(4) {
        if broker.platform.crypto.verify(key, token.algorithm, token.input, &token.signature).await.is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The keys that may have made this signature: named by the token, and of a type for its algorithm.
fn candidates<'k>(keys: &'k UpstreamCopy, token: &'k Compact<'_>) -> impl Iterator<Item = &'k PublicKey> {
    keys.keys
        .iter()
        .filter(|key| key.allows(token.algorithm))
        .filter(|key| token.kid.is_none() || key.kid() == token.kid.as_deref())
}
