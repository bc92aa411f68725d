//! What can go wrong, in kinds.

use crate::store::StoreError;

/// An error of a flow.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Ours: the store.
    #[error("store")]
    Store(#[from] StoreError),
}
