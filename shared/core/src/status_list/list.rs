//! One list, signed: the bits of a partition's places, compressed.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use miniz_oxide::deflate::compress_to_vec_zlib;
use serde::Serialize;
use sha2::{Digest, Sha256};
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{LIST_LIFE, PLACES};
use crate::Broker;
use crate::error::Error;
use crate::model::is_id;
use crate::signing;
use crate::store::key::{REVOKED, SessionShard};
use crate::store::{Record, StoreError};

/// For how long this process shows the list that it signed last: a burst costs one list.
const KEPT: Seconds = Seconds(15);
/// For how long a list may be believed where no other can be had.
const BELIEVED: Seconds = Seconds(300);
/// Records asked for at once, which is the most.
const PAGE: usize = 1000;
/// Runs of zeros compress at any level. The next level that saves something, a quarter, takes three times as long.
const LEVEL: u8 = 1;

/// A list as served.
pub struct StatusList {
    /// The signed list (`statuslist+jwt`).
    pub token: Bytes,
    /// Names this very list: an entity tag, in its quotes.
    pub tag: String,
    signed_at: Timestamp,
}

impl StatusList {
    /// For how many seconds from `now` on it may be used.
    pub fn fresh_for(&self, now: Timestamp) -> i64 {
        (self.signed_at + LIST_LIFE).seconds().saturating_sub(now.seconds()).clamp(0, LIST_LIFE.0)
    }
}

/// The claims of a list (§5.1).
#[derive(Serialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: Timestamp,
    exp: Timestamp,
    ttl: Seconds,
    status_list: Bits,
}

#[derive(Serialize)]
struct Bits {
    bits: u8,
    lst: String,
}

/// Where a partition's list is found.
pub(super) fn address(broker: &Broker, shard: &SessionShard) -> String {
    format!("{}/oauth2/status/{}", broker.config.issuer, name(shard))
}

/// A partition's name in the address. No tenant's id has a dot.
fn name(shard: &SessionShard) -> String {
    format!("{}.{}", shard.tenant, shard.number)
}

/// Reads a name. One text for one list: a number is read as it is written.
fn read_name(text: &str) -> Option<SessionShard> {
    let (tenant, number) = text.split_once('.')?;
    let shard = SessionShard { tenant: tenant.to_owned(), number: number.parse().ok()? };
    (is_id(tenant) && name(&shard) == text).then_some(shard)
}

/// The list of this name, at most [`KEPT`] old; `None` where there is none.
pub async fn document(broker: &Broker, list: &str) -> Result<Option<Arc<StatusList>>, Error> {
    let now = broker.platform.clock.now();
    let kept = broker.copies.status_lists.get(list, now);
    if let Some(kept) = kept.filter(|kept| !(kept.signed_at + KEPT).has_passed(now)) {
        return Ok(Some(kept));
    }
    let Some(shard) = read_name(list) else { return Ok(None) };
    let tenant = broker.tenant(&shard.tenant).await?;
    if tenant.is_none_or(|tenant| shard.number >= tenant.session_shards.max(1)) {
        return Ok(None);
    }
    let bits = read(broker, &shard).await?;
    let signed = sign(broker, &shard, &bits, now).await?;
    Ok(Some(broker.copies.status_lists.keep(list.to_owned(), signed, now)))
}

/// The bits as the store has them now: a place's bit is the lowest of its byte first (§4.1).
async fn read(broker: &Broker, shard: &SessionShard) -> Result<Vec<u8>, StoreError> {
    let mut bits = vec![0; PLACES as usize / 8];
    let (partition, mut after) = (shard.partition(), None);
    loop {
        let page = broker.platform.store.list(&partition, REVOKED, after.as_deref(), PAGE).await?;
        for place in page.records.iter().filter_map(place) {
            if let Some(byte) = bits.get_mut(place / 8) {
                *byte |= 1 << (place % 8);
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(bits);
        }
    }
}

fn place(record: &Record) -> Option<usize> {
    usize::from_str_radix(record.id.strip_prefix(REVOKED)?, 16).ok()
}

async fn sign(broker: &Broker, shard: &SessionShard, bits: &[u8], now: Timestamp) -> Result<StatusList, Error> {
    let claims = Claims {
        iss: broker.config.issuer.clone(),
        sub: address(broker, shard),
        iat: now,
        exp: now + BELIEVED,
        ttl: LIST_LIFE,
        status_list: Bits { bits: 1, lst: URL_SAFE_NO_PAD.encode(compress_to_vec_zlib(bits, LEVEL)) },
    };
    let token = signing::keys(broker).await?.sign(broker, TokenType::StatusList, &claims).await?;
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha256::digest(&token)));
    Ok(StatusList { token: token.into(), tag, signed_at: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_name() {
        let shard = SessionShard { tenant: "acme".into(), number: 10 };
        assert_eq!(read_name(&name(&shard)), Some(shard));
        for wrong in
            ["acme", "acme.", ".1", "acme.01", "acme.+1", "acme.-1", "acme.70000", "acme.1.2", "ACME.1", "a#.1"]
        {
            assert_eq!(read_name(wrong), None, "{wrong}");
        }
    }
}
