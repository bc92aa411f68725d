//! The broker: configuration, platform, and read copies of what changes rarely. Every flow hangs from it.

use std::sync::Arc;

use crate::cache::Copies;
use crate::config::Config;
use crate::error::Error;
use crate::model::client::{Client, RelayRoute};
use crate::model::connection::Connection;
use crate::model::is_id;
use crate::model::mapping::Mapping;
use crate::model::routing::Route;
use crate::model::sign_in::SignIn;
use crate::model::tenant::Tenant;
use crate::model::webhook::{Subscription, WebhookSecrets};
use crate::platform::{Platform, Task};
use crate::saml::parties::Parties;
use crate::scim::rate::Buckets;
use crate::scim::types::Types;
use crate::seal::Sealer;
use crate::signing::{self, SigningKeys};
use crate::status_list::StatusList;
use crate::store::key;
use crate::store::record::{self, RecordKey};
use crate::sync::pace::Paces;
use crate::tick;
use crate::upstream::UpstreamCopy;
use crate::upstream::probe::ProbeTokens;
use crate::userinfo::LiveGrant;

pub use crate::tick::{HereReport, TickReport, WorkReport};

/// One broker: what a request or a tick is handed to. One per process or isolate.
pub struct Broker {
    /// What the deployment set.
    pub config: Config,
    /// The world.
    pub platform: Platform,
    pub(crate) sealer: Sealer,
    pub(crate) copies: AllCopies,
    pub(crate) scim_buckets: Buckets,
    pub(crate) sync_paces: Paces,
    pub(crate) probe_tokens: ProbeTokens,
}

/// Read copies, one kind each. Stale by at most a minute; see [`crate::cache`].
#[derive(Default)]
pub(crate) struct AllCopies {
    pub(crate) clients: Copies<Client>,
    pub(crate) relay_routes: Copies<RelayRoute>,
    pub(crate) tenants: Copies<Tenant>,
    pub(crate) mappings: Copies<Mapping>,
    pub(crate) webhook_secrets: Copies<WebhookSecrets>,
    pub(crate) connections: Copies<Connection>,
    pub(crate) enabled_connections: Copies<Vec<Offered>>,
    pub(crate) domain_routes: Copies<Option<Route>>,
    pub(crate) host_routes: Copies<Option<Route>>,
    pub(crate) scim_types: Copies<Types>,
    pub(crate) upstreams: Copies<UpstreamCopy>,
    pub(crate) saml: Copies<Parties>,
    pub(crate) signing_keys: Copies<SigningKeys>,
    pub(crate) live_grants: Copies<LiveGrant>,
    pub(crate) webhooks: Copies<Vec<(String, Subscription)>>,
    /// Tenants whose deliveries are known to be registered.
    pub(crate) registered: Copies<()>,
    pub(crate) roles: Copies<Option<String>>,
    pub(crate) status_lists: Copies<StatusList>,
}

/// An enabled connection, as far as choosing among several needs it.
pub(crate) struct Offered {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sign_in: SignIn,
}

impl Broker {
    /// A broker in this world.
    pub fn new(config: Config, platform: Platform) -> Self {
        let sealer = Sealer::new(config.sealing_keys.clone());
        Self {
            config,
            platform,
            sealer,
            copies: AllCopies::default(),
            scim_buckets: Buckets::default(),
            sync_paces: Paces::default(),
            probe_tokens: ProbeTokens::default(),
        }
    }

    /// Plans what is due in this minute. The scheduled entry point of every runtime calls it once a minute.
    pub async fn tick(&self) -> Result<TickReport, Error> {
        // Keys that cannot be changed now can wait; what is owed cannot.
        if let Err(error) = signing::tick(self).await {
            tracing::error!(error = &error as &dyn std::error::Error, "tick.keys_failed");
        }
        tick::tick(self).await
    }

    /// Does a task that was sent to [`Platform::queue`]: a bounded batch, whose rest is sent on. An error means that
    /// the task is worth another try.
    pub async fn work(&self, task: &Task) -> Result<WorkReport, Error> {
        Box::pin(tick::work(self, task)).await
    }

    /// Does tasks for which there is no queue, as many as there is room for. Asked before each batch, which needs
    /// room for [`Queue::steps`](crate::platform::Queue::steps) and two calls to the store.
    pub async fn work_here(&self, tasks: Vec<Task>, has_room: impl Fn() -> bool) -> HereReport {
        Box::pin(tick::work_here(self, tasks, has_room)).await
    }

    /// An application, at most a minute old. What is no id names nobody.
    pub(crate) async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Error> {
        self.copy(&self.copies.clients, id, is_id(id).then(|| key::client(id))).await
    }

