//! Signing out, from the provider's side.

use vestibule_core::platform::CryptoError;
use vestibule_protocol::saml::{LogoutAnswer, LogoutRequest, LogoutStatus, NameId, RedirectMessage};
use vestibule_protocol::time::Seconds;

use super::FakeSamlIdp;
use crate::idp::random_text;

impl FakeSamlIdp {
    /// Its request to sign somebody out, for this address: of these sessions, or of all.
    pub fn leaves(&self, slo: &str, name: &str, sessions: &[&str]) -> LogoutRequest {
        let now = self.clock.now();
        LogoutRequest {
            id: format!("_{}", random_text(&*self.random)),
            issued_at: now,
            destination: slo.to_owned(),
            issuer: self.entity_id.clone(),
            name_id: NameId { value: name.to_owned(), format: None, name_qualifier: None, sp_name_qualifier: None },
            session_indexes: sessions.iter().map(|session| (*session).to_owned()).collect(),
            ends: Some(now + Seconds(300)),
        }
    }

    /// Its answer to a request of this id, for this address.
    pub fn has_left(&self, slo: &str, request: &str) -> LogoutAnswer {
        LogoutAnswer {
            id: format!("_{}", random_text(&*self.random)),
            in_response_to: request.to_owned(),
            issued_at: self.clock.now(),
            destination: slo.to_owned(),
            issuer: self.entity_id.clone(),
            status: LogoutStatus::Success,
        }
    }

    /// The query that carries a message, with a signature over it.
    pub async fn query(&self, xml: &str, is_response: bool, relay_state: Option<&str>) -> Result<String, CryptoError> {
        let query = RedirectMessage::write(xml, is_response, relay_state, Some(self.key.algorithm));
        let signature = self.crypto.sign(&self.key, query.as_bytes()).await?;
        Ok(RedirectMessage::with_signature(&query, &signature))
    }
}
