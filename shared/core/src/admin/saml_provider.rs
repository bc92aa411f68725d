//! What is known of a connection's provider that speaks SAML: set, or fetched from its metadata address.

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::check_id;
use super::connections::IdpView;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::connection::{Connection, IdpFacts, SamlSettings};
use crate::model::saml::{FetchFailure, SamlProvider};
use crate::saml::{Target, fetch};
use crate::store::key;

/// What is known of a provider.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SamlProviderView {
    /// Its entity id, as it was set.
    pub entity_id: String,
    /// What is known; nothing where its metadata was never fetched.
    pub facts: Option<IdpView>,
    /// Whether that counts now. Metadata that is over does not.
    pub usable: bool,
    /// When it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Timestamp>,
    /// When the last try to fetch it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried_at: Option<Timestamp>,
    /// What went wrong at the last try; nothing if it went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<FetchFailure>,
}

/// What is known now.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<SamlProviderView, Error> {
    let connection = connection(broker, tenant, id).await?;
    let settings = connection.upstream.saml().ok_or(AdminError::NotFound)?;
    let target = Target { tenant, connection: id, settings };
    let found = key::saml_provider(tenant, id).get(&*broker.platform.store).await?.map(|found| found.value);
    let url = settings.metadata_url.as_ref();
    let found = found.filter(|found| url.is_some_and(|url| found.is_of(&target, url)));
    Ok(view(broker, settings, found))
}

/// Fetches the metadata now, and says what is known then.
pub async fn refresh(broker: &Broker, tenant: &str, id: &str) -> Result<SamlProviderView, Error> {
    let connection = connection(broker, tenant, id).await?;
    let settings = connection.upstream.saml().ok_or(AdminError::NotFound)?;
    let (None, Some(url)) = (&settings.idp, &settings.metadata_url) else {
        return Err(AdminError::Invalid { field: "connection", problem: "has no metadata_url" }.into());
    };
    let target = Target { tenant, connection: id, settings };
    let fetched = Box::pin(fetch::fetch(broker, &target, url, Seconds(0))).await?;
    Ok(view(broker, settings, Some(fetched)))
}

async fn connection(broker: &Broker, tenant: &str, id: &str) -> Result<Connection, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", id)?;
    let found = key::connection(tenant, id).get(&*broker.platform.store).await?;
    Ok(found.ok_or(AdminError::NotFound)?.value)
}

fn view(broker: &Broker, settings: &SamlSettings, kept: Option<SamlProvider>) -> SamlProviderView {
    let (tried_at, failure, fetched) = match kept {
        Some(kept) => (Some(kept.tried_at), kept.failure, kept.fetched),
        None => (None, None, None),
    };
    let fetched_at = fetched.as_ref().map(|fetched| fetched.fetched_at);
    let facts: Option<IdpFacts> = fetched.map(|fetched| fetched.facts).or_else(|| settings.idp.clone());
    SamlProviderView {
        entity_id: settings.idp_entity_id.clone(),
        usable: facts.as_ref().is_some_and(|facts| !facts.is_over(broker.platform.clock.now())),
        facts: facts.map(IdpView::from),
        fetched_at,
        tried_at,
        failure,
    }
}
