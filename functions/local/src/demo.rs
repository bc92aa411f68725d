//! The demo: an identity provider and an application beside the broker, and what the broker has to know of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::http::OutboundHttp;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_testkit::demo::{self, Demo};

use crate::apply::{self, Secrets};
use crate::arguments::{self, DemoPorts};
use crate::data::{self, random_text};
use crate::listen::{self, Servers};
use crate::{say, start_log};

/// `vestibule demo`.
pub(crate) async fn run(arguments: &arguments::Demo) -> Result<()> {
    start_log()?;
    let token = data::admin_token(&arguments.data)?;
    let stage = Stage::bind(&arguments.ports).await?;
    let mut servers = Servers::new();
    let broker = arguments.broker.trim_end_matches('/');
    stage.start(&mut servers, broker, broker, &token).await?;
    servers.until_signal().await
}

/// The demo's ports, taken.
pub(crate) struct Stage {
    idp: TcpListener,
    app: TcpListener,
}

impl Stage {
    pub(crate) async fn bind(ports: &DemoPorts) -> Result<Self> {
        let idp = listen::bind(ports.idp_listen, "the demo's identity provider", "--idp-listen").await?;
        let app = listen::bind(ports.app_listen, "the demo's application", "--app-listen").await?;
        Ok(Self { idp, app })
    }

    /// Serves both and tells the broker about them. `issuer` is how browsers see the broker, `admin` how we reach it.
    pub(crate) async fn start(self, servers: &mut Servers, issuer: &str, admin: &str, token: &str) -> Result<()> {
        let demo = Demo {
            broker: issuer.to_owned(),
            idp: listen::origin(&self.idp)?,
            app: listen::origin(&self.app)?,
            idp_secret: random_text(),
            app_secret: random_text(),
        };
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let idp = demo::idp(&demo, Arc::new(AwsLc::default()), clock.clone(), random.clone()).await?;
        // The application talks to the broker, wherever that is; it is never handed an address by anybody else.
        let app = demo::app(&demo, Arc::new(OutboundHttp::new(true)?), clock, random);
        servers.start(self.idp, idp);
        servers.start(self.app, app);
        let variable = |name: &str| demo::secret(&demo, name);
        let secrets = Secrets::new(&variable, Path::new(""));
        let applied = apply::apply(admin, token, &demo::deployment(&demo), &secrets).await;
        applied.context("the demo could not be set up")?;
        say(&format!("Demo: open {} and sign in as alice@demo.example, password alice-demo", demo.app));
        Ok(())
    }
}
