//! Where a request comes from, in the audit log: what the platform saw, on every runtime.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;
use vestibule_tests::passing::soon;
use vestibule_tests::platform::{clock, http_client_at};
use vestibule_tests::{Browser, Reply, World};

/// The address of a browser that is on another machine: Linux gives all of 127.0.0.0/8 to the loopback.
const ELSEWHERE: Ipv4Addr = if cfg!(target_os = "linux") { Ipv4Addr::new(127, 0, 0, 7) } else { Ipv4Addr::LOCALHOST };

/// Headers by which proxies and platforms say who called. Cloudflare's own is not among them where the Worker runs:
/// Cloudflare replaces what comes, and nobody does that here in its place.
fn lies(runtime: &str) -> HeaderMap {
    let proxies = ["x-forwarded-for", "x-real-ip", "true-client-ip", "x-client-ip", "x-amzn-source-ip"];
    let cloudflare = (runtime != "workerd").then_some("cf-connecting-ip");
    let names = proxies.into_iter().chain(cloudflare).map(HeaderName::from_static);
    let mut headers: HeaderMap = names.map(|name| (name, HeaderValue::from_static("203.0.113.9"))).collect();
    headers.insert("forwarded", HeaderValue::from_static("for=203.0.113.9"));
    headers
}

/// The events of a kind in the tenant's log, of today and yesterday.
async fn events(world: &World, kind: &str) -> Vec<Value> {
    let from = (clock().now() - Seconds(86_400)).day();
    let path = format!("/tenants/{}/audit?kind={kind}&from={from}", world.tenant);
    let log = world.broker.admin(Method::GET, &path, None).await.json();
    log["events"].as_array().expect("events").clone()
}

/// Events have the address that the platform vouches for, of a browser and of an administrator alike, and the id of the
/// request. What a client says of itself counts for nothing.
#[tokio::test]
async fn the_platform_says_who_called() {
    let world = World::new().await;
    let lies = lies(&world.broker.runtime);
    world.tokens_in(&mut Browser::over(http_client_at(IpAddr::V4(ELSEWHERE), lies.clone()))).await;
    let webhook = json!({ "url": "https://events.example/", "events": ["user.created"] }).to_string();
    let path = format!("/admin/v1/tenants/{}/webhooks/audit", world.tenant);
    let put = world.broker.request(Method::PUT, &path).bearer_auth(&world.broker.admin_token).headers(lies);
    let put = Reply::of(put.header("content-type", "application/json").body(webhook)).await;
    assert_eq!(put.status, 201, "{}", put.body);

    world.broker.quarter_of_an_hour().await;
    for (kind, address) in [("signed_in", ELSEWHERE), ("user_created", ELSEWHERE)] {
        soon("the event is in the log", async || !events(&world, kind).await.is_empty()).await;
        let origin = &events(&world, kind).await[0]["origin"];
        assert_eq!(origin["address"], address.to_string(), "{kind}: {origin}");
        assert_eq!(origin["request"].as_str().map(str::len), Some(22));
    }
    let is_change = |event: &Value| event["object"].as_str().is_some_and(|object| object.ends_with("/webhooks/audit"));
    let changes = events(&world, "configured").await;
    let change = changes.iter().find(|event| is_change(event)).expect("the change");
    let request = put.header("x-request-id").expect("an id");
    assert_eq!(change["origin"], json!({ "request": request, "address": Ipv4Addr::LOCALHOST.to_string() }));
}
