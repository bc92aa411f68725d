//! `vestibule-status-list`: how large the token status list is with so many marks, and how often a place that is drawn is
//! taken. The broker's own list over the store in memory; the figures of `docs/adr/0023-token-status-list.md`.
#![expect(clippy::print_stdout, reason = "a command line tool talks through its output")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::body::{Body, to_bytes};
use http::Request;
use tokio::time::Instant;
use tower_service::Service;
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_core::model::tenant::Tenant;
use vestibule_core::platform::{Clock, NoQueue, Platform, Random};
use vestibule_core::store::key::{SessionShard, tenant};
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::store::{Expect, MAX_WRITES, Store};
use vestibule_core::{Broker, Config};
use vestibule_protocol::time::Seconds;

/// Places in one list.
const PLACES: u32 = 1 << 20;
/// Partitions of the tenant with ten million families.
const PARTITIONS: u32 = 128;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    println!("   marks   token bytes   reads    built in");
    for marks in [0, 1_000, 3_900, 5_000, 10_000, 20_000, 50_000, 78_000, 100_000] {
        let (bytes, took) = list(marks).await?;
        println!("{marks:>8}   {bytes:>11}   {:>5}   {:>7.1} ms", marks / 1_000 + 1, took.as_secs_f64() * 1_000.0);
    }
    println!("families in a partition   redemptions that draw again   that find no place in 8");
    for families in [10_000_000 / PARTITIONS, 250_000, 524_288, 786_432] {
        let (again, none) = drawn(families);
        println!("{families:>23}   {:>25.2} %   {:>21.4} %", again * 100.0, none * 100.0);
    }
    Ok(())
}

/// A list with so many marks: its size as served, and how long it took.
async fn list(marks: u32) -> Result<(usize, Duration)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let config = Config::from_vars(|name| match name {
        "VESTIBULE_ISSUER" => Some("https://sso.example".to_owned()),
        "VESTIBULE_SEALING_KEYS" => Some(format!("k1:{}", "A".repeat(43))),
        "VESTIBULE_ADMIN_TOKEN" => Some("an-administrators-token-for-nobody".to_owned()),
        _ => None,
    })?;
    let shard = SessionShard { tenant: "acme".to_owned(), number: 0 };
    let settings: Tenant = serde_json::from_str(r#"{"name": "Acme", "session_shards": 1}"#)?;
    let record = tenant("acme");
    store.commit(record.partition(), vec![record.put(&settings, Expect::Any)?]).await?;
    let end = clock.now() + Seconds(3_600);
    let places: Vec<u32> = random_places().take(marks as usize).collect();
    for some in places.chunks(MAX_WRITES) {
        let writes: Result<Vec<_>, _> =
            some.iter().map(|place| shard.revoked(*place).put_until(&(), end, Expect::Any)).collect();
        store.commit(&shard.partition(), writes?).await?;
    }
    let platform = Platform {
        store,
        http: Arc::new(OutboundHttp::new(false)?),
        crypto: Arc::new(AwsLc::default()),
        random: Arc::new(SystemRandom),
        clock,
        queue: Arc::new(NoQueue),
    };
    let mut router = vestibule_web::router(Arc::new(Broker::new(config, platform)));
    // The keys are made by the first who asks.
    router.call(Request::get("/oauth2/jwks").body(Body::empty())?).await?;
    let began = Instant::now();
    let reply = router.call(Request::get("/oauth2/status/acme.0").body(Body::empty())?).await?;
    anyhow::ensure!(reply.status().is_success(), "no list: {}", reply.status());
    let body = to_bytes(reply.into_body(), usize::MAX).await.context("the list")?;
    Ok((body.len(), began.elapsed()))
}

/// Different places at random.
fn random_places() -> impl Iterator<Item = u32> {
    let mut seen = HashSet::new();
    std::iter::repeat_with(random_place).filter(move |place| seen.insert(*place))
}

fn random_place() -> u32 {
    let mut bytes = [0; 4];
    SystemRandom.fill(&mut bytes);
    u32::from_be_bytes(bytes) % PLACES
}

/// With so many families there: the share of redemptions that have to draw again, and of those that find nothing.
fn drawn(families: u32) -> (f64, f64) {
    const REDEMPTIONS: u32 = 200_000;
    let taken: HashSet<u32> = random_places().take(families as usize).collect();
    let (mut again, mut none) = (0, 0);
    for _ in 0..REDEMPTIONS {
        let tries = (0..8).take_while(|_| taken.contains(&random_place())).count();
        again += u32::from(tries > 0);
        none += u32::from(tries == 8);
    }
    (f64::from(again) / f64::from(REDEMPTIONS), f64::from(none) / f64::from(REDEMPTIONS))
}
