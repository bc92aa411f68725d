//! An assertion as claims, so that what reads the claims of OpenID Connect reads it too.
//!
//! Each attribute stands under its own name: one value as text, several as a list. `sub`, `sid`, `acr` and `name_id_format` are
//! what the assertion itself says, and no attribute takes their place. Beside them are the short names of what everybody has,
//! where no attribute is called so, from the long names that providers use.

use serde_json::{Map, Value, json};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::saml::{Assertion, Attribute, NameId};

/// A name that is an e-mail address (saml-core §8.3.2), and one that is another at each sign-in (§8.3.8).
const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

/// What the assertion itself says, and what speaks of other claims.
const OURS: [&str; 6] = ["sub", "sid", "acr", "name_id_format", "_claim_names", "_claim_sources"];

/// How Entra's attribute ends that is there in the place of more groups than it sends. Its value is an address of theirs.
const GROUPS_ELSEWHERE: &str = "/claims/groups.link";
/// Entra's groups.
const GROUPS: &str = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups";

/// Short names, each with the long ones in whose place it stands; of several, the first that is there. Entra and AD FS
/// (`schemas…`), and LDAP with eduPerson (`urn:oid:…`).
const SHORT: [(&str, &[&str]); 6] = [
    (
        "email",
        &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "urn:oid:0.9.2342.19200300.100.1.3"],
    ),
    ("given_name", &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "urn:oid:2.5.4.42"]),
    ("family_name", &["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "urn:oid:2.5.4.4"]),
    (
        "name",
        &[
            "http://schemas.microsoft.com/identity/claims/displayname",
            "http://schemas.xmlsoap.org/claims/CommonName",
            "urn:oid:2.16.840.1.113730.3.1.241",
            "urn:oid:2.5.4.3",
        ],
    ),
    (
        "preferred_username",
        &[
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
            // Entra's user principal name, AD FS's account name.
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
            "urn:oid:0.9.2342.19200300.100.1.1",
        ],
    ),
    ("groups", &[GROUPS, "http://schemas.xmlsoap.org/claims/Group", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"]),
];

/// The claims of an assertion.
pub(crate) fn claims(assertion: &Assertion) -> Claims {
    let Assertion { name_id, session_index, context, attributes, .. } = assertion;
    claims_of(name_id, attributes, session_index.as_ref(), context.as_ref())
}

/// The claims of these parts of an assertion.
pub(crate) fn claims_of(
    NameId { value: name, format, .. }: &NameId,
    attributes: &[Attribute],
    session_index: Option<&String>,
    context: Option<&String>,
) -> Claims {
    let mut claims = Map::new();
    for Attribute { name, values } in attributes.iter().filter(|found| !OURS.contains(&&*found.name)) {
        let value = if let [only] = values.as_slice() { json!(only) } else { json!(values) };
        claims.insert(name.clone(), value);
    }
    let own = [("sub", Some(name)), ("name_id_format", format.as_ref()), ("sid", session_index), ("acr", context)];
    claims.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?.as_str())))));
    complete(claims)
}

/// Claims of an assertion with the short names that follow from them.
pub(crate) fn complete(mut claims: Map<String, Value>) -> Claims {
    for (short, long) in SHORT {
        let found = long.iter().find_map(|name| claims.get(*name)).cloned();
        // Of what is one text, directories may have several; the first is the main one.
        let found = match found {
            Some(Value::Array(several)) if short != "groups" => several.into_iter().next(),
            found => found,
        };
        if let Some(found) = found.filter(|_| !claims.contains_key(short)) {
            claims.insert(short.to_owned(), found);
        }
    }
    if claims.get("name_id_format").and_then(Value::as_str) == Some(EMAIL_FORMAT) && !claims.contains_key("email") {
        let name = claims.get("sub").cloned().unwrap_or_default();
        claims.insert("email".to_owned(), name);
    }
    if claims.keys().any(|name| name.ends_with(GROUPS_ELSEWHERE)) {
        claims.insert("_claim_names".to_owned(), json!({ "groups": GROUPS_ELSEWHERE, GROUPS: GROUPS_ELSEWHERE }));
    }
    Claims::from(claims)
}

/// Whether the provider names the person differently each time.
pub(crate) fn is_transient(name: &NameId) -> bool {
    name.format.as_deref() == Some(TRANSIENT)
}

#[cfg(test)]
mod tests;
