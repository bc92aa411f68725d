//! How strongly the person proves who they are: asked by the application, passed on, and told in the ID token.

use serde_json::{Map, Value, json};
use vestibule_testkit::Account;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{Authorization, PASSWORD, connection, member, query_of};
use vestibule_tests::{Browser, Reply, World};

const CAROL: &str = "carol@corp.example";

/// A world in which carol's logins are of this class; of none that is told when there is none.
async fn with_class(acr: Option<&str>) -> World {
    let world = World::new().await;
    let mut carol = Account::new(CAROL, PASSWORD, "subject-of-carol", "Carol");
    if let Some(acr) = acr {
        carol.claims.insert("acr".to_owned(), json!(acr));
        carol.claims.insert("amr".to_owned(), json!(["pwd", "otp"]));
    }
    world.idp.add_account(carol);
    world
}

fn condition(values: &Value) -> String {
    json!({ "id_token": { "acr": { "essential": true, "values": values } } }).to_string()
}

async fn claims(world: &World, browser: &mut Browser, request: &Authorization) -> Map<String, Value> {
    let visit = world.follow(browser, request, CAROL).await;
    let tokens = world.redeem(request, &Reply::one_param(visit.arrived(), "code")).await.json();
    payload(&member(&tokens, "id_token")).expect("claims")
}

/// What the application asks goes to the provider, before what the connection always asks; what the provider says comes
/// back in the ID token, or nothing does. AZ-12.
#[tokio::test]
async fn what_is_asked_is_passed_on() {
    let world = with_class(Some("gold")).await;
    let connection = connection(world.idp.issuer(), &json!({ "acr_values": ["bronze"] }));
    world.broker.put(&format!("/tenants/{}/connections/corp", world.tenant), connection).await;
    let sent = async |request: Authorization| {
        let there = Browser::new().get(&request.url(&world.broker)).await.location().expect("a redirect");
        let query = query_of(&there);
        let find = |wanted: &str| query.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        (find("acr_values"), find("claims"))
    };
    let plain = world.authorization();
    assert_eq!(sent(plain.clone()).await, (Some("bronze".to_owned()), None));
    assert_eq!(sent(plain.clone().with("acr_values", "gold silver")).await, (Some("gold silver".to_owned()), None));
    let essential = condition(&json!(["gold"]));
    let passed_on = sent(plain.clone().with("claims", &essential)).await;
    assert_eq!(passed_on, (Some("gold".to_owned()), Some(essential)));
    let told = claims(&world, &mut Browser::new(), &plain).await;
    assert_eq!((&told["acr"], &told["amr"]), (&json!("gold"), &json!(["pwd", "otp"])));
    let silent = with_class(None).await;
    let told = claims(&silent, &mut Browser::new(), &silent.authorization().with("acr_values", "gold")).await;
    assert_eq!((told.get("acr"), told.get("amr")), (None, None), "a wish need not come true");
}

/// A login that is not of the class that was made a condition is none; a wish is only that.
#[tokio::test]
async fn a_condition_must_be_met() {
    let world = with_class(Some("silver")).await;
    for (values, met) in [(json!(["gold"]), false), (json!(["gold", "silver"]), true), (json!([]), true)] {
        let mut browser = Browser::new();
        let request = world.authorization().with("claims", &condition(&values));
        let visit = world.follow(&mut browser, &request, CAROL).await;
        let arrived = visit.arrived();
        assert_eq!(Reply::one_param(arrived, "state"), request.param("state"));
        if met {
            assert!(!Reply::one_param(arrived, "code").is_empty(), "{values}");
        } else {
            assert_eq!(Reply::one_param(arrived, "error"), "unmet_authentication_requirements", "{values}");
            let cookies = browser.cookies(&world.broker.url);
            assert!(cookies.iter().all(|cookie| cookie.name != "__Host-session"), "{values}");
        }
    }
    let unknown = with_class(None).await;
    let request = unknown.authorization().with("claims", &condition(&json!([])));
    let visit = unknown.follow(&mut Browser::new(), &request, CAROL).await;
    assert_eq!(Reply::one_param(visit.arrived(), "error"), "unmet_authentication_requirements");
}

/// A session serves requests for its own class; for another the person goes to the provider, or nobody does. AZ-12.
#[tokio::test]
async fn a_session_is_as_strong_as_its_login() {
    let world = with_class(Some("silver")).await;
    let mut browser = Browser::new();
    claims(&world, &mut browser, &world.authorization()).await;
    let (weak, strong) = (condition(&json!(["silver"])), condition(&json!(["gold"])));
    for (name, value, serves) in [
        ("acr_values", "silver", true),
        ("acr_values", "gold silver", true),
        ("acr_values", "gold", false),
        ("claims", weak.as_str(), true),
        ("claims", strong.as_str(), false),
    ] {
        let request = world.authorization().with(name, value);
        let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert_eq!(!there.as_str().starts_with(world.idp.issuer()), serves, "{value}: {there}");
        let silent = request.with("prompt", "none");
        let there = browser.get(&silent.url(&world.broker)).await.location().expect("a redirect");
        let expected = if serves { "code" } else { "error" };
        assert!(query_of(&there).iter().any(|(name, _)| name == expected), "{value}: {there}");
    }
}

/// What cannot be read is refused, never taken for no condition. AZ-13.
#[tokio::test]
async fn malformed_conditions_are_refused() {
    let world = World::new().await;
    for (name, value) in [
        ("acr_values", "gold  silver"),
        ("acr_values", "\u{e4}"),
        ("claims", "x"),
        ("claims", "[]"),
        ("claims", r#"{"id_token":{"acr":{"essential":"true"}}}"#),
        ("claims", r#"{"id_token":{"acr":{"essential":true,"values":"gold"}}}"#),
    ] {
        let request = world.authorization().with(name, value);
        let there = Browser::new().get(&request.url(&world.broker)).await.location().expect("a redirect");
        assert_eq!(Reply::one_param(&there, "error"), "invalid_request", "{name}={value}");
    }
}
