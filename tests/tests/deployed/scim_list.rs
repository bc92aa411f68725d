//! Lists of a directory: filters, pages, order, cursors, searches.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::Reply;
use vestibule_tests::platform::unique;
use vestibule_tests::scim::{Directory, USER};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// Five people who differ in everything that is asked for below.
pub(super) async fn with_five() -> (Directory, Vec<String>) {
    let directory = Directory::new().await;
    let mut ids = Vec::new();
    for (name, family, nick, active) in [
        ("Anna@corp.example", "Larsen", Some("An"), true),
        ("bert@corp.example", "larsen", None, false),
        ("carl@other.example", "Svensson", Some("Calle"), true),
        ("dora@corp.example", "Ek", None, true),
        ("emil@corp.example", "Öberg", Some("E \"x\""), true),
    ] {
        let mut body = json!({
            "schemas": [USER], "userName": name, "externalId": format!("x-{family}"), "active": active,
            "name": { "familyName": family }, "emails": [{ "value": name, "type": "work", "primary": true }],
        });
        if let Some(nick) = nick {
            body["nickName"] = nick.into();
        }
        let made = directory.call(Method::POST, "/Users", Some(&body)).await;
        assert_eq!(made.status, 201, "{}", made.body);
        ids.push(made.scim()["id"].as_str().expect("an id").to_owned());
    }
    (directory, ids)
}

/// The first letters of the user names on a page, sorted; and the total.
fn letters(reply: &Reply) -> (String, u64) {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let list = reply.scim();
    let names = list["Resources"].as_array().expect("resources").iter();
    let mut letters: Vec<String> =
        names.map(|user| user["userName"].as_str().expect("a name")[..1].to_lowercase()).collect();
    letters.sort();
    (letters.concat(), list["totalResults"].as_u64().expect("a number"))
}

/// A refusal with its keyword and what to mend.
pub(super) fn refused(reply: &Reply, scim_type: &str) {
    let error = reply.scim();
    assert_eq!((reply.status.as_u16(), error["status"].as_str()), (400, Some("400")), "{error}");
    assert_eq!(error["scimType"], scim_type, "{error}");
    assert!(error["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{error}");
}

/// SC-7, SC-8, OK-3, OK-7: every operator, by name, by index and by walking.
#[tokio::test]
async fn filters_find_whom_they_describe() {
    let (directory, ids) = with_five().await;
    let by_id = format!("id eq \"{}\"", ids[3]);
    for (filter, expected) in [
        ("userName eq \"ANNA@CORP.EXAMPLE\"", "a"),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"anna@corp.example\"", "a"),
        ("externalId eq \"x-Larsen\"", "a"),
        ("externalId eq \"X-LARSEN\"", ""),
        ("emails.value eq \"CARL@other.example\"", "c"),
        ("emails[type eq \"work\"].value eq \"dora@corp.example\"", "d"),
        ("emails[type eq \"home\"].value eq \"dora@corp.example\"", ""),
        (&by_id, "d"),
        ("id eq \"nobody\"", ""),
        ("userName eq \"anna@corp.example\" and active eq false", ""),
        ("userName eq \"anna@corp.example\" or userName sw \"bert\"", "ab"),
        ("name.familyName eq \"LARSEN\"", "ab"),
        ("name.familyName ne \"larsen\"", "cde"),
        ("userName co \"other\"", "c"),
        ("userName ew \"CORP.example\"", "abde"),
        ("userName gt \"carl@other.example\"", "de"),
        ("userName le \"bert@corp.example\"", "ab"),
        ("nickName pr", "ace"),
        ("not (nickName pr) and active eq true", "d"),
        ("(active eq false or nickName eq \"calle\") and emails pr", "bc"),
        ("nickName eq \"e \\\"x\\\"\"", "e"),
        ("meta.created gt \"2001-01-01T00:00:00Z\"", "abcde"),
        ("USERNAME Eq \"nobody\"", ""),
    ] {
        let found = letters(&directory.query("/Users", &[("filter", filter)]).await);
        assert_eq!(found, (expected.to_owned(), expected.len() as u64), "{filter}");
        // A search that is posted is the same question.
        let search = json!({ "schemas": [SEARCH], "filter": filter });
        let reply = directory.call(Method::POST, "/Users/.search", Some(&search)).await;
        assert_eq!(letters(&reply), found, "{filter}");
    }
}

