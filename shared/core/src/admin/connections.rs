//! Connections: the identity providers of a tenant. What may be sent is in [`input`]; a look at the
//! provider itself in [`mod@check`].

mod check;
mod claims;
mod input;
mod logout;
mod probe;
mod sync;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::mapping::attribute::AttributeMapping;
use vestibule_protocol::mapping::path::ClaimPath;

pub use self::check::{CheckReport, Finding, Severity, check};
pub(super) use self::input::check_issuer;
pub use self::input::{ConnectionInput, Protocol};
use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, look, tenants};
use crate::Broker;
use crate::broker::connection_name;
use crate::error::{AdminError, Error};
use crate::logout::return_address;
use crate::model::audit::ChangeKind;
use crate::model::connection::{
    AssertionAudience, Connection, Endpoints, LogoutSettings, Prompt, ResponseMode, Revocation, Upstream,
    UpstreamClientAuth,
};
use crate::model::probe::ProbeSettings;
use crate::model::sign_in::SignIn;
use crate::model::sync::SyncSettings;
use crate::provider_notice;
use crate::seal::{Purpose, Sealed};
use crate::store::{Expect, key};
use crate::upstream::oidc::secret_place;

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
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
    /// What becomes of somebody whom the provider revokes.
    pub revocation: Revocation,
    /// How sign-outs reach the provider, and come from there.
    pub logout: LogoutSettings,
    /// How its people are asked about between sign-ins.
    pub sync: SyncSettings,
    /// Where it can be asked whether somebody is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_probe: Option<ProbeSettings>,
    /// The provider.
    pub issuer: String,
    /// The Entra directories that may sign in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entra_directories: Vec<String>,
    /// Where the provider is; absent when it is found by discovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<Endpoints>,
    /// Our name there.
    pub client_id: String,
    /// How we prove who we are.
    pub client_auth: UpstreamClientAuth,
    /// Whom our assertions are for, with `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assertion_audience: Option<AssertionAudience>,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// What stands in `aud` of its ID tokens.
    pub audience: String,
    /// How the provider may behave.
    pub prompt: Vec<Prompt>,
    /// What kinds of sign-in we prefer.
    pub acr_values: Vec<String>,
    /// How many seconds ago the person may have signed in at the provider.
    pub max_age: Option<i64>,
    /// How the provider's answer comes back.
    pub response_mode: ResponseMode,
    /// Whether our key signs the authorization requests.
    pub sign_requests: bool,
    /// Whether they are sent ahead. They are where the provider insists on it, too.
    pub push_requests: bool,
    /// More parameters of the authorization request.
    pub authorization_parameters: BTreeMap<String, String>,
    /// The claim with the e-mail address.
    pub email_claim: ClaimPath,
    /// The claim that names the person for good.
    pub unique_id_claim: ClaimPath,
    /// The claim with the groups.
    pub groups_claim: ClaimPath,
    /// The claim with the name that the person goes by.
    pub preferred_username_claim: ClaimPath,
    /// The claim with the full name.
    pub name_claim: ClaimPath,
    /// The claim with the first name.
    pub given_name_claim: ClaimPath,
    /// The claim with the last name.
    pub family_name_claim: ClaimPath,
    /// More attributes that are kept of the person.
    pub attributes: BTreeMap<String, AttributeMapping>,
    /// How many seconds the provider's clock may be off.
    pub skew_seconds: i64,
    /// What to register at the provider.
    pub redirect_uri: String,
    /// What to register there for logins that begin at the provider, with an application's id for `<client>`.
    pub initiate_login_uri: String,
    /// What to register there for logout tokens (OpenID Connect Back-Channel Logout 1.0).
    pub backchannel_logout_uri: String,
    /// What to register there for frames of its sign-out page, where `logout.front_channel` is on.
    pub frontchannel_logout_uri: String,
    /// What to register there for the way back from a sign-out, where `logout.at_provider` is on.
    pub post_logout_redirect_uri: String,
    /// What to register there for Global Token Revocation.
    pub global_token_revocation_uri: String,
}

