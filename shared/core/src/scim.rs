//! The SCIM server (RFC 7643, RFC 7644) over a tenant's directory: what can be asked of one resource. How requests look
//! on the wire is `vestibule_web`'s, what bodies mean `vestibule_protocol::scim`'s.

pub mod access;
mod audit;
pub mod bulk;
mod groups;
pub mod list;
pub mod me;
pub(crate) mod members;
pub(crate) mod rate;
pub(crate) mod regroup;
pub mod shown;
pub mod tag;
pub mod types;
mod users;

use std::sync::Arc;

use serde_json::Value;
use vestibule_protocol::scim;
use vestibule_protocol::scim::projection::Projection;
use vestibule_protocol::scim::schema::{Kind, ResourceType};
use vestibule_protocol::scim::service_provider::ServiceProvider;

use self::access::ScimCaller;
use self::types::Types;
use crate::Broker;
use crate::admin::change::Condition;
use crate::error::{Error, Internal};
use crate::store::StoreError;

/// How often a commit that lost a race is tried anew. Directories send changes of one group or person at once.
const TRIES: usize = 20;

/// What the server can take and give.
pub const LIMITS: ServiceProvider = ServiceProvider {
    // What a platform lets one request ask of the store has a bound.
    max_bulk_operations: 100,
    max_bulk_bytes: 1024 * 1024,
    max_results: 1_000,
    cursor_seconds: 3_600,
};

/// A resource.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// A person or a group.
    pub kind: Kind,
    /// Which one; whatever was sent.
    pub id: &'a str,
}

/// What a request asks for beside its body.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// What is shown; empty: the usual.
    pub attributes: Vec<String>,
    /// What is not shown.
    pub excluded_attributes: Vec<String>,
    /// The state that the resource must be in.
    pub condition: Condition,
}

/// A resource as it is now.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its address.
    pub location: String,
    /// The tag of its state; `None` where nothing is shown.
    pub tag: Option<String>,
    /// The resource; `None` where nobody asked for it.
    pub body: Option<Value>,
}

/// A request of a directory that was let in.
struct Call<'a> {
    broker: &'a Broker,
    caller: &'a ScimCaller,
    types: Arc<Types>,
    asked: &'a Asked,
}

/// Creates a resource. 403 for a person where people come by another road.
pub async fn create(
    broker: &Broker,
    caller: &ScimCaller,
    kind: Kind,
    body: &Value,
    asked: &Asked,
) -> Result<Answer, Error> {
    let call = Call::new(broker, caller, asked).await?;
    match kind {
        Kind::User => users::create(&call, body).await,
        Kind::Group => groups::create(&call, body).await,
    }
}

/// Shows a resource.
pub async fn get(broker: &Broker, caller: &ScimCaller, one: One<'_>, asked: &Asked) -> Result<Answer, Error> {
    let call = Call::new(broker, caller, asked).await?;
    one.check()?;
    match one.kind {
        Kind::User => users::get(&call, one.id).await,
        Kind::Group => groups::get(&call, one.id).await,
    }
}

/// Replaces a resource (RFC 7644 §3.5.1).
pub async fn replace(
    broker: &Broker,
    caller: &ScimCaller,
    one: One<'_>,
    body: &Value,
    asked: &Asked,
) -> Result<Answer, Error> {
    let call = Call::new(broker, caller, asked).await?;
    one.check()?;
    match one.kind {
        Kind::User => users::replace(&call, one.id, body).await,
        Kind::Group => groups::replace(&call, one.id, body).await,
    }
}

/// Changes a resource, or leaves it as it was (RFC 7644 §3.5.2). A group is shown only to whoever asks for attributes of
/// it: it may have very many members.
pub async fn patch(
    broker: &Broker,
    caller: &ScimCaller,
    one: One<'_>,
    body: &Value,
    asked: &Asked,
) -> Result<Answer, Error> {
    let call = Call::new(broker, caller, asked).await?;
    one.check()?;
    match one.kind {
        Kind::User => users::patch(&call, one.id, body).await,
        Kind::Group => groups::patch(&call, one.id, body).await,
    }
}

/// Deletes a resource (RFC 7644 §3.6).
pub async fn delete(broker: &Broker, caller: &ScimCaller, one: One<'_>, asked: &Asked) -> Result<(), Error> {
    let call = Call::new(broker, caller, asked).await?;
    one.check()?;
    match one.kind {
        Kind::User => users::delete(&call, one.id).await,
        Kind::Group => groups::delete(&call, one.id).await,
    }
}

impl One<'_> {
    /// An id that we never gave out names nobody.
    fn check(self) -> Result<(), scim::Error> {
        if crate::handle::is_path_id(self.id) { Ok(()) } else { Err(not_found(self.kind)) }
    }
}

impl<'a> Call<'a> {
    async fn new(broker: &'a Broker, caller: &'a ScimCaller, asked: &'a Asked) -> Result<Self, Error> {
        let types = types::types(broker, &caller.tenant).await?;
        Ok(Self { broker, caller, types, asked })
    }

    fn tenant(&self) -> &'a str {
        &self.caller.tenant
    }

    fn type_of(&self, kind: Kind) -> &ResourceType {
        self.types.of(kind)
    }

    /// What is shown. Looked at before anything is changed.
    fn projection(&self, kind: Kind) -> Result<Projection<'_>, scim::Error> {
        Projection::new(self.type_of(kind), &self.asked.attributes, &self.asked.excluded_attributes)
    }

    fn location(&self, kind: Kind, id: &str) -> String {
        shown::location(&shown::base(self.broker), kind, id)
    }
}

fn not_found(kind: Kind) -> scim::Error {
    match kind {
        Kind::User => scim::Error::status(404, "there is no such user"),
        Kind::Group => scim::Error::status(404, "there is no such group"),
    }
}

/// That a change lost every race. Nothing was written; the directory tries again.
fn keeps_changing() -> Error {
    Error::Internal(Internal::Store(StoreError::Busy("the resource keeps changing".to_owned())))
}

/// Most bytes of what a directory says of a person or group, as JSON.
const MAX_ATTRIBUTES: usize = 64 * 1024;
/// Most e-mail addresses of a person: each has an entry in an index.
const MAX_ADDRESSES: usize = 20;

/// Refuses more than is kept of one resource.
fn check_size(attributes: &serde_json::Map<String, Value>) -> Result<(), Error> {
    let size = serde_json::to_string(attributes).map_err(|_| Error::bug("attributes that are no JSON"))?.len();
    if size > MAX_ATTRIBUTES {
        return Err(scim::Error::status(413, "the attributes of a resource must have at most 64 KiB as JSON").into());
    }
    let addresses = attributes.get("emails").and_then(Value::as_array).map_or(0, Vec::len);
    if addresses > MAX_ADDRESSES {
        return Err(scim::Error::invalid_value("emails must have at most 20 values").into());
    }
    Ok(())
}
