//! The rules on a connection's sign-outs.

use super::input::{ConnectionInput, check_address};
use crate::Broker;
use crate::admin::problems::Problems;

/// Browsers are sent to the provider's address only where one is known and may be gone to.
pub(super) fn check(broker: &Broker, problems: &mut Problems, input: &ConnectionInput) {
    if let Some(address) = &input.logout.end_session_endpoint {
        problems.take("/logout/end_session_endpoint", check_address(broker, address));
    } else if input.logout.at_provider && input.endpoints.is_some() {
        let problem = "needs logout.end_session_endpoint, because the endpoints are set by hand";
        problems.add("/logout/at_provider", problem);
    }
}
