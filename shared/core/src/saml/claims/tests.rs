//! Assertions as providers write them, and what becomes of a person.

use serde_json::Value;
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::saml::Answer;
use vestibule_protocol::time::Timestamp;

use super::*;
use crate::model::connection::ClaimNames;
use crate::upstream::person::Said;

const MICROSOFT: &str = "http://schemas.microsoft.com";
const XMLSOAP: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

fn assertion(name: &str, format: Option<&str>, attributes: &[(&str, &[&str])]) -> Assertion {
    let attribute = |(name, values): &(&str, &[&str])| Attribute {
        name: (*name).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let at = Timestamp::from_seconds(1_750_000_000);
    Assertion {
        id: "_1".to_owned(),
        ends: at,
        answer: Answer::Requested,
        name_id: NameId {
            value: name.to_owned(),
            format: format.map(str::to_owned),
            name_qualifier: None,
            sp_name_qualifier: None,
        },
        session_index: Some("_s".to_owned()),
        authenticated_at: at,
        session_ends: None,
        context: Some("urn:oasis:names:tc:SAML:2.0:ac:classes:X509".to_owned()),
        attributes: attributes.iter().map(attribute).collect(),
    }
}

fn said(name: &str, format: Option<&str>, attributes: &[(&str, &[&str])]) -> Said {
    Said::new(&claims(&assertion(name, format, attributes)), None, &ClaimNames::default())
}

/// E-mail address, first, last and full name, user name.
fn parts(said: &Said) -> [Option<&str>; 5] {
    let profile = &said.profile;
    let parts = [&profile.email, &profile.given_name, &profile.family_name, &profile.name, &profile.preferred_username];
    parts.map(Option::as_deref)
}

fn known(names: &[&str]) -> Groups {
    Groups::Known(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn entra() {
    let long = |name: &str| format!("{XMLSOAP}/{name}");
    let display = format!("{MICROSOFT}/identity/claims/displayname");
    let (email, given, surname, upn) = (long("emailaddress"), long("givenname"), long("surname"), long("name"));
    let usual: Vec<(&str, &[&str])> = vec![
        (&display, &["Ada Lovelace"]),
        (&email, &["ada@corp.example"]),
        (&given, &["Ada"]),
        (&surname, &["Lovelace"]),
        (&upn, &["ada@corp.onmicrosoft.example"]),
    ];
    let format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent");
    let with = |more: (&'static str, &'static [&'static str])| said("x", format, &[usual.as_slice(), &[more]].concat());
    let found = with((GROUPS, &["11111111-2222-3333-4444-555555555555", "b"]));
    let user = "ada@corp.onmicrosoft.example";
    assert_eq!(
        parts(&found),
        [Some("ada@corp.example"), Some("Ada"), Some("Lovelace"), Some("Ada Lovelace"), Some(user)]
    );
    assert_eq!(found.groups, known(&["11111111-2222-3333-4444-555555555555", "b"]));
    assert_eq!(with((GROUPS, &["only"])).groups, known(&["only"]));
    // More groups than Entra sends: who is in none and who is in too many are not the same.
    let link = "http://schemas.microsoft.com/claims/groups.link";
    assert_eq!(with((link, &["https://graph.windows.example/x"])).groups, Groups::Overage);
    assert_eq!(said("x", format, &usual).groups, Groups::NotSent);
    // Under the long name, too, for connections that are set to it.
    let overage = claims(&assertion("x", None, &[(link, &["https://graph.windows.example/x"])]));
    let path = GROUPS.parse().unwrap();
    assert_eq!(Groups::of(&overage, &path), Groups::Overage);
}

#[test]
fn ad_fs() {
    let (email, upn) = (format!("{XMLSOAP}/emailaddress"), format!("{XMLSOAP}/upn"));
    let (account, common) = (format!("{XMLSOAP}/name"), "http://schemas.xmlsoap.org/claims/CommonName");
    let found = said(
        "CORP\\ada",
        Some("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"),
        &[
            (&email, &["ada@corp.example"]),
            (&account, &["CORP\\ada"]),
            (&upn, &["ada@corp.local"]),
            (common, &["Ada Lovelace"]),
            ("http://schemas.xmlsoap.org/claims/Group", &["Domain Users", "Ops"]),
        ],
    );
    let expected = [Some("ada@corp.example"), None, None, Some("Ada Lovelace"), Some("ada@corp.local")];
    assert_eq!((parts(&found), found.groups.clone()), (expected, known(&["Domain Users", "Ops"])));
}

/// Names are the administrator's choice there; the address may be in the `NameID` alone.
#[test]
fn okta_and_google() {
    let okta = said(
        "ada@corp.example",
        Some(EMAIL_FORMAT),
        &[("firstName", &["Ada"]), ("lastName", &["Lovelace"]), ("groups", &["Everyone", "Ops"])],
    );
    assert_eq!(parts(&okta), [Some("ada@corp.example"), None, None, None, None]);
    assert_eq!((okta.groups, okta.claims.text("firstName")), (known(&["Everyone", "Ops"]), Some("Ada")));
    let names = ClaimNames { given_name: "firstName".parse().unwrap(), ..ClaimNames::default() };
    let found = claims(&assertion("x", None, &[("firstName", &["Ada"])]));
    assert_eq!(Said::new(&found, None, &names).profile.given_name.as_deref(), Some("Ada"));

    let google = said("ada@corp.example", Some(EMAIL_FORMAT), &[("email", &["other@corp.example"]), ("groups", &[])]);
    assert_eq!(parts(&google)[0], Some("other@corp.example"), "an attribute comes before the NameID");
    assert_eq!(google.groups, known(&[]));
    let lookalike = said("ada@corp.example", Some("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"), &[]);
    assert_eq!(parts(&lookalike)[0], None, "a name that only looks like an address is none");
}

/// Shibboleth and others with LDAP behind them: several addresses are usual, and the first is the main one.
#[test]
fn edu_person() {
    let found = said(
        "x",
        None,
        &[
            ("urn:oid:0.9.2342.19200300.100.1.3", &["ada@uni.example", "a.lovelace@uni.example"]),
            ("urn:oid:2.5.4.42", &["Ada"]),
            ("urn:oid:2.5.4.4", &["Lovelace"]),
            ("urn:oid:2.16.840.1.113730.3.1.241", &["Ada Lovelace"]),
            ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", &["ada@uni.example"]),
            ("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", &["staff", "maths"]),
        ],
    );
    let (ada, full) = (Some("ada@uni.example"), Some("Ada Lovelace"));
    assert_eq!(parts(&found), [ada, Some("Ada"), Some("Lovelace"), full, ada]);
    assert_eq!(found.groups, known(&["staff", "maths"]));
}

/// What the assertion says of itself is never an attribute's to say.
#[test]
fn no_attribute_takes_the_assertions_place() {
    let names = ["sub", "sid", "acr", "name_id_format", "_claim_names", "_claim_sources"];
    let attributes: Vec<(&str, &[&str])> = names.iter().map(|name| (*name, ["evil"].as_slice())).collect();
    let mut assertion = assertion("ada", Some(EMAIL_FORMAT), &attributes);
    let found = claims(&assertion);
    let said = names.map(|name| found.get(name).and_then(Value::as_str).unwrap_or_default());
    let class = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509";
    assert_eq!(said, ["ada", "_s", class, EMAIL_FORMAT, "", ""]);
    assertion.session_index = None;
    assertion.context = None;
    assertion.name_id.format = None;
    let found = claims(&assertion);
    assert!(["sid", "acr", "name_id_format"].iter().all(|name| found.get(name).is_none()));
}

/// One value is a text, several are a list, and short names that are there are left alone.
#[test]
fn attributes_keep_their_names_and_values() {
    let found = claims(&assertion(
        "ada",
        None,
        &[("one", &["a"]), ("two", &["a", "b"]), ("none", &[]), ("name", &["own"]), ("urn:oid:2.5.4.3", &["other"])],
    ));
    assert_eq!(found.get("one"), Some(&json!("a")));
    assert_eq!(found.get("two"), Some(&json!(["a", "b"])));
    assert_eq!(found.get("none"), Some(&json!([])));
    assert_eq!((found.text("name"), found.text("urn:oid:2.5.4.3")), (Some("own"), Some("other")));
}
