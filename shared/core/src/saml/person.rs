//! Who a verified assertion is about.

use vestibule_protocol::saml::{Assertion, NameId, Refused};

use super::claims::{claims, is_transient};
use crate::error::{Error, LoginError};
use crate::model::connection::SamlSettings;
use crate::model::saml::SamlName;
use crate::model::session::AuthenticationMethod;
use crate::model::user::Profile;
use crate::model::watch::ProviderTokens;
use crate::upstream::kept::{Kept, outline};
use crate::upstream::oidc::{Identity, identity_of};

/// Longest part of a name that is kept with a session, in bytes.
const PART: usize = 1_024;

/// The person, as a connection with these settings knows them. SAML has no word for an address that is verified: the
/// connection's administrator says whether they are, and no attribute does.
pub(crate) fn identity(settings: &SamlSettings, assertion: &Assertion) -> Result<Identity, Error> {
    if !is_short(assertion) {
        return Err(LoginError::Saml(Refused::NameId).into());
    }
    let claims = claims(assertion);
    let kept = Kept {
        sub: assertion.name_id.value.clone(),
        outline: outline(Some(&claims), None),
        tokens: ProviderTokens::default(),
    };
    let identity = identity_of(&settings.claims, (&claims, None), &settings.idp_entity_id, kept);
    let identity = identity.ok_or(LoginError::UpstreamInvalid("no usable unique-id claim"))?;
    if is_transient(&assertion.name_id) && identity.subject == assertion.name_id.value {
        return Err(LoginError::Saml(Refused::Transient).into());
    }
    let email_verified = (settings.trusts_email && identity.profile.email.is_some()).then_some(true);
    Ok(Identity {
        auth_time: Some(assertion.authenticated_at),
        method: AuthenticationMethod { acr: assertion.context.clone(), amr: Vec::new() },
        profile: Profile { email_verified, ..identity.profile },
        ..identity
    })
}

/// What the provider calls the person and the session.
pub(crate) fn name(assertion: Assertion) -> SamlName {
    let NameId { value, format, name_qualifier, sp_name_qualifier } = assertion.name_id;
    SamlName { value, format, name_qualifier, sp_name_qualifier, session_index: assertion.session_index }
}

/// Whether a session can keep all that it is called by.
fn is_short(assertion: &Assertion) -> bool {
    let NameId { format, name_qualifier, sp_name_qualifier, .. } = &assertion.name_id;
    let parts = [format, name_qualifier, sp_name_qualifier, &assertion.session_index];
    parts.into_iter().flatten().all(|part| part.len() <= PART)
}
