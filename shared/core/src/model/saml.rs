//! What is kept for connections that speak SAML beside their settings: the provider's side as fetched, and our keys.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Timestamp;

use super::connection::IdpFacts;
use crate::seal::Sealed;

/// What was last fetched from a provider's metadata address, and how the last try went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlProvider {
    /// The entity id for which it was read. What is kept of another provider counts for nothing.
    pub entity_id: String,
    /// Where it comes from.
    pub metadata_url: Url,
    /// What it says, with the time when it was fetched; nothing until it could be used once. It is trusted until it is
    /// replaced or says that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetched: Option<FetchedFacts>,
    /// When the last try began, whatever came of it. The next waits for the cool-down.
    pub tried_at: Timestamp,
    /// What went wrong at the last try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FetchFailure>,
}

/// What a provider's metadata said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedFacts {
    /// What it said.
    pub facts: IdpFacts,
    /// When.
    pub fetched_at: Timestamp,
}

/// Why a provider's metadata was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FetchFailure {
    /// Why, by a stable name: `unreachable`, `status`, `egress`, or what is wrong with the document.
    pub error: String,
    /// When.
    pub at: Timestamp,
}

/// What of a connection was told of because it ends soon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamlTold {
    /// Certificates by their SHA-256 in hexadecimal, and `metadata`.
    pub names: BTreeSet<String>,
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
