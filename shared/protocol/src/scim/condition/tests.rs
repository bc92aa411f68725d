//! Filters asked of people and groups.

use serde_json::{Value, json};

use super::*;
use crate::scim::schema::{ENTERPRISE_USER, Schema};

fn user_type() -> ResourceType {
    let own: Schema = serde_json::from_value(json!({
        "id": "urn:example:hr:User", "name": "HR", "attributes": [
            { "name": "level", "type": "integer" }, { "name": "share", "type": "decimal" },
            { "name": "tags", "multiValued": true, "caseExact": true }, { "name": "since", "type": "dateTime" },
        ],
    }))
    .unwrap();
    own.check().unwrap();
    ResourceType::user(vec![own])
}

fn alice() -> Value {
    json!({
        "id": "a1", "externalId": "X-1", "userName": "Alice@Corp.example", "active": true, "nickName": "",
        "name": { "familyName": "O'Malley", "givenName": "Ålice" }, "title": null, "roles": [],
        "emails": [
            { "type": "work", "value": "alice@corp.example", "primary": true },
            { "type": "home", "value": "a@home.example" },
        ],
        "meta": { "lastModified": "2011-05-13T04:42:34Z" },
        ENTERPRISE_USER: { "department": "Tour Operations", "manager": { "value": "m1" } },
        "urn:example:hr:User": { "level": 7, "share": 0.5, "tags": ["A", "b"], "since": "2020-01-01T00:00:00+01:00" },
    })
}

fn holds(filter: &str) -> bool {
    let user = user_type();
    let condition = Condition::parse(filter, &user).unwrap_or_else(|error| panic!("{filter}: {error}"));
    condition.holds_for(&alice())
}

/// SC-7, SC-8
#[test]
fn what_is_so_is_found() {
    for filter in [
        r#"userName eq "ALICE@corp.EXAMPLE""#,
        r#"externalId eq "X-1""#,
        r#"name.givenName eq "ålice""#,
        r#"name.familyName co "'mal""#,
        r#"userName sw "alice" and userName ew ".example""#,
        r#"userName gt "alice" and userName lt "alicf""#,
        r#"userName ge "alice@corp.example" and userName le "alice@corp.example""#,
        "active eq true and active ne false and active eq \"True\"",
        "userName pr and emails pr and name pr and emails.value pr",
        r#"emails co "home.example""#,
        r#"emails.type eq "HOME" and emails.value ne "a@home.example""#,
        r#"emails[type eq "work" and primary eq "True"]"#,
        r#"emails[type eq "work"].value eq "alice@corp.example""#,
        r#"emails[not (type eq "work") and primary ne true]"#,
        "emails[primary eq null] and not (emails[display pr])",
        "nickName eq null and title eq null and roles eq null and displayName eq null",
        r#"nickName ne "x" and roles ne "x" and userName ne null"#,
        r#"meta.lastModified ge "2011-05-13T06:42:34+02:00" and meta.lastModified lt "2011-05-13T04:42:34.001Z""#,
        r#"meta.lastModified sw "2011-05""#,
        &format!(r#"{ENTERPRISE_USER}:department sw "tour""#),
        &format!(r#"{ENTERPRISE_USER}:manager eq "m1""#),
        "urn:example:hr:User:level gt 6.5 and urn:example:hr:User:level le 7",
        "urn:example:hr:User:share eq 0.5 and urn:example:hr:User:share lt 1",
        r#"urn:example:hr:User:tags eq "A" and urn:example:hr:User:tags eq "b""#,
        r#"urn:example:hr:User:since eq "2019-12-31T23:00:00Z""#,
    ] {
        assert!(holds(filter), "{filter}");
    }
}

/// SC-8
#[test]
fn what_is_not_so_is_not_found() {
    for filter in [
        r#"externalId eq "x-1""#,
        r#"userName eq "alice""#,
        r#"userName co "bob""#,
        r#"userName eq "a\" or userName pr or userName eq \"b""#,
        "active eq false",
        "nickName pr or title pr or roles pr or displayName pr or emails.display pr",
        r#"emails[type eq "home" and value eq "alice@corp.example"]"#,
        r#"emails[type eq "other"]"#,
        r#"roles[value eq "x"] or roles[value ne "x"]"#,
        r#"nickName eq "x" or nickName gt "a" or nickName co """#,
        "userName eq null",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.created lt "2030-01-01T00:00:00Z""#,
        r#"urn:example:hr:User:tags eq "B""#,
        "urn:example:hr:User:level eq 7.1",
        "not (userName pr)",
        "title pr or (userName pr and active eq false)",
    ] {
        assert!(!holds(filter), "{filter}");
    }
}

/// SC-8: an error, never a list in which nobody is.
#[test]
fn what_makes_no_sense_is_refused() {
    let user = user_type();
    for filter in [
        "nope pr",
        r#"emails.nope eq "x""#,
        r#"emails[nope eq "x"]"#,
        r#"emails[emails.type eq "x"]"#,
        "emails[urn:example:hr:User:level eq 1]",
        r#"userName[value eq "x"]"#,
        r#"emails.value[type eq "x"]"#,
        r#"name eq "x""#,
        "active gt true",
        "active eq 1",
        r#"active eq "yes""#,
        r#"active co "tru""#,
        "userName eq 1",
        "userName eq true",
        "userName gt null",
        r#"urn:example:hr:User:level eq "7""#,
        "urn:example:hr:User:level co 7",
        r#"meta.lastModified gt "yesterday""#,
        "meta.lastModified gt 5",
        r#"x509Certificates.value gt "a""#,
        r#"password eq "x""#,
        "password pr",
        r#"addresses eq "x""#,
    ] {
        let error = Condition::parse(filter, &user).unwrap_err();
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidFilter)), "{filter}: {error}");
    }
}

