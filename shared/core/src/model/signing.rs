//! Our signing keys as they are stored: the private half sealed. A key is published, then active, then retired, then
//! gone; when, is decided in `crate::signing::plan`.

use jsonwebtoken::jwk::Jwk;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Timestamp;

use crate::seal::Sealed;

/// All signing keys, the active one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRing {
    /// At least one. The order matters to version 0.1 only, which signs with the first.
    pub keys: Vec<StoredKey>,
}

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// Its name in the published set.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The public half, as published.
    pub public: Jwk,
    /// The private half: PKCS #8 in base64url, sealed.
    pub private: Sealed,
    /// When it was made or imported, and by that published.
    pub created_at: Timestamp,
    /// Where it stands; read it through [`StoredKey::state`]. Version 0.1 wrote none.
    #[serde(default)]
    pub state: Option<KeyState>,
}

/// Where a key stands. Each state is in the published set and verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeyState {
    /// Others learn of it; nothing is signed with it yet.
    Published {
        /// When it becomes active; without a time, not before an administrator says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        use_from: Option<Timestamp>,
    },
    /// It signs. One key does.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// Nothing is signed with it any more; tokens that it signed are still good.
    Retired {
        /// Since when.
        since: Timestamp,
    },
}

impl StoredKey {
    /// Where it stands. A key of version 0.1 has signed since it was made.
    pub fn state(&self) -> KeyState {
        self.state.unwrap_or(KeyState::Active { since: self.created_at })
    }
}

impl KeyRing {
    /// The key that signs.
    pub fn active(&self) -> Option<&StoredKey> {
        self.keys.iter().find(|key| matches!(key.state(), KeyState::Active { .. }))
    }

    /// The keys that are not used yet with the time that they will be, soonest first.
    pub fn waiting(&self) -> Vec<(&StoredKey, Option<Timestamp>)> {
        let published = self.keys.iter().filter_map(|key| match key.state() {
            KeyState::Published { use_from } => Some((key, use_from)),
            KeyState::Active { .. } | KeyState::Retired { .. } => None,
        });
        let mut waiting: Vec<_> = published.collect();
        waiting.sort_by_key(|(_, use_from)| (use_from.is_none(), *use_from));
        waiting
    }

    /// Lets this key sign from `now` on, and retires the one that signed until now.
    pub fn activate(&mut self, kid: &str, now: Timestamp) {
        for key in &mut self.keys {
            if key.kid == kid {
                key.state = Some(KeyState::Active { since: now });
            } else if matches!(key.state(), KeyState::Active { .. }) {
                key.state = Some(KeyState::Retired { since: now });
            }
        }
        self.keys.sort_by_key(|key| key.kid != kid);
    }

    /// Says when a published key is to be used.
    pub fn schedule(&mut self, kid: &str, use_from: Option<Timestamp>) {
        for key in self.keys.iter_mut().filter(|key| key.kid == kid) {
            key.state = Some(KeyState::Published { use_from });
        }
    }

    /// Forgets a key.
    pub fn remove(&mut self, kid: &str) {
        self.keys.retain(|key| key.kid != kid);
    }
}
