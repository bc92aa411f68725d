//! The token status list (draft-ietf-oauth-status-list-21): one bit for each refresh family, in one list for each
//! partition of sessions. Whoever verifies access tokens by themselves fetches the list once a minute, and so learns of
//! a revocation without a request for each token.
//!
//! A family's place is drawn at random and taken in the commit that creates the grant. What ends a family marks the
//! place in the commit that removes the grant, until the last access token that says the place has ended.

mod list;

use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

pub use self::list::{StatusList, document};
use crate::Broker;
use crate::model::client::access_token_life;
use crate::model::session::{Grant, TokenStatus};
use crate::platform::Random;
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError, Write};

/// For how long anybody may use a list: what is revoked is in every cache after this.
pub const LIST_LIFE: Seconds = Seconds(60);

/// Places in one list.
const PLACES: u32 = 1 << 20;

/// The `status` claim of an access token (§6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusClaim {
    status_list: Reference,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reference {
    idx: u32,
    uri: String,
}

/// What access tokens of this family say, if it has a place.
pub(crate) fn claim(broker: &Broker, shard: &SessionShard, grant: &Grant) -> Option<StatusClaim> {
    let idx = grant.status?.index;
    Some(StatusClaim { status_list: Reference { idx, uri: list::address(broker, shard) } })
}

/// A place for a family whose access tokens end at `tokens_end`. That it is free is for [`hold`] to find out.
pub(crate) fn draw(random: &dyn Random, tokens_end: Timestamp) -> TokenStatus {
    let mut bytes = [0; 4];
    random.fill(&mut bytes);
    TokenStatus { index: u32::from_be_bytes(bytes) % PLACES, tokens_end }
}

/// Takes the grant's place, as part of the commit that writes the grant, for as long as access tokens of the family can
/// come and be shown.
pub(crate) fn hold(shard: &SessionShard, grant: &Grant) -> Result<Option<Write>, StoreError> {
    let Some(status) = grant.status else { return Ok(None) };
    let end = grant.expires_at + access_token_life();
    Ok(Some(shard.status(status.index).put_until(&(), end, Expect::Absent)?))
}

/// Notes that the family gets another access token, which ends at `tokens_end`. A family without a place gets one, which
/// is then to be taken in the same commit.
pub(crate) fn carry_on(
    broker: &Broker,
    shard: &SessionShard,
    grant: &mut Grant,
    tokens_end: Timestamp,
) -> Result<Option<Write>, StoreError> {
    if let Some(status) = &mut grant.status {
        // An earlier token may live longer: lives can be set shorter.
        status.tokens_end = status.tokens_end.max(tokens_end);
        return Ok(None);
    }
    grant.status = Some(draw(&*broker.platform.random, tokens_end));
    hold(shard, grant)
}

/// Whether somebody holds a place now.
pub(crate) async fn is_taken(broker: &Broker, shard: &SessionShard, index: u32) -> Result<bool, StoreError> {
    Ok(shard.status(index).get(&*broker.platform.store).await?.is_some())
}

/// Says that the access tokens of a family are over: to be part of the commit that removes its grant as it was read. The
/// mark and the place stay until the last of the tokens has ended by itself; then both are gone, and the place is free.
pub(crate) fn revoke(shard: &SessionShard, grant: &Grant, now: Timestamp) -> Result<Vec<Write>, StoreError> {
    let Some(TokenStatus { index, tokens_end }) = grant.status else { return Ok(Vec::new()) };
    let place = shard.status(index);
    if tokens_end.has_passed(now) {
        return Ok(vec![place.delete(Expect::Any)]);
    }
    let mark = shard.revoked(index).put_until(&(), tokens_end, Expect::Any)?;
    Ok(vec![mark, place.put_until(&(), tokens_end, Expect::Any)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws the numbers that it is told.
    struct Fixed([u8; 4]);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0);
        }
    }

    #[test]
    fn every_place_is_in_the_list() {
        let end = Timestamp::from_seconds(1);
        assert_eq!(draw(&Fixed([0xff; 4]), end).index, PLACES - 1);
        assert_eq!(draw(&Fixed([0, 0x10, 0, 7]), end).index, 7);
    }
}