    /// Which application the relay serves at an origin, at most a minute old.
    pub(crate) async fn relay_route(&self, origin: &str) -> Result<Option<Arc<RelayRoute>>, Error> {
        self.copy(&self.copies.relay_routes, origin, Some(key::relay_route(origin))).await
    }

    /// A tenant, at most a minute old.
    pub(crate) async fn tenant(&self, id: &str) -> Result<Option<Arc<Tenant>>, Error> {
        self.copy(&self.copies.tenants, id, is_id(id).then(|| key::tenant(id))).await
    }

    /// A tenant's mapping, at most a minute old; one without rules where none is set, which is remembered too.
    pub(crate) async fn mapping(&self, tenant: &str) -> Result<Arc<Mapping>, Error> {
        let now = self.platform.clock.now();
        if let Some(copy) = self.copies.mappings.get(tenant, now) {
            return Ok(copy);
        }
        let stored = key::mapping(tenant).get_copy(&*self.platform.store).await?;
        let mapping = stored.map(|stored| stored.value).unwrap_or_default();
        Ok(self.copies.mappings.keep(tenant.to_owned(), mapping, now))
    }

    /// The secrets of a tenant's webhook, at most a minute old.
    pub(crate) async fn webhook_secrets(&self, tenant: &str) -> Result<Option<Arc<WebhookSecrets>>, Error> {
        self.copy(&self.copies.webhook_secrets, tenant, Some(key::webhook_secrets(tenant))).await
    }

    /// A connection, at most a minute old.
    pub(crate) async fn connection(&self, tenant: &str, id: &str) -> Result<Option<Arc<Connection>>, Error> {
        let key = (is_id(tenant) && is_id(id)).then(|| key::connection(tenant, id));
        self.copy(&self.copies.connections, &connection_name(tenant, id), key).await
    }

    /// A tenant's enabled connections, at most a minute old, in the order of their ids. Of a tenant with very many, the
    /// first hundred: nobody chooses among more.
    pub(crate) async fn enabled_connections(&self, tenant: &str) -> Result<Arc<Vec<Offered>>, Error> {
        let now = self.platform.clock.now();
        if let Some(copy) = self.copies.enabled_connections.get(tenant, now) {
            return Ok(copy);
        }
        let page = self.platform.store.list(&key::tenant_partition(tenant), key::CONNECTION, None, 100).await?;
        let mut enabled = Vec::new();
        for found in &page.records {
            let Connection { name, enabled: true, sign_in, .. } = record::parse::<Connection>(found)?.value else {
                continue;
            };
            let id = found.id.strip_prefix(key::CONNECTION);
            enabled.extend(id.map(|id| Offered { id: id.to_owned(), name, sign_in }));
        }
        if enabled.is_empty() {
            return Ok(Arc::new(enabled));
        }
        Ok(self.copies.enabled_connections.keep(tenant.to_owned(), enabled, now))
    }

    /// Whose people have addresses in a domain, at most a minute old.
    pub(crate) async fn domain_route(&self, domain: &str) -> Result<Option<Route>, Error> {
        self.route(&self.copies.domain_routes, domain, key::domain_route(domain)).await
    }

    /// Whose people come by a host, at most a minute old.
    pub(crate) async fn host_route(&self, host: &str) -> Result<Option<Route>, Error> {
        self.route(&self.copies.host_routes, host, key::host_route(host)).await
    }

    /// A route through the read copies. That there is none is remembered too: most domains that people have are
    /// nobody's here, and asking for them again must not cost a call.
    async fn route(
        &self,
        copies: &Copies<Option<Route>>,
        name: &str,
        key: RecordKey<Route>,
    ) -> Result<Option<Route>, Error> {
        let now = self.platform.clock.now();
        if let Some(copy) = copies.get(name, now) {
            return Ok(Option::clone(&copy));
        }
        let stored = key.get_copy(&*self.platform.store).await?.map(|stored| stored.value);
        Ok(Option::clone(&copies.keep(name.to_owned(), stored, now)))
    }

    /// A record through the read copies. An absent record is not remembered: what was just created is found at once.
    async fn copy<T>(&self, copies: &Copies<T>, name: &str, key: Option<RecordKey<T>>) -> Result<Option<Arc<T>>, Error>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
    {
        let now = self.platform.clock.now();
        if let Some(copy) = copies.get(name, now) {
            return Ok(Some(copy));
        }
        let Some(key) = key else { return Ok(None) };
        let stored = key.get_copy(&*self.platform.store).await?;
        Ok(stored.map(|stored| copies.keep(name.to_owned(), stored.value, now)))
    }
}

/// The name of a connection among the read copies; `/` is in no id.
pub(crate) fn connection_name(tenant: &str, connection: &str) -> String {
    format!("{tenant}/{connection}")
}
