//! What is kept for connections that speak SAML beside their settings: the provider's side as fetched, and our keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Timestamp;

use super::connection::IdpFacts;
use crate::seal::Sealed;

/// What was last fetched from a provider's metadata address. It is trusted until it is replaced or says that it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlProvider {
    /// What its metadata says.
    pub facts: IdpFacts,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// When it was last fetched, or tried, because a signature did not verify; the next such fetch waits for the cool-down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refetched_at: Option<Timestamp>,
}

/// Our keys toward one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlKeys {
    /// For each use one that is active; beside it those that came before, and those that will come.
    pub keys: Vec<SamlKey>,
}

/// A key pair with its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlKey {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub usage: KeyUsage,
    /// What it signs with. A key for encryption is an RSA key, too.
    pub algorithm: Algorithm,
    /// Whether it is the one in use: signs, or is what our metadata says to encrypt for.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when its certificate says that it is good.
    pub ends_at: Timestamp,
    /// Its certificate, signed by itself: base64 of DER.
    pub certificate: String,
    /// The private half: PKCS #8 in base64url, sealed.
    pub private: Sealed,
}

/// What a provider called a person and their session at a sign-in. A logout names them in the same words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlName {
    /// The name identifier.
    pub value: String,
    /// What kind of name: a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Whose name it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_qualifier: Option<String>,
    /// For whom it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sp_name_qualifier: Option<String>,
    /// The provider's name for the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_index: Option<String>,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyUsage {
    /// Our requests and logout messages.
    Signing,
    /// What the provider encrypts for us.
    Encryption,
}

impl SamlKeys {
    /// Those for a use, the active one first.
    pub fn of(&self, usage: KeyUsage) -> impl Iterator<Item = &SamlKey> {
        let active = self.keys.iter().filter(move |key| key.usage == usage && key.active);
        active.chain(self.keys.iter().filter(move |key| key.usage == usage && !key.active))
    }
}
