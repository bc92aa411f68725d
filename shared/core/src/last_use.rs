//! When a token was last seen, to the hour: a write for each request would cost more than the knowledge is worth.

use vestibule_protocol::time::{Seconds, Timestamp};

use crate::Broker;
use crate::error::Error;
use crate::store::{Partition, StoreError, Write};

const HOUR: Seconds = Seconds(3600);

/// The hour to write down for a token that is seen now; `None` where it is known already.
pub(crate) fn to_note(last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let known = last.is_some_and(|last| !(last + HOUR).has_passed(now));
    (!known).then(|| Timestamp::from_seconds(now.seconds() - now.seconds().rem_euclid(HOUR.0)))
}

/// Writes it down. Whoever changes the token at the same time goes first.
pub(crate) async fn note(broker: &Broker, partition: &Partition, write: Write) -> Result<(), Error> {
    match broker.platform.store.commit(partition, vec![write]).await {
        Ok(_) | Err(StoreError::Conflict | StoreError::Busy(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
