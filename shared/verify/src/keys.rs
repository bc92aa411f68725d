//! The issuer's published keys, kept as long as their `Cache-Control` says.

use std::sync::Arc;

use futures_util::lock::Mutex;
use serde::Deserialize;

use crate::error::{Error, Unavailable};
use crate::fetch::Fetch;
use crate::signed::{Jwk, Key};

/// For how many seconds keys are used without a question. A new key is published a day before its first use.
const LIFE: i64 = 300;
/// For how many seconds they are used when nobody answers.
const BELIEVED: i64 = 3_600;
/// For how many seconds nobody is asked again for a key that was not there, or an answer that did not come: whoever invents
/// names of keys must not send us to the broker each time.
const COOL_DOWN: i64 = 10;

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Default)]
struct Kept {
    keys: Vec<Arc<Key>>,
    /// When they were read; `None` for never.
    read_at: Option<i64>,
    /// When they were last asked for.
    asked_at: Option<i64>,
}

/// The keys of one issuer.
pub(crate) struct Keys {
    url: String,
    kept: Mutex<Kept>,
}

impl Keys {
    pub(crate) fn of(issuer: &str) -> Self {
        Self { url: format!("{issuer}/oauth2/jwks"), kept: Mutex::default() }
    }

    /// The key of this name. Of many who ask at once, one goes to the broker and the others wait.
    pub(crate) async fn find(&self, fetch: &dyn Fetch, kid: &str, now: i64) -> Result<Arc<Key>, Error> {
        let mut kept = self.kept.lock().await;
        let find = |kept: &Kept| kept.keys.iter().find(|key| key.kid == kid).map(Arc::clone);
        let found = find(&kept);
        let age = kept.read_at.map(|at| now.saturating_sub(at));
        if let Some(key) = &found
            && age.is_some_and(|age| age < LIFE)
        {
            return Ok(Arc::clone(key));
        }
        if kept.asked_at.is_none_or(|at| now.saturating_sub(at) >= COOL_DOWN) {
            kept.asked_at = Some(now);
            match self.read(fetch).await {
                Ok(keys) => {
                    kept.keys = keys;
                    kept.read_at = Some(now);
                    return find(&kept).ok_or(Error::UnknownKey);
                }
                Err(error) if age.is_none_or(|age| age >= BELIEVED) => return Err(Error::Keys(error)),
                Err(_) => {}
            }
        } else if age.is_none_or(|age| age >= BELIEVED) {
            return Err(Error::Keys(Unavailable::NotAsItShould("the last answer was not as it should be")));
        }
        found.ok_or(Error::UnknownKey)
    }

    async fn read(&self, fetch: &dyn Fetch) -> Result<Vec<Arc<Key>>, Unavailable> {
        let text = fetch.get(&self.url).await?;
        let set: KeySet = serde_json::from_str(&text).map_err(|_| Unavailable::NotAsItShould("not a set of keys"))?;
        let jwks = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(jwks.filter_map(|jwk| jwk.parse()).map(Arc::new).collect())
    }
}