#[test]
fn an_index_can_answer_what_must_be_equal() {
    let user = user_type();
    let equal = |filter: &str, name: &str| Condition::parse(filter, &user).unwrap().must_equal(name).map(str::to_owned);
    assert_eq!(equal(r#"userName eq "Bob""#, "userName").as_deref(), Some("bob"));
    assert_eq!(equal(r#"active eq true and (externalId eq "X")"#, "externalId").as_deref(), Some("X"));
    assert_eq!(equal(r#"emails eq "A@b""#, "emails.value").as_deref(), Some("a@b"));
    assert_eq!(equal(r#"emails[type eq "work"].value eq "A@b""#, "emails.value").as_deref(), Some("a@b"));
    for other in [
        r#"userName sw "b""#,
        r#"not (userName eq "b")"#,
        r#"userName eq "b" or active eq true"#,
        "userName eq null",
        r#"nickName eq "b""#,
        r#"emails[value eq "b" or type eq "work"]"#,
    ] {
        assert_eq!(equal(other, "userName").or_else(|| equal(other, "emails.value")), None, "{other}");
    }
}

/// SC-19: Entra's probe for one member does not read the others.
#[test]
fn a_big_group_is_asked_for_the_members_that_matter() {
    let group = ResourceType::group(Vec::new());
    let asked = |filter: &str| {
        let condition = Condition::parse(filter, &group).unwrap();
        condition.values_asked("members").map(|values| values.join(","))
    };
    assert_eq!(asked(r#"id eq "g" and members eq "u""#).as_deref(), Some("u"));
    assert_eq!(asked(r#"members[value eq "u"] or members.value eq "V""#).as_deref(), Some("u,V"));
    assert_eq!(asked(r#"not (members[type eq "User" and value eq "u"])"#).as_deref(), Some("u"));
    assert_eq!(asked(r#"displayName eq "x""#).as_deref(), Some(""));
    for whole in ["members pr", r#"members.type eq "User""#, r#"members ne "u""#, r#"members[type eq "User"]"#] {
        assert_eq!(asked(whole), None, "{whole}");
    }
    let condition = Condition::parse(r#"members eq "u""#, &group).unwrap();
    assert!(condition.holds_for(&json!({ "members": [{ "value": "t" }, { "value": "u" }] })));
    assert!(!condition.holds_for(&json!({ "members": [{ "value": "U" }] })));
}
