//! Addresses of a provider: what they may be.

use url::Url;

use crate::Broker;
use crate::platform::check_egress;

/// An issuer that can be one, and that we may ask for its documents.
pub(in crate::admin) fn check_issuer(broker: &Broker, example: &str, is_template: bool) -> Result<(), &'static str> {
    let url = Url::parse(example).map_err(|_| "is not a URL")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment");
    }
    if example.contains(['{', '}']) || (is_template && !url.path().contains("00000000-0000-0000-0000-000000000000")) {
        return Err("may have {tenantid} in its path, once, and no other brace");
    }
    check_address(broker, &url)
}

/// An address of the provider to which we, or browsers, go.
pub(super) fn check_address(broker: &Broker, url: &Url) -> Result<(), &'static str> {
    let uri: http::Uri = url.as_str().parse().map_err(|_| "is not a URL")?;
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must not have a fragment or a user name");
    }
    check_egress(&uri, broker.config.egress_loopback)
        .map_err(|_| "must be https, and not on loopback or in a private network")
}
