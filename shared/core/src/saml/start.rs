//! Our request to sign somebody in, on its way to the provider.

use vestibule_protocol::saml::{AuthnRequest, Binding};

use super::Target;
use super::names::Names;
use super::parties::parties;
use super::sending::{Outgoing, Sending};
use crate::Broker;
use crate::error::{Error, LoginError};

/// The id of the request of a login: it must begin with a letter or an underscore, for it is an XML id.
pub(crate) fn request_id(login: &str) -> String {
    format!("_{login}")
}

/// Asks the provider to sign somebody in, anew if `must_ask`. By redirect where it takes that, for a form needs a page. The
/// login's id is the `RelayState`, by which the answer finds its login (saml-bindings §3.4.3: at most 80 bytes).
pub(crate) async fn request(
    broker: &Broker,
    target: &Target<'_>,
    login: &str,
    must_ask: bool,
) -> Result<Sending, Error> {
    let parties = parties(broker, target).await?;
    let there = &parties.facts.single_sign_on;
    let by_redirect = there.iter().find(|endpoint| endpoint.binding == Binding::Redirect);
    let nowhere = || LoginError::UpstreamUnavailable("its metadata names no SingleSignOnService".to_owned());
    let endpoint = by_redirect.or_else(|| there.first()).ok_or_else(nowhere)?;
    let names = Names::of(broker, target);
    let (id, settings) = (request_id(login), &target.settings.request);
    let request = AuthnRequest {
        id: &id,
        issued_at: broker.platform.clock.now(),
        destination: &endpoint.location,
        acs: &names.acs,
        issuer: &names.entity_id,
        force_authn: settings.force_authn || must_ask,
        is_passive: false,
        name_id_format: settings.name_id_format.as_deref(),
        contexts: &settings.authn_contexts,
    };
    let message = Outgoing {
        binding: endpoint.binding,
        location: &endpoint.location,
        xml: request.to_xml(),
        id: &id,
        is_response: false,
        relay_state: Some(login),
    };
    let is_signed = settings.signed || parties.facts.wants_signed_requests;
    message.send(broker, is_signed.then_some(&parties.signer)).await
}
