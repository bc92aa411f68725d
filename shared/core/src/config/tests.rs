//! Which settings are taken.

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
    for wrong in
        ["", "k1", "k1:", "k1:AAEC", &format!("k1:{KEY},k1:{KEY}"), &format!("k-1:{KEY}"), &format!(":{KEY}"), "k1:***"]
    {
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

#[test]
fn the_header_of_the_proxy_has_a_name() {
    let header = |text| with(("VESTIBULE_CLIENT_ADDRESS_HEADER", text)).map(|config| config.client_address_header).ok();
    assert_eq!(header(""), Some(None));
    assert_eq!(header("X-Forwarded-For"), Some(Some(HeaderName::from_static("x-forwarded-for"))));
    for wrong in ["x forwarded", "x-real-ip:", "x-é"] {
        assert_eq!(header(wrong), None, "{wrong}");
    }
}
