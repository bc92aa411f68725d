//! What we send to a tenant's webhooks, signed as Standard Webhooks (version 1.0) says: HMAC-SHA256 over
//! `id.timestamp.body`, by each secret of the tenant that is in use.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::header::{ACCEPT, CONTENT_TYPE};
use sha2::Sha256;

use crate::Broker;
use crate::error::Error;
use crate::seal::{Purpose, Sealed};

/// What the texts of secrets start with; the rest is base64.
pub(crate) const SECRET_PREFIX: &str = "whsec_";

/// Where a tenant's secrets are sealed.
pub(crate) fn secret_place(tenant: &str) -> String {
    format!("tenant/{tenant}/webhook_secret")
}

/// A message as a request; `None` when the tenant has no secret. `name` is the message's: a receiver that gets it twice
/// knows it by that.
pub(crate) async fn request(
    broker: &Broker,
    tenant: &str,
    url: &str,
    name: &str,
    body: Bytes,
) -> Result<Option<http::Request<Bytes>>, Error> {
    let timestamp = broker.platform.clock.now().seconds().to_string();
    let Some(signature) = signature(broker, tenant, &[name.as_bytes(), timestamp.as_bytes(), &body]).await? else {
        return Ok(None);
    };
    let request = http::Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .header("webhook-id", name)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body)
        .map_err(|_| Error::bug("a webhook's address is not one"))?;
    Ok(Some(request))
}

/// A signature by each secret that is in use, the newest first; `None` when there is no secret at all.
async fn signature(broker: &Broker, tenant: &str, parts: &[&[u8]]) -> Result<Option<String>, Error> {
    let Some(secrets) = broker.webhook_secrets(tenant).await? else { return Ok(None) };
    let now = broker.platform.clock.now();
    let previous = secrets.previous.as_ref().filter(|previous| !previous.until.has_passed(now));
    let content = parts.join(&b'.');
    let sign = |sealed: &Sealed| -> Result<String, Error> {
        let secret = broker.sealer.open(Purpose::Record, &secret_place(tenant), sealed)?;
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(&secret);
        let mac = mac.map_err(|_| Error::bug("a webhook's secret is no key"))?.chain_update(&content);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    let mut signatures = vec![sign(&secrets.current)?];
    if let Some(previous) = previous {
        signatures.push(sign(&previous.secret)?);
    }
    Ok(Some(signatures.join(" ")))
}
