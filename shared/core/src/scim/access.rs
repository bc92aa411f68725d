//! Who may speak SCIM: the bearer of a tenant's token, or of an access token of one of its clients ([`oauth`]).
//!
//! Token, client and the tenant's road for people are read from the store at each request, never from a copy: a token that
//! was deleted, was replaced or has ended does nothing more. Either names its tenant itself, so there is no way from it to
//! another one.

pub(crate) mod oauth;

use vestibule_protocol::scim;

use crate::Broker;
use crate::error::Error;
use crate::handle::{TenantHandle, TenantHandleKind};
use crate::last_use;
use crate::model::provisioning::Provisioning;
use crate::model::scim_access::ScimToken;
use crate::model::tenant::Tenant;
use crate::store::record::{self, Stored};
use crate::store::{Expect, key};

/// A directory that is let in.
#[derive(Debug, Clone)]
pub struct ScimCaller {
    /// The tenant whose people it keeps.
    pub tenant: String,
    /// The id of its token or client, for the audit log.
    pub id: String,
    /// What people call that.
    pub name: String,
    /// The connection that it belongs to, where it belongs to one: people whom it pushes sign in through no other.
    pub connection: Option<String>,
    /// How people come into the tenant, now.
    pub provisioning: Provisioning,
}

/// Lets a directory in, unless its tenant's directories ask too much at once.
pub async fn admit(broker: &Broker, bearer: Option<&str>) -> Result<ScimCaller, Error> {
    let caller = authenticate(broker, bearer).await?;
    let per_second = caller.provisioning.scim_requests_per_second;
    if broker.scim_buckets.take(&caller.tenant, per_second, broker.platform.clock.now()) {
        return Ok(caller);
    }
    Err(scim::Error::status(429, format!("more than {per_second} requests a second: wait a second, then go on")).into())
}

/// The same caller at the address of one connection: whom it pushes there signs in through that one. 404 where the token
/// belongs to another connection, or there is none of the name.
pub async fn at_connection(broker: &Broker, caller: ScimCaller, connection: &str) -> Result<ScimCaller, Error> {
    let may_be_theirs = caller.connection.as_deref().is_none_or(|own| own == connection);
    if !may_be_theirs || broker.connection(&caller.tenant, connection).await?.is_none() {
        return Err(scim::Error::status(404, "there is no such address").into());
    }
    Ok(ScimCaller { connection: Some(connection.to_owned()), ..caller })
}

/// Finds out whose token this is. A removed tenant's is nobody's.
pub async fn authenticate(broker: &Broker, bearer: Option<&str>) -> Result<ScimCaller, Error> {
    let bearer = bearer.ok_or_else(unauthorized)?;
    match TenantHandle::parse(TenantHandleKind::ScimToken, bearer) {
        Some(handle) => of_token(broker, handle).await,
        None => oauth::caller(broker, bearer).await?.ok_or_else(unauthorized),
    }
}

/// Token and tenant lie beside each other: one call reads both.
async fn of_token(broker: &Broker, handle: TenantHandle) -> Result<ScimCaller, Error> {
    let (token, tenant) = (key::scim_token(&handle.tenant, &handle.id), key::tenant(&handle.tenant));
    let ids = [token.id().to_owned(), tenant.id().to_owned()];
    let mut records = broker.platform.store.get_many(token.partition(), &ids).await?.into_iter();
    let (Some(Some(token)), Some(Some(tenant))) = (records.next(), records.next()) else { return Err(unauthorized()) };
    let token = record::parse::<ScimToken>(&token)?;
    if !token.value.secret.matches(handle.secret.expose()) {
        return Err(unauthorized());
    }
    let ScimToken { name, connection, .. } = token.value.clone();
    note_use(broker, &handle, token).await?;
    let Tenant { provisioning, .. } = record::parse::<Tenant>(&tenant)?.value;
    Ok(ScimCaller { tenant: handle.tenant, id: handle.id, name, connection, provisioning })
}

/// Remembers that a token is in use, unless that is known.
async fn note_use(broker: &Broker, handle: &TenantHandle, found: Stored<ScimToken>) -> Result<(), Error> {
    let mut token = found.value;
    let Some(hour) = last_use::to_note(token.last_used_at, broker.platform.clock.now()) else { return Ok(()) };
    token.last_used_at = Some(hour);
    let record = key::scim_token(&handle.tenant, &handle.id);
    let write = record.put_for(&token, token.expires_at, Expect::Version(found.version))?;
    last_use::note(broker, record.partition(), write).await
}

/// One answer for every reason (RFC 6750 §3.1).
fn unauthorized() -> Error {
    scim::Error::status(401, "a bearer token of this service for SCIM is required").into()
}
