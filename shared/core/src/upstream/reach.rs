//! The way to a tenant's providers: everything that is fetched for a connection goes through here. A tenant may list the
//! hosts that its connections use; then they are asked at those and nowhere else.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::tenant::Tenant;
use crate::platform::{HttpClient, HttpError, check_host};

/// The network, as far as a tenant's connections may reach.
pub(crate) struct Reach {
    http: Arc<dyn HttpClient>,
    tenant: Arc<Tenant>,
}

impl Reach {
    /// That of a tenant as it is in the read copies.
    pub(crate) async fn of(broker: &Broker, tenant: &str) -> Result<Self, Error> {
        let tenant = broker.tenant(tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
        Ok(Self::with(broker, tenant))
    }

    /// That of a tenant as it was read.
    pub(crate) fn with(broker: &Broker, tenant: Arc<Tenant>) -> Self {
        Self { http: Arc::clone(&broker.platform.http), tenant }
    }
}

#[async_trait]
impl HttpClient for Reach {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        check_host(request.uri(), &self.tenant.egress_hosts)?;
        self.http.send(request).await
    }
}
