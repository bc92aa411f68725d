//! What a provider's claims say of a person, under the paths that the connection sets.

use std::collections::BTreeMap;

use serde_json::Value;
use vestibule_protocol::mapping::attribute::Reading;
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::groups::Groups;

use crate::model::connection::ClaimNames;
use crate::model::user::Profile;

/// Claims, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    /// Who the person is.
    pub(crate) profile: Profile,
    /// Which groups they are in.
    pub(crate) groups: Groups,
    /// Both documents as one: of a claim that both have, userinfo's is the fresher.
    pub(crate) claims: Claims,
}

impl Said {
    /// Reads what the ID token says, and userinfo where it was asked.
    pub(crate) fn new(id_token: &Claims, userinfo: Option<&Claims>, names: &ClaimNames) -> Self {
        let mut profile = profile_of(id_token, names);
        let mut groups = Groups::of(id_token, &names.groups);
        let mut claims = id_token.clone();
        if let Some(userinfo) = userinfo {
            profile = merge(profile, profile_of(userinfo, names));
            groups = Groups::of(userinfo, &names.groups).or(groups);
            claims = claims.merged(userinfo.clone());
        }
        Self { profile, groups, claims }
    }
}

/// The attributes that a connection maps, as far as there are any. One that is too long is left out.
pub(crate) fn attributes(claims: &Claims, names: &ClaimNames) -> BTreeMap<String, Value> {
    let read = names.attributes.iter().filter_map(|(name, mapping)| match mapping.read(claims) {
        Reading::Value(value) => Some((name.clone(), value)),
        Reading::Nothing | Reading::TooLong => None,
    });
    read.collect()
}

/// What names the person for good. The ID token's word first: it is signed. Userinfo may fill in what is not in it.
pub(crate) fn unique_id(path: &ClaimPath, id_token: &Claims, userinfo: Option<&Claims>) -> Option<String> {
    id_token.identifier(path).or_else(|| userinfo.and_then(|userinfo| userinfo.identifier(path)))
}

fn profile_of(claims: &Claims, names: &ClaimNames) -> Profile {
    let text = |path: &ClaimPath| path.first_text(claims).map(str::to_owned);
    // What is said of `email` is said of no other claim (OpenID Connect Core §5.1), and of no list.
    let is_email = names.email.as_str() == "email";
    Profile {
        email: if is_email { claims.text("email").map(str::to_owned) } else { text(&names.email) },
        email_verified: is_email.then(|| email_verified(claims)).flatten(),
        name: text(&names.name),
        given_name: text(&names.given_name),
        family_name: text(&names.family_name),
        preferred_username: text(&names.preferred_username),
    }
}

/// Entra does not say that an address is verified, but with the optional claim `xms_edov`, that the owner of its domain is:
/// true, or one.
fn email_verified(claims: &Claims) -> Option<bool> {
    let domain_owner = || (claims.identifier(&ClaimPath::exact("xms_edov"))? == "1").then_some(true);
    claims.flag("email_verified").or_else(|| claims.flag("xms_edov")).or_else(domain_owner)
}

/// Userinfo is the fresher of the two, where it says anything. An address and whether it is verified go together.
fn merge(token: Profile, userinfo: Profile) -> Profile {
    let (email, email_verified) = match userinfo.email {
        // Of the address that the ID token names too, its word holds where userinfo has none.
        Some(email) if token.email.as_ref() == Some(&email) => {
            (Some(email), userinfo.email_verified.or(token.email_verified))
        }
        Some(email) => (Some(email), userinfo.email_verified),
        None => (token.email, token.email_verified),
    };
    Profile {
        email,
        email_verified,
        name: userinfo.name.or(token.name),
        given_name: userinfo.given_name.or(token.given_name),
        family_name: userinfo.family_name.or(token.family_name),
        preferred_username: userinfo.preferred_username.or(token.preferred_username),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(json: &Value) -> Claims {
        Claims::from(json.as_object().cloned().unwrap())
    }

    fn profile(names: &ClaimNames, json: &Value) -> Profile {
        profile_of(&claims(json), names)
    }

    /// RP-6: what is said of `email` is said of that claim alone, and of one address.
    #[test]
    fn a_verified_address_is_the_claim_email_and_one_text() {
        let own = ClaimNames::default();
        let verified = profile(&own, &json!({ "email": "a@x.example", "email_verified": true }));
        assert_eq!((verified.email.as_deref(), verified.email_verified), (Some("a@x.example"), Some(true)));
        assert_eq!(profile(&own, &json!({ "email": ["a@x.example"], "email_verified": true })).email, None);
        for path in ["upn", "$.email", "$['email']", "emails", "x.email"] {
            let names = ClaimNames { email: path.parse().unwrap(), ..ClaimNames::default() };
            let address = json!("a@x.example");
            let said = json!({ "email": address, "upn": address, "emails": [address], "x": { "email": address }, "email_verified": true });
            let other = profile(&names, &said);
            assert_eq!((other.email.as_deref(), other.email_verified), (Some("a@x.example"), None), "{path}");
        }
    }

    #[test]
    fn every_part_can_be_elsewhere() {
        let names = ClaimNames {
            name: ClaimPath::exact("display"),
            given_name: "person.first".parse().unwrap(),
            family_name: "$.person.last[0]".parse().unwrap(),
            preferred_username: ClaimPath::exact("https://corp.example/login"),
            ..ClaimNames::default()
        };
        let said = json!({
            "display": ["Ada L", "other"], "person": { "first": "Ada", "last": ["L"] },
            "https://corp.example/login": "ada", "name": "not this one",
        });
        let found = profile(&names, &said);
        let expected = [Some("Ada L"), Some("Ada"), Some("L"), Some("ada")];
        let parts = [found.name, found.given_name, found.family_name, found.preferred_username];
        assert_eq!(parts.each_ref().map(Option::as_deref), expected);
    }

    /// RP-6: whoever has several names has none for good.
    #[test]
    fn a_unique_id_is_one_value_the_signed_one_first() {
        let id = |path: &str, token: &Value, userinfo: Option<Value>| {
            unique_id(&path.parse().unwrap(), &claims(token), userinfo.as_ref().map(claims).as_ref())
        };
        assert_eq!(id("oid", &json!({ "oid": "a" }), Some(json!({ "oid": "b" }))).as_deref(), Some("a"));
        assert_eq!(id("x.id", &json!({}), Some(json!({ "x": { "id": 7 } }))).as_deref(), Some("7"));
        for several in [json!({ "ids": ["a"] }), json!({ "ids": [] }), json!({ "ids": { "a": 1 } }), json!({})] {
            assert_eq!(id("ids", &several, None), None);
        }
        assert_eq!(id("$.ids[*]", &json!({ "ids": ["a", "b"] }), None), None);
    }
}
