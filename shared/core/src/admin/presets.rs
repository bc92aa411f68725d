//! What is known of common identity providers: the body of a connection with placeholders (`<name>`), what the
//! administrator copies from where into each of them, and where what is ours goes. The data is `presets/oidc.json` and
//! `presets/saml.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Broker;
use crate::error::Error;

const DATA: [&str; 2] = [include_str!("presets/oidc.json"), include_str!("presets/saml.json")];

/// All presets, with what is ours to give.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Presets {
    /// What to register at a provider that speaks OpenID Connect, at the place that [`Preset::register`] names.
    pub redirect_uri: String,
    /// Our public keys, for providers that check `private_key_jwt`.
    pub jwks_uri: String,
    /// One for each provider.
    pub presets: Vec<Preset>,
}

/// What is known of a provider.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Preset {
    /// Its short name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The body of a `PUT` of a connection, with placeholders.
    pub connection: Value,
    /// What to put in place of the placeholders.
    pub copy: Vec<Copy>,
    /// How it can be asked whether somebody is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_probe: Option<ProbePreset>,
    /// Where in the provider's console what is ours is registered: the redirect URI, or what `give` names.
    pub register: String,
    /// What to give to a provider that speaks SAML.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub give: Vec<Give>,
    /// What else to know or to set.
    pub notes: Vec<String>,
}

/// A status probe of a provider.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProbePreset {
    /// The `status_probe` of a connection, with placeholders: those of the connection, and its own.
    pub probe: Value,
    /// What to put in place of its own placeholders.
    pub copy: Vec<Copy>,
    /// What else to know or to set.
    pub notes: Vec<String>,
}

/// A value that the administrator copies.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Copy {
    /// What to replace in the connection, `<` and `>` included.
    pub placeholder: String,
    /// What the provider calls it.
    pub what: String,
    /// Where its console shows it.
    pub r#where: String,
    /// What one looks like.
    pub example: String,
}

/// A value of ours that the administrator gives to the provider.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Give {
    /// Which: a member of the connection's `saml.register`.
    pub value: String,
    /// What the field is called in the provider's console, at the place that [`Preset::register`] names.
    pub field: String,
}

/// The presets.
pub fn list(broker: &Broker) -> Result<Presets, Error> {
    let mut presets: Vec<Preset> = Vec::new();
    for data in DATA {
        let read: Vec<Preset> = serde_json::from_str(data).map_err(|_| Error::bug("the presets are not readable"))?;
        presets.extend(read);
    }
    let at = |path: &str| format!("{}{path}", broker.config.issuer);
    Ok(Presets { redirect_uri: at("/oauth2/callback"), jwks_uri: at("/oauth2/jwks"), presets })
}
