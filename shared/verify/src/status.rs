//! Status lists (draft-ietf-oauth-status-list-21): which places are marked, a list for each address that tokens name. A list
//! is kept as the numbers of the marked places, which are few.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::lock;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::Deserialize;

use crate::error::{Error, Unavailable};
use crate::fetch::Fetch;
use crate::keys::Keys;
use crate::signed::Signed;

/// For how many seconds a list is used, counted from when it was made.
const LIFE: i64 = 60;
/// How soon the next list is asked for at most, in seconds, whatever the clocks say and whoever does not answer.
const PAUSE: i64 = 5;
/// Most bytes of a list: of eight million places.
const LARGEST: usize = 1024 * 1024;
/// Most lists that are kept before all are dropped: a bound on memory.
const MOST: usize = 4096;

/// Where a token's revocation would be seen (§6.2).
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) status_list: Reference,
}

/// A place in a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) idx: u64,
    pub(crate) uri: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
    status_list: Bits,
}

#[derive(Deserialize)]
struct Bits {
    bits: u8,
    lst: String,
}

/// A list that was verified.
struct List {
    /// The marked places, in order.
    marked: Vec<u64>,
    places: u64,
    /// When the next one is asked for.
    due: i64,
    /// When it may not be believed any more.
    end: i64,
}

/// What is kept of an address.
#[derive(Default)]
struct Kept {
    list: Option<List>,
    /// Before this nobody is asked.
    due: i64,
}

/// What lists are verified with.
pub(crate) struct Source<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) keys: &'a Keys,
    pub(crate) fetch: &'a dyn Fetch,
    pub(crate) leeway: i64,
}

/// One list, and whoever fetches it.
type Slot = Arc<lock::Mutex<Kept>>;

/// All lists that were asked for.
#[derive(Default)]
pub(crate) struct Lists {
    slots: Mutex<HashMap<String, Slot>>,
}

impl Lists {
    /// Whether a place is marked. Of many who ask at once, one goes to the broker and the others wait.
    pub(crate) async fn is_marked(&self, source: &Source<'_>, place: &Reference, now: i64) -> Result<bool, Error> {
        // Nothing else is fetched on a token's word.
        let ours = place.uri.strip_prefix(source.issuer).and_then(|path| path.strip_prefix("/oauth2/status/"));
        if ours.is_none_or(|name| name.is_empty() || !name.bytes().all(is_plain)) {
            return Err(Error::NoStatus);
        }
        let slot = self.slot(&place.uri);
        let mut kept = slot.lock().await;
        if now >= kept.due {
            match source.read(&place.uri, now).await {
                Ok(list) => *kept = Kept { due: list.due, list: Some(list) },
                Err(error) => {
                    kept.due = now + PAUSE;
                    if kept.list.as_ref().is_none_or(|list| now >= list.end) {
                        return Err(error);
                    }
                }
            }
        }
        let list = kept.list.as_ref().filter(|list| now < list.end);
        let list = list.ok_or(Error::StatusList(Unavailable::NotAsItShould("there was none a moment ago")))?;
        if place.idx >= list.places {
            return Err(Error::NoStatus);
        }
        Ok(list.marked.binary_search(&place.idx).is_ok())
    }

    fn slot(&self, uri: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(uri) {
            slots.clear();
        }
        Arc::clone(slots.entry(uri.to_owned()).or_default())
    }
}

/// What a list's name is made of.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
}

impl Source<'_> {
    /// Fetches and verifies a list (§8.3): of this issuer, about this address, of its type, in its time.
    async fn read(&self, uri: &str, now: i64) -> Result<List, Error> {
        let refused = |why| Error::StatusList(Unavailable::NotAsItShould(why));
        let text = self.fetch.get(uri).await.map_err(|error| Error::StatusList(error.into()))?;
        let signed = Signed::parse(text.trim()).map_err(|_| refused("not a signed list"))?;
        signed.is_of_type("statuslist+jwt").map_err(|_| refused("not a status list"))?;
        let kid = signed.kid().ok_or_else(|| refused("the list names no key"))?;
        let key = self.keys.find(self.fetch, kid, now).await.map_err(|error| match error {
            // A fault of the list, not of the token that names it.
            Error::UnknownKey => refused("the list is signed by a key that is not known"),
            error => error,
        })?;
        let claims: Claims = signed.open(&key).map_err(|_| refused("the list is not signed by its issuer"))?;
        if claims.iss != self.issuer || claims.sub != uri {
            return Err(refused("the list is another one"));
        }
        if claims.exp.saturating_add(self.leeway) <= now || claims.iat > now.saturating_add(self.leeway) {
            return Err(refused("the list is too old, or from the future"));
        }
        let (marked, places) = unpack(&claims.status_list).ok_or_else(|| refused("the list cannot be unpacked"))?;
        let due = claims.iat.saturating_add(LIFE).clamp(now + PAUSE, now + LIFE);
        Ok(List { marked, places, due, end: claims.exp.saturating_add(self.leeway) })
    }
}

/// The marked places, and how many there are. Each has one bit, the lowest of a byte first (§4.1).
fn unpack(packed: &Bits) -> Option<(Vec<u64>, u64)> {
    if packed.bits != 1 {
        return None;
    }
    let compressed = URL_SAFE_NO_PAD.decode(&packed.lst).ok()?;
    let bytes = decompress_to_vec_zlib_with_limit(&compressed, LARGEST).ok()?;
    let mut marked = Vec::new();
    for (first, byte) in (0..).step_by(8).zip(&bytes) {
        marked.extend((0..8_u64).filter(|bit| byte >> bit & 1 == 1).map(|bit| first + bit));
    }
    Some((marked, u64::try_from(bytes.len()).ok()? * 8))
}
