//! A look at a provider that speaks OpenID Connect: its metadata and keys are fetched now.

use serde_json::Value;
use vestibule_protocol::oidc::discovery::ProviderMetadata;

use super::{JSON, Look, Severity};
use crate::model::connection::{
    Connection, LogoutSettings, OidcSettings, RequestSettings, ResponseMode, UpstreamClientAuth,
};
use crate::upstream::parse_jwks;

/// Looks at the provider of a connection with these settings.
pub(super) async fn check(look: &mut Look<'_>, connection: &Connection, settings: &OidcSettings) {
    let is_probed = connection.status_probe.is_some();
    let mut provider = Provider { look, settings, logout: &connection.logout, is_probed };
    if let Some(metadata) = provider.metadata().await {
        provider.keys(&metadata).await;
    }
}

struct Provider<'l, 'a> {
    look: &'l mut Look<'a>,
    settings: &'l OidcSettings,
    logout: &'l LogoutSettings,
    /// Whether there is a status probe.
    is_probed: bool,
}

/// Whether a list of the metadata holds a word; `None` when there is no such list.
fn offers(metadata: &Value, list: &str, word: &str) -> Option<bool> {
    metadata.get(list)?.as_array().map(|list| list.iter().any(|it| it == word))
}

impl Provider<'_, '_> {
    async fn metadata(&mut self) -> Option<ProviderMetadata> {
        if let Some(metadata) = self.settings.manual_metadata() {
            return Some(metadata);
        }
        let address = ProviderMetadata::location(&self.settings.issuers().discovery_base());
        let document = self.look.fetch("metadata", &address, JSON).await?;
        let Ok(members) = serde_json::from_slice::<Value>(&document) else {
            let message = format!("What is at {address} is not JSON. Is this the provider's issuer?");
            self.look.find(Severity::Error, "metadata_unreadable", message);
            return None;
        };
        let named = members.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if named != self.settings.issuer {
            let (named, ours) = (named.chars().take(200).collect::<String>(), &self.settings.issuer);
            let message = format!(
                "The provider calls itself \"{named}\", the connection says \"{ours}\". They must be equal to the last \
                 slash: set the connection's issuer to what the provider says, if that is the provider you mean."
            );
            self.look.find(Severity::Error, "issuer_mismatch", message);
        }
        self.supported(&members);
        let Ok(metadata) = serde_json::from_value::<ProviderMetadata>(members) else {
            let message = "The metadata lacks its issuer, authorization_endpoint, token_endpoint or jwks_uri, or one of \
                           them is not a URL. Set the endpoints by hand if the provider cannot mend it.";
            self.look.find(Severity::Error, "metadata_incomplete", message.to_owned());
            return None;
        };
        Some(metadata)
    }

