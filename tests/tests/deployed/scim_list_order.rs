//! Lists in an order that is asked for, walks by cursor, and searches for both kinds.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use vestibule_tests::platform::unique;
use vestibule_tests::scim::Directory;

use super::scim_list::{refused, with_five};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// RFC 7644 §3.4.2.3: an order that is asked for, with those last who have no value.
#[tokio::test]
async fn a_list_can_be_sorted() {
    let (directory, _) = with_five().await;
    let order = async |parameters: &[(&str, &str)]| {
        let list = directory.query("/Users", parameters).await.scim();
        assert_eq!(list["totalResults"], 5, "{list}");
        let names = list["Resources"].as_array().expect("resources").iter();
        names.map(|user| user["userName"].as_str().expect("a name")[..1].to_lowercase()).collect::<String>()
    };
    assert_eq!(order(&[("sortBy", "userName")]).await, "abcde");
    assert_eq!(order(&[("sortBy", "userName"), ("sortOrder", "descending")]).await, "edcba");
    assert_eq!(order(&[("sortBy", "emails.value"), ("startIndex", "2"), ("count", "3")]).await, "bcd");
    assert_eq!(&order(&[("sortBy", "nickName")]).await[..3], "ace");
    let filtered = [("sortBy", "name.familyName"), ("filter", "active eq true"), ("count", "2")];
    let list = directory.query("/Users", &filtered).await.scim();
    let families: Vec<&Value> =
        list["Resources"].as_array().expect("two").iter().map(|user| &user["name"]["familyName"]).collect();
    assert_eq!(
        (families, &list["totalResults"]),
        (vec!["Ek", "Larsen"].into_iter().map(|name| json!(name)).collect::<Vec<_>>().iter().collect(), &json!(4))
    );
}

/// SC-18: whoever comes and goes during a walk, nobody else is left out or seen twice; a cursor is for one question.
#[tokio::test]
async fn a_walk_by_cursor_sees_everybody_once() {
    let directory = Directory::new().await;
    let mut made = BTreeSet::new();
    for _ in 0..17 {
        made.insert(directory.user(&unique("person")).await);
    }
    for filter in ["", "userName pr"] {
        let (mut cursor, mut seen) = (String::new(), Vec::new());
        let mut gone = BTreeSet::new();
        loop {
            let mut parameters = vec![("cursor", cursor.as_str()), ("count", "4")];
            parameters.extend((!filter.is_empty()).then_some(("filter", filter)));
            let page = directory.query("/Users", &parameters).await.scim();
            let ids: Vec<String> = page["Resources"]
                .as_array()
                .expect("resources")
                .iter()
                .map(|user| user["id"].as_str().expect("an id").to_owned())
                .collect();
            assert!(page.get("startIndex").is_none() && ids.len() <= 4, "{page}");
            // The last one who was seen goes: the walk goes on behind them all the same.
            if let Some(last) = ids.last().filter(|_| gone.len() < 2) {
                directory.call(Method::DELETE, &format!("/Users/{last}"), None).await;
                gone.insert(last.clone());
            }
            seen.extend(ids);
            match page["nextCursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(seen.len(), made.len(), "{filter}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made, "{filter}");
        made = &made - &gone;
    }
    let first = directory.query("/Users", &[("cursor", ""), ("count", "2")]).await.scim();
    let cursor = first["nextCursor"].as_str().expect("there are more");
    refused(&directory.query("/Users", &[("cursor", cursor), ("filter", "userName pr")]).await, "invalidCursor");
    refused(&directory.query("/Groups", &[("cursor", cursor)]).await, "invalidCursor");
    refused(&Directory::new().await.query("/Users", &[("cursor", cursor)]).await, "invalidCursor");
    refused(&directory.query("/Users", &[("cursor", &cursor[1..])]).await, "invalidCursor");
}

/// SC-17: a search at the root looks for people and groups.
#[tokio::test]
async fn a_search_can_be_for_both_kinds() {
    let directory = Directory::new().await;
    let ada = directory.user("ada@corp.example").await;
    directory.user("bob@corp.example").await;
    let tea = directory.group("Tea", &[&ada]).await;
    let search = async |members: Value| {
        let mut body = json!({ "schemas": [SEARCH] });
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        directory.call(Method::POST, "/.search", Some(&body)).await
    };
    let all = search(json!({})).await.scim();
    assert_eq!((&all["totalResults"], &all["itemsPerPage"]), (&json!(3), &json!(3)));
    let last = search(json!({ "startIndex": 3, "count": 5 })).await.scim();
    assert_eq!((&last["totalResults"], &last["Resources"][0]["id"]), (&json!(3), &json!(tea)));
    assert_eq!(search(json!({ "startIndex": 2, "count": 1 })).await.scim()["itemsPerPage"], 1);
    let people = search(json!({ "filter": "userName pr", "attributes": ["userName"] })).await.scim();
    assert_eq!(people["totalResults"], 2, "groups have no user name");
    let named = search(json!({ "filter": "displayName eq \"tea\"" })).await.scim();
    assert_eq!(named["totalResults"], 1);
    refused(&search(json!({ "filter": "shoeSize pr" })).await, "invalidFilter");
    refused(&search(json!({ "sortBy": "displayName" })).await, "invalidValue");
    refused(&search(json!({ "cursor": "" })).await, "invalidValue");
    let reply = directory.call(Method::POST, "/Users/.search", Some(&json!({ "filter": "userName pr" }))).await;
    refused(&reply, "invalidSyntax");
}