/// SC-8: nothing that is not understood is answered with nobody.
#[tokio::test]
async fn filters_that_are_not_understood_are_refused() {
    let (directory, _) = with_five().await;
    for filter in [
        "userName",
        "userName eq",
        "userName is \"x\"",
        "userName eq \"x",
        "(userName pr",
        "userName pr and",
        "shoeSize eq 42",
        "urn:example:other:2.0:User:userName eq \"x\"",
        "emails.nope eq \"x\"",
        "members.value eq \"x\"",
        "active gt true",
        "password eq \"x\"",
        "meta.created gt \"yesterday\"",
        &format!("{}userName pr{}", "(".repeat(40), ")".repeat(40)),
        "",
    ] {
        refused(&directory.query("/Users", &[("filter", filter)]).await, "invalidFilter");
    }
    for (path, parameters, expected) in [
        ("/Users", vec![("sortBy", "nope")], "invalidPath"),
        ("/Users", vec![("sortOrder", "up")], "invalidValue"),
        ("/Users", vec![("count", "many")], "invalidValue"),
        ("/Users", vec![("attributes", "nope")], "invalidValue"),
        ("/Users", vec![("attributes", "id"), ("excludedAttributes", "name")], "invalidValue"),
        ("/Users", vec![("cursor", "forged")], "invalidCursor"),
        ("/Users", vec![("cursor", ""), ("count", "0")], "invalidCount"),
        ("/Users", vec![("cursor", ""), ("sortBy", "userName")], "invalidValue"),
        ("/Users", vec![("sortBy", "userName"), ("startIndex", "10001")], "tooMany"),
        ("/Groups", vec![("filter", "userName pr")], "invalidFilter"),
    ] {
        let reply = directory.query(path, &parameters).await;
        let error = reply.scim();
        assert_eq!(reply.status, 400, "{parameters:?}: {error}");
        assert_eq!(error["scimType"], expected, "{parameters:?}: {error}");
    }
}

/// SC-4, EN-4: pages are counted from one, hold what was asked for, and together everybody once.
#[tokio::test]
async fn pages_hold_everybody_once() {
    let directory = Directory::new().await;
    let mut made = BTreeSet::new();
    for _ in 0..23 {
        made.insert(directory.user(&unique("person")).await);
    }
    for count in [1_usize, 5, 23, 100] {
        let mut seen = Vec::new();
        for start in (1..=23).step_by(count) {
            let parameters = [("startIndex", start.to_string()), ("count", count.to_string())];
            let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
            let page = directory.query("/Users", &parameters).await.scim();
            assert_eq!((&page["totalResults"], &page["startIndex"]), (&json!(23), &json!(start)));
            let resources = page["Resources"].as_array().expect("resources");
            assert_eq!(page["itemsPerPage"], resources.len());
            assert_eq!(resources.len(), count.min(24 - start), "{count} from {start}");
            seen.extend(resources.iter().map(|user| user["id"].as_str().expect("an id").to_owned()));
        }
        assert_eq!(seen.len(), 23);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made, "by {count}");
    }
    for (start, count, expected) in
        [("0", "2", 2), ("-7", "1", 1), ("24", "10", 0), ("100000", "10", 0), ("1", "0", 0), ("1", "-5", 0)]
    {
        let page = directory.query("/Users", &[("startIndex", start), ("count", count)]).await.scim();
        assert_eq!(page["Resources"].as_array().map(Vec::len), Some(expected), "{start} {count}");
        assert_eq!(page["totalResults"], 23);
    }
    // Whoever is deleted is counted no more.
    let gone = made.pop_first().expect("somebody");
    assert_eq!(directory.call(Method::DELETE, &format!("/Users/{gone}"), None).await.status, 204);
    assert_eq!(directory.query("/Users", &[("count", "0")]).await.scim()["totalResults"], 22);
    assert_eq!(Directory::new().await.query("/Users", &[]).await.scim()["totalResults"], 0, "another tenant");
}

/// SC-13, SC-19, entra-042, entra-043: groups by name and by who is in them, with their members or without.
#[tokio::test]
async fn groups_are_found_by_name_and_member() {
    let directory = Directory::new().await;
    let (ada, bob) = (directory.user("ada@corp.example").await, directory.user("bob@corp.example").await);
    let tea = directory.group("Tea", &[&ada]).await;
    let other_tea = directory.group("TEA", &[&ada, &bob]).await;
    directory.group("Coffee", &[]).await;
    for (filter, expected) in [
        ("displayName eq \"tea\"".to_owned(), vec![&tea, &other_tea]),
        (format!("id eq \"{tea}\" and members eq \"{ada}\""), vec![&tea]),
        (format!("id eq \"{tea}\" and members.value eq \"{bob}\""), vec![]),
        (format!("members[value eq \"{bob}\"]"), vec![&other_tea]),
        (format!("not (members eq \"{bob}\") and members pr"), vec![&tea]),
        ("displayName eq \"nobody's\"".to_owned(), vec![]),
    ] {
        let list = directory.query("/Groups", &[("filter", &filter)]).await.scim();
        let found = list["Resources"].as_array().expect("resources").iter();
        let found: BTreeSet<&str> = found.map(|group| group["id"].as_str().expect("an id")).collect();
        assert_eq!(found, expected.into_iter().map(String::as_str).collect(), "{filter}");
    }
    let list = directory.query("/Groups", &[]).await.scim();
    let members = |list: &Value| -> Vec<usize> {
        let mut counts: Vec<usize> = list["Resources"]
            .as_array()
            .expect("resources")
            .iter()
            .map(|group| group["members"].as_array().map_or(0, Vec::len))
            .collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!((members(&list), &list["totalResults"]), (vec![0, 1, 2], &json!(3)));
    let without = directory.query("/Groups", &[("excludedAttributes", "members")]).await.scim();
    assert_eq!(members(&without), [0, 0, 0]);
    let names = directory.query("/Groups", &[("attributes", "displayName"), ("sortBy", "displayName")]).await.scim();
    assert_eq!(names["Resources"][0]["displayName"], "Coffee");
    assert_eq!(names["Resources"][0].get("meta"), None);
}
