//! Lists of a directory that has many people: how much of it is read for an answer, and cursors that grow old.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::in_process::TestBroker;
use vestibule_tests::scim::USER;
use vestibule_tests::watched_store::{Counter, watched};

/// As many as two pages of the store.
const PEOPLE: usize = 1_200;

/// A directory with many people, over a store that counts.
async fn crowded() -> (TestBroker, Arc<Counter>, String) {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    for number in 0..PEOPLE {
        let name = format!("person-{number:04}@corp.example");
        let body = json!({
            "schemas": [USER], "userName": name, "externalId": format!("x-{number}"), "emails": [{ "value": name }],
            "title": if number % 3 == 0 { "Third" } else { "Other" },
        });
        let made = test.scim(&token, Method::POST, "/Users", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let (store, counter) = watched(&test.store, Counter::default());
    let warm = test.another_process(Some(store));
    warm.scim_get(&token, "/Users?count=0").await;
    counter.calls();
    (warm, counter, token)
}

/// SC-8, W7a: whom an index finds costs as much among a thousand as among ten. Everybody is read only where no index
/// says who it is.
#[tokio::test]
async fn an_index_is_asked_instead_of_everybody() {
    let (test, counter, token) = crowded().await;
    for (filter, total, reads) in [
        ("userName%20eq%20%22PERSON-0007@corp.example%22", 1, 2),
        ("externalId%20eq%20%22x-7%22", 1, 2),
        ("emails.value%20eq%20%22person-0007@corp.example%22", 1, 3),
        ("emails%5Bvalue%20eq%20%22person-0007@corp.example%22%5D%20and%20active%20eq%20true", 1, 3),
        ("userName%20eq%20%22nobody%22", 0, 2),
        // The token, and three steps of five hundred.
        ("title%20eq%20%22third%22", 400, 4),
    ] {
        let list = test.scim_get(&token, &format!("/Users?count=1&filter={filter}")).await;
        assert_eq!(list["totalResults"], total, "{filter}");
        assert_eq!(counter.calls(), (reads, Vec::new()), "{filter}");
    }
}

/// SC-4, W7b: a page in the middle is found without reading those before it.
#[tokio::test]
async fn a_page_in_the_middle_costs_as_much_as_the_first() {
    let (test, counter, token) = crowded().await;
    for start in [1, 601, 1_101] {
        let list = test.scim_get(&token, &format!("/Users?startIndex={start}&count=100")).await;
        assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(PEOPLE), &json!(100)));
        assert_eq!(counter.calls(), (3, Vec::new()), "the token, the tallies, one stretch of people: from {start}");
    }
    let last = test.scim_get(&token, "/Users?startIndex=1150&count=100").await;
    assert_eq!(last["itemsPerPage"], 51);
}

/// SC-5, SC-13: whoever is shown on a page of everybody is shown as a filter shows them, whatever there is to show.
#[tokio::test]
async fn a_page_shows_what_a_filter_shows() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    let (own, enterprise) = ("urn:corp:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User");
    let secret = json!({"name": "secret", "returned": "never"});
    let schema = json!({"id": own, "name": "Own", "attributes": [{"name": "floor", "type": "integer"}, secret]});
    test.admin(Method::PUT, "/tenants/acme/scim-schemas", &json!({"user": [schema], "group": []})).await;
    let boss = test.scim_user(&token, "boss").await;
    let ada = json!({"userName": "ada", "name": {"familyName": "Love\"\\lace \u{1F511}"}, "active": false});
    let said = [
        ada,
        json!({"userName": "bob", enterprise: {"department": "a manager"}, "emails": [{"value": "b@x", "primary": true}]}),
        json!({"userName": "cyd", enterprise: {"department": "Ops", "manager": {"value": boss}}}),
        json!({"userName": "dan", own: {"floor": 7, "secret": "hidden"}}),
        json!({"userName": "eve", own: {"secret": "hidden"}, "password": "hidden"}),
    ];
    for mut body in said {
        body["schemas"] = json!([USER, enterprise, own]);
        let made = test.scim(&token, Method::POST, "/Users", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    test.scim_group(&token, "Ops \"2\"", &[boss]).await;
    let (page, found) =
        (test.scim_get(&token, "/Users").await, test.scim_get(&token, "/Users?filter=userName%20pr").await);
    assert_eq!(page, found);
    assert_eq!(page["totalResults"], 6);
    assert!(!page.to_string().contains("hidden"), "{page}");
    let named = test.scim_get(&token, "/Users?attributes=userName").await;
    assert!(named["Resources"].as_array().expect("a list").iter().all(|one| one.get("meta").is_none()), "{named}");
}

/// RFC 7644 §3.4.2.3: what is kept of a long sorted list is right at its end, too.
#[tokio::test]
async fn a_long_list_is_sorted_to_its_end() {
    let (test, _, token) = crowded().await;
    for (start, order, expected) in
        [(1, "ascending", "0000"), (1_200, "ascending", "1199"), (1_200, "descending", "0000")]
    {
        let query = format!("/Users?sortBy=userName&sortOrder={order}&startIndex={start}&count=1");
        let list = test.scim_get(&token, &query).await;
        assert_eq!(list["Resources"][0]["userName"], format!("person-{expected}@corp.example"));
        assert_eq!(list["totalResults"], PEOPLE);
    }
}

/// SC-18: a cursor is good for an hour.
#[tokio::test]
async fn a_cursor_ends() {
    let test = TestBroker::new().await;
    let token = test.scim_token().await;
    for name in ["a", "b", "c"] {
        test.scim_user(&token, name).await;
    }
    let first = test.scim_get(&token, "/Users?cursor=&count=1").await;
    let next = format!("/Users?count=1&cursor={}", first["nextCursor"].as_str().expect("there are more"));
    test.clock.advance(Seconds(3_599));
    assert_eq!(test.scim_get(&token, &next).await["itemsPerPage"], 1);
    test.clock.advance(Seconds(1));
    let over = test.scim(&token, Method::GET, &next, &Value::Null).await;
    assert_eq!((over.status.as_u16(), &over.scim()["scimType"]), (400, &json!("expiredCursor")));
    assert_eq!(test.another_process(None).scim_get(&token, "/Users?cursor=&count=9").await["itemsPerPage"], 3);
}