    /// What the provider says it supports, where it says so.
    fn supported(&mut self, members: &Value) {
        if offers(members, "response_types_supported", "code") == Some(false) {
            let message = "The provider does not offer response_type code, the only one that is used.".to_owned();
            self.look.find(Severity::Error, "code_unsupported", message);
        }
        match offers(members, "code_challenge_methods_supported", "S256") {
            Some(true) => {}
            Some(false) => {
                let message = "The provider does not offer PKCE with S256, which is always used.".to_owned();
                self.look.find(Severity::Error, "s256_missing", message);
            }
            None => {
                let message = "The provider does not say whether it checks PKCE. A code of it that is stolen may be of \
                               use to the thief.";
                self.look.find(Severity::Warning, "s256_unannounced", message.to_owned());
            }
        }
        let ours = auth_method(self.settings.client_auth);
        if offers(members, "token_endpoint_auth_methods_supported", ours) == Some(false) {
            let message = format!("The provider does not offer the connection's client_auth, {ours}.");
            self.look.find(Severity::Error, "client_auth_unsupported", message);
        }
        // Left out, the list is query and fragment (Discovery §3).
        let by_form = offers(members, "response_modes_supported", "form_post").unwrap_or(false);
        if self.settings.request.response_mode == ResponseMode::FormPost && !by_form {
            let message =
                "The provider does not offer response_mode form_post, which the connection asks for.".to_owned();
            self.look.find(Severity::Error, "form_post_unsupported", message);
        }
        let says = |member: &str| members.get(member).and_then(Value::as_bool) == Some(true);
        let RequestSettings { signed, pushed, .. } = self.settings.request;
        let takes_signed =
            says("request_parameter_supported") || members.get("request_object_signing_alg_values_supported").is_some();
        if signed && !takes_signed {
            let message = "The provider does not offer signed requests, which the connection sends.".to_owned();
            self.look.find(Severity::Error, "signed_requests_unsupported", message);
        }
        if !signed && says("require_signed_request_object") {
            let message = "The provider wants signed requests: set sign_requests.".to_owned();
            self.look.find(Severity::Error, "signed_requests_required", message);
        }
        let ahead = pushed || says("require_pushed_authorization_requests");
        if ahead && members.get("pushed_authorization_request_endpoint").is_none() {
            let message = "Requests are to be sent ahead, and the provider has no endpoint for that.".to_owned();
            self.look.find(Severity::Error, "pushed_requests_unsupported", message);
        }
        self.watching(members);
        if self.logout.at_provider && self.logout.end_session_endpoint.is_none() {
            self.signing_out(members);
        }
        let unknown = |scope: &&String| offers(members, "scopes_supported", scope) == Some(false);
        let unknown: Vec<&str> = self.settings.scopes.iter().filter(unknown).map(String::as_str).collect();
        if !unknown.is_empty() {
            let message = format!("The provider does not list these scopes: {}.", unknown.join(" "));
            self.look.find(Severity::Warning, "scope_unknown", message);
        }
    }

    /// Whether the sessions of the connection's people can be watched.
    fn watching(&mut self, members: &Value) {
        let offers_refresh = offers(members, "scopes_supported", "offline_access") == Some(true)
            && offers(members, "grant_types_supported", "refresh_token") != Some(false);
        if !self.is_probed && !self.settings.asks_for_refresh_tokens() && offers_refresh {
            let message = "The connection asks for no refresh token: its sessions cannot be watched, and are shorter. Add the \
                           scope offline_access, or set a status_probe.";
            self.look.find(Severity::Warning, "sessions_unwatched", message.to_owned());
        }
        if !self.is_probed && offers(members, "grant_types_supported", "refresh_token") == Some(false) {
            let message = "The provider gives no refresh tokens: sessions cannot be watched, and are shorter. Set a \
                           status_probe if it has a program that says who is active.";
            self.look.find(Severity::Warning, "no_refresh_tokens", message.to_owned());
        }
    }

    /// Whether people can be sent there to sign out.
    fn signing_out(&mut self, members: &Value) {
        if members.get("end_session_endpoint").and_then(Value::as_str).is_none_or(str::is_empty) {
            let message = "Whoever signs out here is to sign out at the provider too, and it does not say where. Set \
                           logout.end_session_endpoint, or switch logout.at_provider off.";
            self.look.find(Severity::Warning, "end_session_unsupported", message.to_owned());
        }
    }

    async fn keys(&mut self, metadata: &ProviderMetadata) {
        let Some(document) = self.look.fetch("key set", metadata.jwks_uri.as_str(), JSON).await else { return };
        match parse_jwks(&document) {
            Ok(set) if set.keys.is_empty() => {
                let message = "The key set has no key that can check a signature: RSA of 2048 bits or more, P-256, P-384 \
                               or Ed25519, for signatures.";
                self.look.find(Severity::Error, "no_usable_key", message.to_owned());
            }
            Ok(_) => {}
            Err(_) => {
                let message = format!("What is at {} is not a key set.", metadata.jwks_uri);
                self.look.find(Severity::Error, "keys_unreadable", message);
            }
        }
    }
}

const fn auth_method(auth: UpstreamClientAuth) -> &'static str {
    match auth {
        UpstreamClientAuth::ClientSecretBasic => "client_secret_basic",
        UpstreamClientAuth::ClientSecretPost => "client_secret_post",
        UpstreamClientAuth::PrivateKeyJwt => "private_key_jwt",
        UpstreamClientAuth::None => "none",
    }
}
