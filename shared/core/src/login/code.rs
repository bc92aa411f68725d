//! The code that an application gets for a person who is signed in.

use crate::Broker;
use crate::error::Error;
use crate::handle::{Handle, HandleKind, Locator, SecretHash, new_secret};
use crate::model::session::{CODE_LIFE, Code};
use crate::store::key::SessionShard;
use crate::store::{Expect, Write};

/// A code in the making.
pub(super) struct NewCode {
    /// To be part of a commit under the conditions of its session.
    pub(super) write: Write,
    /// What the application gets once that is done.
    pub(super) text: String,
}

/// Makes a code; it is good from the commit of its write on.
pub(super) fn new_code(broker: &Broker, shard: &SessionShard, code: &Code) -> Result<NewCode, Error> {
    let secret = new_secret(&*broker.platform.random);
    let hash = SecretHash::of(secret.expose());
    let end = broker.platform.clock.now() + CODE_LIFE;
    let write = shard.code(hash.as_str()).put_until(code, end, Expect::Absent)?;
    let locator = Locator { shard: shard.clone(), path: vec![code.subject.session.clone()] };
    Ok(NewCode { write, text: Handle { kind: HandleKind::Code, locator, secret }.to_text() })
}
