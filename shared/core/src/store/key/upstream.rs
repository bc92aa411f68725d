//! What is kept of a connection's identity provider, and of us toward it.

use super::tenant_partition;
use crate::model::connection::UpstreamDocuments;
use crate::model::saml::{SamlKeys, SamlProvider, SamlTold};
use crate::model::test_login::TestLogin;
use crate::store::record::RecordKey;

/// The metadata and keys of a connection's identity provider, as last fetched.
pub fn upstream_documents(tenant: &str, connection: &str) -> RecordKey<UpstreamDocuments> {
    RecordKey::new(tenant_partition(tenant), format!("upstream#{connection}"))
}

/// What was fetched from the metadata address of a connection's provider that speaks SAML.
pub fn saml_provider(tenant: &str, connection: &str) -> RecordKey<SamlProvider> {
    RecordKey::new(tenant_partition(tenant), format!("saml-provider#{connection}"))
}

/// What the ids of our SAML keys start with.
pub const SAML_KEYS: &str = "saml-keys#";

/// Our SAML keys toward a connection's provider.
pub fn saml_keys(tenant: &str, connection: &str) -> RecordKey<SamlKeys> {
    RecordKey::new(tenant_partition(tenant), format!("{SAML_KEYS}{connection}"))
}

/// What of a connection that speaks SAML was told of because it ends soon.
pub fn saml_told(tenant: &str, connection: &str) -> RecordKey<SamlTold> {
    RecordKey::new(tenant_partition(tenant), format!("saml-told#{connection}"))
}

/// A test login of one of a tenant's connections.
pub fn test_login(tenant: &str, id: &str) -> RecordKey<TestLogin> {
    RecordKey::new(tenant_partition(tenant), format!("test-login#{id}"))
}
