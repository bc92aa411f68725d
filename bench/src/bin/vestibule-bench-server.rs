//! `vestibule-bench-server ADDRESS`: the native binary's router, cryptography and HTTP client over the store in memory.
//! What a request costs here is what it costs without storage.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::log::{self, Lines};
use vestibule_aws::{Settings, SystemClock, SystemRandom, environment};
use vestibule_core::platform::{Clock, NoQueue, Platform};
use vestibule_core::store::memory::MemoryStore;
use vestibule_core::{Broker, Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("the address to listen on is missing")?;
    log::start(&Settings::from_vars(environment).log, Lines::Text).map_err(anyhow::Error::msg)?;
    let config = Config::from_vars(environment)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let platform = Platform {
        store: Arc::new(MemoryStore::new(Arc::clone(&clock))),
        http: Arc::new(OutboundHttp::new(config.egress_loopback)?),
        crypto: Arc::new(AwsLc::default()),
        random: Arc::new(SystemRandom),
        clock,
        queue: Arc::new(NoQueue),
    };
    // As the native binary listens.
    let listener = TcpListener::bind(&address).await?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, vestibule_web::router(Arc::new(Broker::new(config, platform)))).await?)
}
