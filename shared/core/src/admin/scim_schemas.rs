//! The attributes that a tenant's directory has beside those of the standard.

use std::collections::BTreeSet;

use super::change::{self, Change, Done, Tagged};
use super::problems::Problems;
use super::{Checked, Put, check_id, tenants};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::scim::ScimSchemas;
use crate::store::key;
use vestibule_protocol::scim::schema::Schema;

/// Most schemas of people, and of groups.
const MAX_SCHEMAS: usize = 10;

/// The schemas; 404 where none were set.
pub async fn get(broker: &Broker, tenant: &str) -> Result<Tagged<ScimSchemas>, Error> {
    check_id("tenant", tenant)?;
    let found = key::scim_schemas(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, found.value)
}

fn show(broker: &Broker, schemas: ScimSchemas) -> Result<Tagged<ScimSchemas>, Error> {
    Ok(Tagged { tag: change::tag(broker, &schemas)?, object: schemas })
}

/// Sets the schemas. What people and groups have of one that is no more stays on record and is not shown.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    Checked { input, mut problems }: Checked<ScimSchemas>,
) -> Result<(Put, Tagged<ScimSchemas>), Error> {
    tenants::exists(broker, tenant).await?;
    let mut seen = BTreeSet::new();
    check(&mut problems, "/user", &input.user, &mut seen);
    check(&mut problems, "/group", &input.group, &mut seen);
    problems.none()?;
    let record = key::scim_schemas(tenant);
    let found = record.get(&*broker.platform.store).await?;
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    let writes = vec![record.put(&input, expect)?];
    let done = Done::new(tenant, format!("/tenants/{tenant}/scim-schemas"), outcome.kind());
    let done = done.between(found.as_ref().map(|found| &found.value), &input);
    change.commit(broker, record.partition(), writes, done).await?;
    broker.copies.scim_types.forget(tenant);
    Ok((outcome, show(broker, input)?))
}

/// A URI stands for one schema, whatever its case: `/Schemas` has one of each.
fn check(problems: &mut Problems, path: &str, schemas: &[Schema], seen: &mut BTreeSet<String>) {
    if schemas.len() > MAX_SCHEMAS {
        problems.add(path, "has more than 10 schemas");
    }
    for (index, schema) in schemas.iter().enumerate() {
        let path = format!("{path}/{index}");
        if let Err(error) = schema.check() {
            problems.add(&path, error.to_string());
        }
        if !seen.insert(schema.id.to_ascii_lowercase()) {
            problems.add(format!("{path}/id"), "is the URI of another schema");
        }
    }
}
