//! A bounded memory of imported keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use vestibule_core::platform::CryptoError;
use vestibule_protocol::jose::Algorithm;

/// More keys than the identity providers of one busy process have. Each takes some kilobytes.
const CAPACITY: usize = 1_024;

/// Imported keys by what they were imported from, and the algorithm they were imported for.
pub(super) struct Keys<N, K>(Mutex<HashMap<(N, Algorithm), Arc<K>>>);

impl<N, K> Default for Keys<N, K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<N: Eq + Hash, K> Keys<N, K> {
    /// The key that was imported before, or `import`'s. A key that cannot be imported is not remembered.
    pub(super) fn get_or_import(
        &self,
        name: N,
        algorithm: Algorithm,
        import: impl FnOnce() -> Result<K, CryptoError>,
    ) -> Result<Arc<K>, CryptoError> {
        let slot = (name, algorithm);
        // Whole entries only go in and out, so a panic elsewhere leaves the map usable.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = lock().get(&slot) {
            return Ok(key.clone());
        }
        // Imported without the lock; two at once do it twice, which is harmless.
        let key = Arc::new(import()?);
        let mut keys = lock();
        if keys.len() >= CAPACITY {
            // Which keys are in use is not recorded: starting anew costs each of them one import.
            keys.clear();
        }
        keys.insert(slot, key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_once_and_stays_bounded() {
        let keys = Keys::default();
        let id = |number: usize| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            id
        };
        for number in 0..=CAPACITY * 2 {
            keys.get_or_import(id(number), Algorithm::ES256, || Ok(number)).expect("imports");
            assert!(keys.0.lock().expect("no panic").len() <= CAPACITY);
        }
        let last = CAPACITY * 2;
        let again = keys.get_or_import(id(last), Algorithm::ES256, || Err(CryptoError::BadKey("asked again")));
        assert_eq!(*again.expect("remembered"), last);
        let other = keys.get_or_import(id(last), Algorithm::ES384, || Ok(7)).expect("imports");
        assert_eq!(*other, 7, "a key imported for one algorithm is not used for another");
    }

    #[test]
    fn a_failed_import_is_tried_again() {
        let keys = Keys::default();
        assert!(keys.get_or_import([0; 32], Algorithm::ES256, || Err(CryptoError::BadKey("broken"))).is_err());
        assert_eq!(*keys.get_or_import([0; 32], Algorithm::ES256, || Ok(1)).expect("imports"), 1);
    }
}
