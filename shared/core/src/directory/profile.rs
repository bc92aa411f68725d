//! What is known of a person, in two words: as OpenID Connect says it ([`Profile`]) and as SCIM does. The road by which
//! they came says which of the two leads, and the other follows.

use serde_json::{Map, Value, json};
use vestibule_protocol::scim::condition::fold;

use crate::Broker;
use crate::error::Error;
use crate::model::user::{Profile, User};
use crate::store::key;

/// What applications learn of somebody whom a directory pushed. What only an identity provider can say, that an address
/// is verified, holds while the address is the same.
pub(crate) fn of_attributes(attributes: &Map<String, Value>, before: &Profile) -> Profile {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let name = |part: &str| text(attributes.get("name").and_then(|name| name.get(part)));
    let addresses = attributes.get("emails").and_then(Value::as_array);
    let addresses = addresses.map(Vec::as_slice).unwrap_or_default();
    let is_primary = |address: &&Value| address.get("primary") == Some(&Value::Bool(true));
    let address = addresses.iter().find(is_primary).or(addresses.first());
    let email = text(address.and_then(|address| address.get("value")));
    let email_verified = if email == before.email { before.email_verified } else { None };
    Profile {
        email_verified,
        email,
        name: text(attributes.get("displayName")).or_else(|| name("formatted")),
        given_name: name("givenName"),
        family_name: name("familyName"),
        preferred_username: text(attributes.get("userName")),
    }
}

/// What SCIM shows of somebody who signs in on their own: the profile's part of their attributes is written anew, the
/// rest stays.
pub(crate) fn into_attributes(user: &mut User) {
    let Profile { email, name, given_name, family_name, .. } = &user.profile;
    let mut parts = Map::new();
    for (part, value) in [("formatted", name), ("givenName", given_name), ("familyName", family_name)] {
        parts.extend(value.as_ref().map(|value| (part.to_owned(), Value::from(value.as_str()))));
    }
    let emails = email.as_ref().map(|email| json!([{ "value": email, "type": "work", "primary": true }]));
    let parts = (!parts.is_empty()).then_some(Value::Object(parts));
    let name = name.as_ref().map(|name| Value::from(name.as_str()));
    for (attribute, value) in [("displayName", name), ("name", parts), ("emails", emails)] {
        match value {
            Some(value) => drop(user.attributes.insert(attribute.to_owned(), value)),
            None => drop(user.attributes.remove(attribute)),
        }
    }
}

/// Gives a new person a user name that is free: the one they go by, their address, or their id, which is nobody else's.
pub(crate) async fn name(broker: &Broker, tenant: &str, user: &mut User) -> Result<(), Error> {
    let Profile { preferred_username, email, .. } = &user.profile;
    let mut chosen = user.id.clone();
    for candidate in [preferred_username, email].into_iter().flatten().filter(|candidate| !candidate.is_empty()) {
        if key::user_name(tenant, &fold(candidate)).get(&*broker.platform.store).await?.is_none() {
            chosen.clone_from(candidate);
            break;
        }
    }
    user.attributes.insert("userName".to_owned(), chosen.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_address_is_the_persons() {
        let attributes = json!({
            "userName": "ada@corp.example", "displayName": "Ada", "name": { "givenName": "A", "familyName": "L" },
            "emails": [{ "value": "home@x.example" }, { "value": "ada@corp.example", "primary": true }],
        });
        let before =
            Profile { email: Some("ada@corp.example".to_owned()), email_verified: Some(true), ..Profile::default() };
        let Value::Object(mut attributes) = attributes else { unreachable!() };
        let profile = of_attributes(&attributes, &before);
        assert_eq!((profile.email.as_deref(), profile.email_verified), (Some("ada@corp.example"), Some(true)));
        assert_eq!((profile.name.as_deref(), profile.given_name.as_deref()), (Some("Ada"), Some("A")));
        assert_eq!(profile.preferred_username.as_deref(), Some("ada@corp.example"));
        attributes.insert("emails".to_owned(), json!([{ "value": "other@corp.example" }]));
        let other = of_attributes(&attributes, &before);
        assert_eq!((other.email.as_deref(), other.email_verified), (Some("other@corp.example"), None));
    }
}