fn view(broker: &Broker, tenant: &str, id: &str, connection: Connection) -> ConnectionView {
    let Upstream::Oidc(settings) = connection.upstream;
    ConnectionView {
        id: id.to_owned(),
        name: connection.name,
        protocol: Protocol::Oidc,
        enabled: connection.enabled,
        audience: settings.audience().to_owned(),
        sign_in: connection.sign_in,
        revocation: connection.revocation,
        logout: connection.logout,
        sync: connection.sync,
        status_probe: connection.status_probe.map(|probe| probe.settings),
        issuer: settings.issuer,
        entra_directories: settings.entra_directories,
        endpoints: settings.endpoints,
        client_id: settings.client_id,
        assertion_audience: (settings.client_auth == UpstreamClientAuth::PrivateKeyJwt)
            .then_some(settings.assertion_audience),
        client_auth: settings.client_auth,
        scopes: settings.scopes,
        prompt: settings.request.prompt,
        acr_values: settings.request.acr_values,
        max_age: settings.request.max_age.map(|seconds| seconds.0),
        response_mode: settings.request.response_mode,
        sign_requests: settings.request.signed,
        push_requests: settings.request.pushed,
        authorization_parameters: settings.request.parameters,
        email_claim: settings.claims.email,
        unique_id_claim: settings.claims.unique_id,
        groups_claim: settings.claims.groups,
        preferred_username_claim: settings.claims.preferred_username,
        name_claim: settings.claims.name,
        given_name_claim: settings.claims.given_name,
        family_name_claim: settings.claims.family_name,
        attributes: settings.claims.attributes,
        skew_seconds: settings.skew.0,
        redirect_uri: format!("{}/oauth2/callback", broker.config.issuer),
        global_token_revocation_uri: provider_notice::revocation_uri(broker, tenant, id),
        backchannel_logout_uri: format!("{}/oauth2/backchannel-logout/{tenant}/{id}", broker.config.issuer),
        frontchannel_logout_uri: format!("{}/oauth2/frontchannel-logout/{tenant}/{id}", broker.config.issuer),
        post_logout_redirect_uri: return_address(broker),
        initiate_login_uri: format!("{}/oauth2/initiate/{tenant}/{id}/<client>", broker.config.issuer),
    }
}

/// A connection.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<ConnectionView>, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, tenant, id, found.value)
}

/// The connections of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<ConnectionView>, Error> {
    tenants::exists(broker, tenant).await?;
    let view = |id: &str, connection| view(broker, tenant, id, connection);
    paging::list(broker, key::tenant_partition(tenant), key::CONNECTION, paging, view).await
}

fn show(broker: &Broker, tenant: &str, id: &str, connection: Connection) -> Result<Tagged<ConnectionView>, Error> {
    let tag = change::tag(broker, &connection)?;
    Ok(Tagged { object: view(broker, tenant, id, connection), tag })
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/connections/{id}"), change)
}

/// Creates or replaces a connection of a tenant that exists. Other processes follow within a minute.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    id: &str,
    Checked { mut input, mut problems }: Checked<ConnectionInput>,
) -> Result<(Put, Tagged<ConnectionView>), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    input.check(broker, &mut problems);
    input.sign_in = look::sign_in(&mut problems, input.sign_in);
    let record = key::connection(tenant, id);
    let found = record.get(&*broker.platform.store).await?;
    let kept = found.as_ref().and_then(|found| {
        let Upstream::Oidc(settings) = &found.value.upstream;
        settings.client_secret.clone()
    });
    let (sent, needed) = (input.client_secret.take(), input.client_auth.needs_secret());
    let secret = sealed_secret(broker, &secret_place(tenant, id), sent, kept.filter(|_| needed))?;
    if secret.is_some() != needed && problems.is_read("/client_auth") {
        let problem = if needed { "is missing" } else { "is not used with this client_auth: leave it out" };
        problems.add("/client_secret", problem);
    }
    let probe = found.as_ref().and_then(|found| found.value.status_probe.as_ref());
    let probe = input.status_probe.take().map(|sent| sent.take(broker, (tenant, id), probe, &mut problems));
    let status_probe = probe.transpose()?;
    problems.none()?;
    let connection = Connection {
        name: input.name.clone(),
        enabled: input.enabled,
        sign_in: input.sign_in.clone(),
        revocation: input.revocation,
        logout: input.logout.clone(),
        sync: input.sync.clone(),
        status_probe,
        upstream: Upstream::Oidc(input.settings(secret)),
    };
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    // The tenant's record shares the partition: a connection never outlives the check.
    let tenant_exists = key::tenant(tenant);
    if tenant_exists.get(&*broker.platform.store).await?.is_none() {
        return Err(AdminError::NotFound.into());
    }
    // What is known of another provider must not serve this one.
    let documents = key::upstream_documents(tenant, id).delete(Expect::Any);
    let writes = vec![record.put(&connection, expect)?, tenant_exists.check(Expect::Present), documents];
    let shown = |connection| view(broker, tenant, id, connection);
    let done = done(tenant, id, outcome.kind())
        .between(found.map(|found| shown(found.value)).as_ref(), &shown(connection.clone()));
    change.commit(broker, record.partition(), writes, done).await?;
    forget(broker, tenant, id);
    Ok((outcome, show(broker, tenant, id, connection)?))
}

fn sealed_secret(
    broker: &Broker,
    place: &str,
    sent: Option<String>,
    kept: Option<Sealed>,
) -> Result<Option<Sealed>, Error> {
    match sent.filter(|secret| !secret.is_empty()) {
        Some(secret) => {
            Ok(Some(broker.sealer.seal(&*broker.platform.random, Purpose::Record, place, secret.as_bytes())?))
        }
        None => Ok(kept),
    }
}

/// Removes a connection.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    change.remove(broker, &key::connection(tenant, id), done(tenant, id, ChangeKind::Deleted)).await?;
    forget(broker, tenant, id);
    Ok(())
}

fn forget(broker: &Broker, tenant: &str, id: &str) {
    let name = connection_name(tenant, id);
    broker.copies.connections.forget(&name);
    broker.copies.upstreams.forget(&name);
    broker.copies.enabled_connections.forget(tenant);
}
