//! What a deployment sets, read once at the start. Tenants, clients and connections are data, not configuration.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderName;
use url::Url;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::time::Seconds;

use crate::secret::Secret;

/// A deployment's settings. Each field names its variable.
#[derive(Debug, Clone)]
pub struct Config {
    /// `VESTIBULE_ISSUER`: the address that browsers use, and the `iss` of every token. https, or http for loopback;
    /// no path, query or fragment; kept without a trailing slash.
    pub issuer: String,
    /// `VESTIBULE_SEALING_KEYS`: `name:key` pairs, comma-separated, each key 32 bytes in base64url. The first seals;
    /// all of them open, so a key is replaced by putting the new one in front.
    pub sealing_keys: Vec<SealingKey>,
    /// `VESTIBULE_ADMIN_TOKEN`: the bearer token of the admin API, at least 32 characters.
    pub admin_token: Secret<String>,
    /// `VESTIBULE_EGRESS_LOOPBACK`: `true` lets identity providers be on loopback, over plain http too. For
    /// development and tests. Default `false`.
    pub egress_loopback: bool,
    /// `VESTIBULE_SIGNING_ALGORITHM`: what our tokens are signed with, `ES256`, `RS256` or `EdDSA`. Default `ES256`.
    pub signing_algorithm: Algorithm,
    /// `VESTIBULE_KEY_ROTATION_DAYS`: how long a signing key is used, 1 to 3650 days; 0 for as long as nobody asks for
    /// another. Default 90.
    pub key_rotation: Option<Seconds>,
    /// `VESTIBULE_DOH_URL`: where DNS is asked over HTTPS, for domains that tenants claim: a resolver with the JSON
    /// interface. Default [`DEFAULT_DOH_URL`].
    pub doh_url: String,
    /// `VESTIBULE_CLIENT_ADDRESS_HEADER`: the header in which the proxy in front says who called, such as
    /// `x-forwarded-for`; its last entry counts. Without it, whoever opened the connection, as the platform says.
    pub client_address_header: Option<HeaderName>,
}

/// A public resolver (Cloudflare's).
pub const DEFAULT_DOH_URL: &str = "https://cloudflare-dns.com/dns-query";

/// A key that seals cookies and stored secrets.
#[derive(Debug, Clone)]
pub struct SealingKey {
    /// Short public name, written beside what it sealed.
    pub name: String,
    /// 256 bits.
    pub key: Secret<[u8; 32]>,
}

/// Everything that is wrong with the settings, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One setting that is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// What to mend.
    pub problem: &'static str,
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not usable:")?;
        for ConfigError { variable, problem } in &self.0 {
            write!(f, "\n  {variable}: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

impl Config {
    /// Reads the settings through `var` (the environment, a Worker's bindings, a map in a test) and reports every
    /// problem together.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let mut settings = Settings { var, problems: Vec::new() };
        let issuer = settings.read("VESTIBULE_ISSUER", |value| {
            parse_issuer(&value.ok_or("is missing: set it to the address that browsers use")?)
        });
        let sealing_keys = settings.read("VESTIBULE_SEALING_KEYS", |value| {
            parse_sealing_keys(&value.ok_or("is missing: set it to name:key, the key 32 random bytes in base64url")?)
        });
        let admin_token = settings.read("VESTIBULE_ADMIN_TOKEN", |value| {
            let token = value.ok_or("is missing: set it to a random text of at least 32 characters")?;
            if token.len() < 32 { Err("is too short: at least 32 characters") } else { Ok(Secret::new(token)) }
        });
        let egress_loopback = settings.read("VESTIBULE_EGRESS_LOOPBACK", |value| match value.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err("is neither true nor false"),
        });
        let algorithm = |value: Option<String>| parse_algorithm(value.as_deref()).map(Some);
        let signing_algorithm = settings.read("VESTIBULE_SIGNING_ALGORITHM", algorithm).unwrap_or(Algorithm::ES256);
        let key_rotation = settings.read("VESTIBULE_KEY_ROTATION_DAYS", |value| parse_rotation(value.as_deref()));
        let doh_url = settings.read("VESTIBULE_DOH_URL", |value| {
            parse_doh_url(value.as_deref().unwrap_or(DEFAULT_DOH_URL), egress_loopback)
        });
        let client_address_header = settings.read("VESTIBULE_CLIENT_ADDRESS_HEADER", |value| {
            let name = value.map(|value| HeaderName::from_bytes(value.trim().as_bytes())).transpose();
            name.map_err(|_| "is not the name of a header")
        });
        if !settings.problems.is_empty() {
            return Err(ConfigErrors(settings.problems));
        }
        Ok(Self {
            issuer,
            sealing_keys,
            admin_token,
            egress_loopback,
            signing_algorithm,
            key_rotation,
            doh_url,
            client_address_header,
        })
    }
}

/// Where settings are read from, and what was wrong with them so far.
struct Settings<V> {
    var: V,
    problems: Vec<ConfigError>,
}

impl<V: Fn(&str) -> Option<String>> Settings<V> {
    /// A setting; one of spaces is none. What stands in for one that is wrong is never used.
    fn read<T: Default>(
        &mut self,
        variable: &'static str,
        parse: impl FnOnce(Option<String>) -> Result<T, &'static str>,
    ) -> T {
        let value = (self.var)(variable).filter(|value| !value.trim().is_empty());
        parse(value).unwrap_or_else(|problem| {
            self.problems.push(ConfigError { variable, problem });
            T::default()
        })
    }
}

fn parse_algorithm(value: Option<&str>) -> Result<Algorithm, &'static str> {
    match value {
        None | Some("ES256") => Ok(Algorithm::ES256),
        Some("RS256") => Ok(Algorithm::RS256),
        Some("EdDSA") => Ok(Algorithm::EdDSA),
        Some(_) => Err("is not ES256, RS256 or EdDSA"),
    }
}

/// How long a key is used; `None` for 0 days, which turns the schedule off.
fn parse_rotation(value: Option<&str>) -> Result<Option<Seconds>, &'static str> {
    let days = value.map_or(Ok(90), |value| value.trim().parse::<u16>());
    let days = days.ok().filter(|days| *days <= 3650).ok_or("is not a number of days from 0 to 3650")?;
    Ok((days > 0).then(|| Seconds(i64::from(days) * 86_400)))
}

fn parse_issuer(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is not a URL")?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        _ => return Err("must be https (http for loopback only)"),
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err("must be scheme, host and port only");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn parse_doh_url(text: &str, allow_loopback: bool) -> Result<String, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is not a URL")?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment");
    }
    let uri = url.as_str().parse().map_err(|_| "is not a URL")?;
    crate::platform::check_egress(&uri, allow_loopback).map_err(|_| "must be https and not on loopback")?;
    Ok(url.into())
}

fn parse_sealing_keys(text: &str) -> Result<Vec<SealingKey>, &'static str> {
    let mut keys: Vec<SealingKey> = Vec::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, key) = pair.split_once(':').ok_or("has an entry that is not name:key")?;
        let named = !name.is_empty() && name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !named {
            return Err("has a key name that is not 1 to 16 letters and digits");
        }
        if keys.iter().any(|known| known.name == name) {
            return Err("has two keys of one name");
        }
        let bytes = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).map_err(|_| "has a key that is not base64url")?;
        let key = bytes.try_into().map_err(|_| "has a key that is not 32 bytes long")?;
        keys.push(SealingKey { name: name.to_owned(), key: Secret::new(key) });
    }
    if keys.is_empty() { Err("has no key") } else { Ok(keys) }
}

#[cfg(test)]
mod tests;
