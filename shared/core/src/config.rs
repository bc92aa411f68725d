//! What a deployment sets, read once at the start. Tenants, clients and connections are data, not configuration.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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
        let mut problems = Vec::new();
        let mut read = |variable: &'static str, parse: &mut dyn FnMut(Option<String>) -> Result<(), &'static str>| {
            let value = var(variable).filter(|value| !value.trim().is_empty());
            if let Err(problem) = parse(value) {
                problems.push(ConfigError { variable, problem });
            }
        };
        let mut issuer = String::new();
        read("VESTIBULE_ISSUER", &mut |value| {
            issuer = parse_issuer(&value.ok_or("is missing: set it to the address that browsers use")?)?;
            Ok(())
        });
        let mut sealing_keys = Vec::new();
        read("VESTIBULE_SEALING_KEYS", &mut |value| {
            sealing_keys = parse_sealing_keys(
                &value.ok_or("is missing: set it to name:key, the key 32 random bytes in base64url")?,
            )?;
            Ok(())
        });
        let mut admin_token = Secret::default();
        read("VESTIBULE_ADMIN_TOKEN", &mut |value| {
            let token = value.ok_or("is missing: set it to a random text of at least 32 characters")?;
            if token.len() < 32 {
                return Err("is too short: at least 32 characters");
            }
            admin_token = Secret::new(token);
            Ok(())
        });
        let mut egress_loopback = false;
        read("VESTIBULE_EGRESS_LOOPBACK", &mut |value| {
            egress_loopback = match value.as_deref() {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err("is neither true nor false"),
            };
            Ok(())
        });
        let mut signing_algorithm = Algorithm::ES256;
        read("VESTIBULE_SIGNING_ALGORITHM", &mut |value| {
            signing_algorithm = parse_algorithm(value.as_deref())?;
            Ok(())
        });
        let mut key_rotation = None;
        read("VESTIBULE_KEY_ROTATION_DAYS", &mut |value| {
            key_rotation = parse_rotation(value.as_deref())?;
            Ok(())
        });
        let mut doh_url = String::new();
        read("VESTIBULE_DOH_URL", &mut |value| {
            doh_url = parse_doh_url(value.as_deref().unwrap_or(DEFAULT_DOH_URL), egress_loopback)?;
            Ok(())
        });
        if problems.is_empty() {
            Ok(Self { issuer, sealing_keys, admin_token, egress_loopback, signing_algorithm, key_rotation, doh_url })
        } else {
            Err(ConfigErrors(problems))
        }
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
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        Config::from_vars(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    fn with(change: (&'static str, &str)) -> Result<Config, ConfigErrors> {
        let key = format!("k1:{KEY}");
        let mut pairs = vec![
            ("VESTIBULE_ISSUER", "https://sso.example"),
            ("VESTIBULE_SEALING_KEYS", key.as_str()),
            ("VESTIBULE_ADMIN_TOKEN", TOKEN),
        ];
        pairs.retain(|(name, _)| *name != change.0);
        pairs.push(change);
        config(&pairs)
    }

    #[test]
    fn all_problems_come_at_once_and_name_their_variables() {
        let errors = config(&[("VESTIBULE_EGRESS_LOOPBACK", "yes")]).expect_err("nothing is set");
        let variables: Vec<_> = errors.0.iter().map(|error| error.variable).collect();
        assert_eq!(
            variables,
            ["VESTIBULE_ISSUER", "VESTIBULE_SEALING_KEYS", "VESTIBULE_ADMIN_TOKEN", "VESTIBULE_EGRESS_LOOPBACK"]
        );
    }

    #[test]
    fn an_issuer_is_an_origin() {
        assert_eq!(
            with(("VESTIBULE_ISSUER", "https://sso.example/")).map(|c| c.issuer).ok().as_deref(),
            Some("https://sso.example")
        );
        assert!(with(("VESTIBULE_ISSUER", "http://localhost:8787")).is_ok());
        for wrong in [
            "sso.example",
            "http://sso.example",
            "https://sso.example/path",
            "https://sso.example?x=1",
            "ftp://sso.example",
            "https://me@sso.example",
        ] {
            assert!(with(("VESTIBULE_ISSUER", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_resolver_is_public_https_unless_loopback_is_allowed() {
        assert_eq!(with(("VESTIBULE_DOH_URL", "")).map(|c| c.doh_url).ok().as_deref(), Some(DEFAULT_DOH_URL));
        assert!(with(("VESTIBULE_DOH_URL", "https://dns.example/resolve")).is_ok());
        for wrong in
            ["dns.example", "http://dns.example/", "https://10.0.0.1/", "http://localhost/", "https://a.example/?x"]
        {
            assert!(with(("VESTIBULE_DOH_URL", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sealing_keys_are_named_once_and_256_bits_long() {
        let two = format!("new:{KEY}, old:{KEY}");
        assert_eq!(with(("VESTIBULE_SEALING_KEYS", &two)).map(|c| c.sealing_keys.len()).ok(), Some(2));
        for wrong in [
            "",
            "k1",
            "k1:",
            "k1:AAEC",
            &format!("k1:{KEY},k1:{KEY}"),
            &format!("k-1:{KEY}"),
            &format!(":{KEY}"),
            "k1:***",
        ] {
            assert!(with(("VESTIBULE_SEALING_KEYS", wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn keys_are_es256_for_ninety_days_unless_said_otherwise() {
        let days = |text| with(("VESTIBULE_KEY_ROTATION_DAYS", text)).map(|config| config.key_rotation).ok();
        assert_eq!(days(""), Some(Some(Seconds(90 * 86_400))));
        assert_eq!((days("1"), days("0")), (Some(Some(Seconds(86_400))), Some(None)));
        let algorithm = |text| with(("VESTIBULE_SIGNING_ALGORITHM", text)).map(|config| config.signing_algorithm).ok();
        assert_eq!(algorithm(""), Some(Algorithm::ES256));
        assert_eq!((algorithm("RS256"), algorithm("EdDSA")), (Some(Algorithm::RS256), Some(Algorithm::EdDSA)));
        for wrong in ["-1", "3651", "70000", "1.5", "ninety"] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
        for wrong in ["none", "HS256", "es256", "ES384", "PS256"] {
            assert_eq!(algorithm(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", with(("VESTIBULE_ADMIN_TOKEN", TOKEN)));
        assert!(!printed.contains(TOKEN));
    }
}
