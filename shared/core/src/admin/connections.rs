//! Connections: the identity providers of a tenant.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Put, check_id, check_name, conflict_is_theirs, look};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{AdminError, Error};
use crate::login::upstream::oidc::secret_place;
use crate::model::connection::{Connection, OidcSettings, Upstream, UpstreamClientAuth};
use crate::model::sign_in::SignIn;
use crate::platform::check_egress;
use crate::seal::{Purpose, Sealed};
use crate::store::{Expect, key};

/// What an administrator sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionInput {
    /// What people read.
    pub name: String,
    /// `oidc`.
    pub protocol: Protocol,
    /// Whether it can be used; `true` when left out.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// To whom it is offered, and how.
    #[serde(default)]
    pub sign_in: SignIn,
    /// The provider's name for itself, exactly as in its tokens.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Our secret there. Kept as it was when left out of a replacement.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// What we ask for; `openid` and `email` when left out.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
}

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// OpenID Connect.
    Oidc,
}

const fn enabled() -> bool {
    true
}

fn default_scopes() -> Vec<String> {
    ["openid", "email"].map(str::to_owned).into()
}

/// What an administrator sees.
#[derive(Debug, Serialize)]
pub struct ConnectionView {
    /// The connection.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Whether it can be used.
    pub enabled: bool,
    /// To whom it is offered, and how.
    pub sign_in: SignIn,
    /// The provider.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// What to register at the provider.
    pub redirect_uri: String,
}

fn view(broker: &Broker, id: &str, connection: Connection) -> ConnectionView {
    let Upstream::Oidc(settings) = connection.upstream;
    ConnectionView {
        id: id.to_owned(),
        name: connection.name,
        protocol: Protocol::Oidc,
        enabled: connection.enabled,
        sign_in: connection.sign_in,
        issuer: settings.issuer,
        client_id: settings.client_id,
        client_auth: settings.client_auth,
        scopes: settings.scopes,
        redirect_uri: format!("{}/oauth2/callback", broker.config.issuer),
    }
}

/// A connection.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<ConnectionView, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    Ok(view(broker, id, found.value))
}

/// Creates or replaces a connection of a tenant that exists. Other processes follow within a minute.
pub async fn put(
    broker: &Broker,
    tenant: &str,
    id: &str,
    input: ConnectionInput,
) -> Result<(Put, ConnectionView), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    check_name(&input.name)?;
    check_issuer(broker, &input.issuer)?;
    check_scopes(&input.scopes)?;
    if input.client_id.is_empty() {
        return Err(AdminError::Invalid { field: "client_id", problem: "is empty" }.into());
    }
    let record = key::connection(tenant, id);
    let found = record.get(&*broker.platform.store).await?;
    let kept = found.as_ref().map(|found| {
        let Upstream::Oidc(settings) = &found.value.upstream;
        settings.client_secret.clone()
    });
    let connection = Connection {
        name: input.name,
        enabled: input.enabled,
        sign_in: look::sign_in(input.sign_in)?,
        upstream: Upstream::Oidc(OidcSettings {
            client_secret: sealed_secret(broker, &secret_place(tenant, id), input.client_secret, kept)?,
            issuer: input.issuer,
            client_id: input.client_id,
            client_auth: input.client_auth,
            scopes: input.scopes,
        }),
    };
    let (outcome, expect) = match found {
        Some(found) => (Put::Replaced, Expect::Version(found.version)),
        None => (Put::Created, Expect::Absent),
    };
    // The tenant's record shares the partition: a connection never outlives the check.
    let tenant_exists = key::tenant(tenant);
    if tenant_exists.get(&*broker.platform.store).await?.is_none() {
        return Err(AdminError::NotFound.into());
    }
    // What is known of another provider must not serve this one.
    let documents = key::upstream_documents(tenant, id).delete(Expect::Any);
    let writes = vec![record.put(&connection, expect)?, tenant_exists.check(Expect::Present), documents];
    broker.platform.store.commit(record.partition(), writes).await.map_err(|e| conflict_is_theirs(e.into()))?;
    forget(broker, tenant, id);
    Ok((outcome, view(broker, id, connection)))
}

fn sealed_secret(broker: &Broker, place: &str, sent: Option<String>, kept: Option<Sealed>) -> Result<Sealed, Error> {
    match (sent.filter(|secret| !secret.is_empty()), kept) {
        (Some(secret), _) => {
            Ok(broker.sealer.seal(&*broker.platform.random, Purpose::Record, place, secret.as_bytes())?)
        }
        (None, Some(kept)) => Ok(kept),
        (None, None) => Err(AdminError::Invalid { field: "client_secret", problem: "is missing" }.into()),
    }
}

fn check_issuer(broker: &Broker, issuer: &str) -> Result<(), AdminError> {
    let invalid = |problem| AdminError::Invalid { field: "issuer", problem };
    let url = Url::parse(issuer).map_err(|_| invalid("is not a URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must not have a query or a fragment"));
    }
    let uri: http::Uri = issuer.parse().map_err(|_| invalid("is not a URL"))?;
    check_egress(&uri, broker.config.egress_loopback).map_err(|_| invalid("must be https and not on loopback"))
}

fn check_scopes(scopes: &[String]) -> Result<(), AdminError> {
    let invalid = |problem| Err(AdminError::Invalid { field: "scopes", problem });
    if !scopes.iter().any(|scope| scope == "openid") {
        return invalid("must include openid");
    }
    let legal = |scope: &String| {
        !scope.is_empty() && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    if scopes.len() > 50 || !scopes.iter().all(legal) {
        return invalid("has more than 50 entries, or one with a character that no scope may have");
    }
    Ok(())
}

/// Removes a connection.
pub async fn delete(broker: &Broker, tenant: &str, id: &str) -> Result<(), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let record = key::connection(tenant, id);
    if record.take(&*broker.platform.store).await?.is_none() {
        return Err(AdminError::NotFound.into());
    }
    forget(broker, tenant, id);
    Ok(())
}

fn forget(broker: &Broker, tenant: &str, id: &str) {
    let name = connection_name(tenant, id);
    broker.copies.connections.forget(&name);
    broker.copies.upstreams.forget(&name);
    broker.copies.enabled_connections.forget(tenant);
}
