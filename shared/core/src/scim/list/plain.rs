//! Pages of everybody. A person of whom the usual is asked is written from the text of their record: what their directory
//! said of them is copied as it lies there, because to make values of a hundred people and write these again is most of
//! what a page costs. Whoever needs a closer look is shown like anybody else whom a filter finds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use vestibule_protocol::scim::schema::{ENTERPRISE_USER, Kind, USER};
use vestibule_protocol::time::Timestamp;

use super::{Asked, found};
use crate::Broker;
use crate::error::Error;
use crate::model::user::GroupName;
use crate::scim::shown::{self, About, Meta};
use crate::scim::tag;
use crate::store::Record;

/// What is shown of a person's record. What their directory said stays text.
#[derive(Deserialize)]
struct Person<'r> {
    id: &'r str,
    active: bool,
    #[serde(borrow, default)]
    attributes: BTreeMap<&'r str, &'r RawValue>,
    #[serde(default)]
    member_of: BTreeMap<String, GroupName>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// A person as [`shown::user`] shows them.
#[derive(Serialize)]
struct Resource<'r> {
    schemas: Vec<&'r str>,
    id: &'r str,
    meta: Meta,
    active: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<Value>,
    #[serde(flatten)]
    attributes: BTreeMap<&'r str, &'r RawValue>,
}

/// The page as it is shown, as JSON texts.
pub(super) async fn show(broker: &Broker, asked: &Asked<'_>, page: &[Record]) -> Result<Vec<String>, Error> {
    if asked.resource_type.kind() != Kind::User || !asked.projection.is_usual() {
        let found = found::read(broker, asked, page).await?;
        return found::show(broker, asked, found).await;
    }
    let mut shown = Vec::with_capacity(page.len());
    for record in page {
        if let Some(text) = person(asked, record) {
            shown.push(text);
        } else {
            let found = found::read(broker, asked, std::slice::from_ref(record)).await?;
            shown.extend(found::show(broker, asked, found).await?);
        }
    }
    Ok(shown)
}

/// A person's text; `None` for whoever has attributes of which not everything is shown as it is stored.
fn person(asked: &Asked<'_>, record: &Record) -> Option<String> {
    let Person { id, active, attributes, member_of, created_at, updated_at } =
        serde_json::from_str(&record.value).ok()?;
    let mut schemas = vec![USER];
    for (name, value) in &attributes {
        // To a manager, more is added.
        if *name == ENTERPRISE_USER && !value.get().contains("\"manager\"") {
            schemas.push(ENTERPRISE_USER);
        } else if !asked.projection.shows_whole(name) {
            return None;
        }
    }
    let about = About { base: asked.base, id, created: created_at, modified: updated_at };
    let meta = Meta::new(Kind::User, &about, tag::user(&record.version));
    let groups = shown::groups(asked.base, &member_of);
    serde_json::to_string(&Resource { schemas, id, meta, active, groups, attributes }).ok()
}
