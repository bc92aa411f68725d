//! What we are called toward a connection's identity provider, and where it reaches us. Each connection has its own
//! names, so that nothing which is meant for one counts for another.

use super::Target;
use crate::Broker;

/// Our names toward a connection's provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// Our entity id.
    pub(crate) entity_id: String,
    /// Where our metadata is.
    pub(crate) metadata: String,
    /// Our assertion consumer service.
    pub(crate) acs: String,
    /// Our single logout service.
    pub(crate) slo: String,
}

impl Names {
    /// Those of a connection.
    pub(crate) fn of(broker: &Broker, target: &Target<'_>) -> Self {
        let Target { tenant, connection, settings } = *target;
        let base = format!("{}/saml/{tenant}/{connection}", broker.config.issuer);
        Self {
            metadata: format!("{base}/metadata"),
            acs: format!("{base}/acs"),
            slo: format!("{base}/slo"),
            entity_id: settings.sp_entity_id.clone().unwrap_or(base),
        }
    }
}
