//! E-mail domains that tenants claim. A claim is proved by a TXT record that holds its token, or taken on an
//! administrator's word, which is recorded. Only then do addresses of the domain lead to the tenant and link people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::Timestamp;

use super::caller::Area;
use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, Put, check_id, tenants};
use crate::Broker;
use crate::audit;
use crate::error::{AdminError, Error, Internal};
use crate::handle::new_id;
use crate::model::audit::AuditKind;
use crate::model::routing::{self as names, DomainClaim, Verified};

use crate::store::record::Stored;
use crate::store::{StoreError, Write, key};
use crate::{dns, routing};

/// What an administrator sends to claim: nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainInput {}

/// What an administrator sends to verify.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyInput {
    /// Why DNS need not be asked, 1 to 200 characters; goes into the audit log.
    #[serde(default)]
    pub override_reason: Option<String>,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DomainView {
    /// The domain, in lower case.
    pub domain: String,
    /// Whether it is the tenant's.
    pub verified: bool,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// Why, where DNS was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
    /// The name of the TXT record to publish.
    pub txt_name: String,
    /// Its text.
    pub txt_value: String,
}

fn view(domain: &str, claim: DomainClaim) -> DomainView {
    let txt_value = txt_value(&claim);
    DomainView {
        domain: domain.to_owned(),
        verified: claim.verified.is_some(),
        verified_at: claim.verified.as_ref().map(|verified| verified.at),
        override_reason: claim.verified.and_then(|verified| verified.override_reason),
        txt_name: txt_name(domain),
        txt_value,
    }
}

fn txt_name(domain: &str) -> String {
    format!("_vestibule.{domain}")
}

fn txt_value(claim: &DomainClaim) -> String {
    format!("vestibule-verification={}", claim.token)
}

fn check(tenant: &str, domain: &str) -> Result<String, AdminError> {
    check_id("tenant", tenant)?;
    let problem = "must be a domain such as corp.example";
    names::domain(domain).ok_or(AdminError::Invalid { field: "domain", problem })
}

async fn find(broker: &Broker, tenant: &str, domain: &str) -> Result<Stored<DomainClaim>, Error> {
    let found = key::domain_claim(tenant, domain).get(&*broker.platform.store).await?;
    Ok(found.ok_or(AdminError::NotFound)?)
}

/// A claim.
pub async fn get(broker: &Broker, tenant: &str, domain: &str) -> Result<Tagged<DomainView>, Error> {
    let domain = check(tenant, domain)?;
    let claim = find(broker, tenant, &domain).await?.value;
    show(broker, &domain, claim)
}

/// The claims of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<DomainView>, Error> {
    tenants::exists(broker, tenant).await?;
    paging::list(broker, key::directory(tenant), key::DOMAIN_CLAIM, paging, view).await
}

fn show(broker: &Broker, domain: &str, claim: DomainClaim) -> Result<Tagged<DomainView>, Error> {
    let tag = change::tag(broker, &claim)?;
    Ok(Tagged { object: view(domain, claim), tag })
}

/// Claims a domain for a tenant that exists. A claim that is there stays as it is. Several tenants may claim one domain;
/// it becomes the one's who proves it.
pub async fn put(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    domain: &str,
    sent: Checked<DomainInput>,
) -> Result<(Put, Tagged<DomainView>), Error> {
    let domain = check(tenant, domain)?;
    sent.problems.none()?;
    tenants::exists(broker, tenant).await?;
    let record = key::domain_claim(tenant, &domain);
    let found = record.get(&*broker.platform.store).await?;
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    if let Some(found) = found {
        return Ok((outcome, show(broker, &domain, found.value)?));
    }
    let token = new_id(&*broker.platform.random);
    let claim = DomainClaim { token, claimed_at: broker.platform.clock.now(), verified: None };
    let done = Done::new(tenant, format!("/tenants/{tenant}/domains/{domain}"), outcome.kind());
    change.commit(broker, record.partition(), vec![record.put(&claim, expect)?], done).await?;
    Ok((outcome, show(broker, &domain, claim)?))
}

/// Verifies a claim and leads the domain to the tenant: first the route, by compare-and-set, then the claim. If this
/// breaks off in between, verifying again completes it.
pub async fn verify(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    domain: &str,
    Checked { input, mut problems }: Checked<VerifyInput>,
) -> Result<Tagged<DomainView>, Error> {
    let domain = check(tenant, domain)?;
    let found = find(broker, tenant, &domain).await?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let mut claim = found.value;
    if let Some(reason) = &input.override_reason {
        // A tenant's own word proves nothing.
        change.by.may(Area::DeploymentOfTenant, tenant, true)?;
        if reason.trim().is_empty() || reason.chars().count() > 200 {
            problems.add("/override_reason", "must have 1 to 200 characters");
        }
    }
    problems.none()?;
    if input.override_reason.is_none() && !dns::txt(broker, &txt_name(&domain)).await?.contains(&txt_value(&claim)) {
        let problem = "has no TXT record with this claim's token (yet): see txt_name and txt_value";
        return Err(AdminError::Invalid { field: "domain", problem }.into());
    }
    routing::take_domain(broker, tenant, &domain).await?;
    if claim.verified.is_some() {
        return show(broker, &domain, claim);
    }
    let override_reason = input.override_reason;
    claim.verified = Some(Verified { at: broker.platform.clock.now(), override_reason: override_reason.clone() });
    let record = key::domain_claim(tenant, &domain);
    let administrator = Some(change.by.administrator.clone());
    let verified = AuditKind::DomainVerified { domain: domain.clone(), override_reason, administrator };
    let writes = vec![record.put(&claim, expect)?, owe(broker, tenant, verified)?];
    match broker.platform.store.commit(record.partition(), writes).await.map_err(Error::from) {
        Ok(_) => show(broker, &domain, claim),
        Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {
            // The claim was given up meanwhile: so is the route.
            if record.get(&*broker.platform.store).await?.is_none() {
                routing::release_domain(broker, tenant, &domain).await?;
            }
            Err(change.lost(StoreError::Conflict.into()))
        }
        Err(error) => Err(error),
    }
}

/// Gives a domain up: nobody is linked by its addresses from here on, then they lead here no more. Done again, it
/// completes what was broken off.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, domain: &str) -> Result<(), Error> {
    let domain = check(tenant, domain)?;
    let record = key::domain_claim(tenant, &domain);
    let found = record.get(&*broker.platform.store).await?;
    if let Some(found) = &found {
        let (_, expect) = change.expect(broker, Some(found))?;
        let administrator = Some(change.by.administrator.clone());
        let released = AuditKind::DomainReleased { domain: domain.clone(), administrator };
        let writes = vec![record.delete(expect), owe(broker, tenant, released)?];
        let gone = broker.platform.store.commit(record.partition(), writes).await;
        gone.map_err(|error| change.lost(error.into()))?;
    }
    let routed = routing::release_domain(broker, tenant, &domain).await?;
    if found.is_some() || routed { Ok(()) } else { Err(AdminError::NotFound.into()) }
}

fn owe(broker: &Broker, tenant: &str, kind: AuditKind) -> Result<Write, Error> {
    audit::owe(broker, key::directory(tenant), tenant, audit::event(broker, kind))
}
