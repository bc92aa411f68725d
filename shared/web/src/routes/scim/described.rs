//! What the server says of itself (RFC 7644 §4): schemas, types of resources, what it can do.

use http::StatusCode;
use serde_json::Value;
use vestibule_core::scim::{LIMITS, shown, types};
use vestibule_core::{Broker, Error};
use vestibule_protocol::scim;
use vestibule_protocol::scim::list::{List, Page};
use vestibule_protocol::scim::query::Query;

use super::place::Described;
use crate::response::{self, Reply};

/// Shows a description. It cannot be filtered: 403 (RFC 7644 §4).
pub(super) async fn show(broker: &Broker, tenant: &str, what: Described<'_>, query: &Query) -> Result<Reply, Error> {
    if query.filter.is_some() {
        return Err(scim::Error::status(403, "what describes the server cannot be filtered").into());
    }
    let base = shown::base(broker);
    let types = types::types(broker, tenant).await?;
    let shown = match what {
        Described::Config => LIMITS.document(&base).to_string(),
        Described::Schemas(id) => {
            let all = types.user.schema_documents(&base).chain(types.group.schema_documents(&base));
            choose(all.collect(), id)?
        }
        Described::ResourceTypes(id) => choose(vec![types.user.document(&base), types.group.document(&base)], id)?,
    };
    Ok(response::scim_text(StatusCode::OK, shown))
}

/// All documents as a list, or the one that is meant. URIs are compared without case.
fn choose(all: Vec<Value>, id: Option<&str>) -> Result<String, scim::Error> {
    let Some(id) = id else {
        let resources: Vec<String> = all.iter().map(Value::to_string).collect();
        return Ok(List { total: Some(resources.len()), resources, page: Page::Index(1) }.body());
    };
    let is_meant = |document: &Value| {
        document.get("id").and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(id))
    };
    let found = all.into_iter().find(is_meant).map(|document| document.to_string());
    found.ok_or_else(|| scim::Error::status(404, "there is no such description"))
}
