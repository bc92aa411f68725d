//! The places of a status list: each partition of sessions has a list of its own.

use super::SessionShard;
use crate::store::record::RecordKey;

/// What the ids of places with revoked tokens start with; the place follows in five hexadecimal digits.
pub const REVOKED: &str = "revoked#";

impl SessionShard {
    /// That a place is some family's.
    pub fn status(&self, place: u32) -> RecordKey<()> {
        RecordKey::new(self.partition(), format!("status#{place:05x}"))
    }

    /// That the access tokens at a place are revoked.
    pub fn revoked(&self, place: u32) -> RecordKey<()> {
        RecordKey::new(self.partition(), format!("{REVOKED}{place:05x}"))
    }
}
