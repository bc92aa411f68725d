//! The operations that are measured, as the budgets name them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use http::StatusCode;

use crate::application::Application;
use crate::connection::Connection;
use crate::measure::CONCURRENCY;
use crate::scene::{Scene, person};

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// W1: authorize, up to the redirect to the identity provider.
    LoginStart,
    /// W2: authorize, callback, token, of somebody who has signed in before, in a new browser.
    Login,
    /// W3: a refresh with rotation; each worker has a chain of its own.
    Refresh,
    /// W4: userinfo with a good token.
    Userinfo,
    /// W5: the metadata document and the keys, two requests.
    Documents,
    /// W6: a SCIM directory creates a person.
    CreateUser,
    /// W7a: it looks for one of ten thousand by `userName`.
    FindUser,
    /// W7b: it reads a page of a hundred of ten thousand.
    ListUsers,
    /// W7c: it asks for those of ten thousand who fulfil a filter that no index answers.
    WalkUsers,
    /// W8: it puts one more into a group of a thousand, or takes them out again.
    ChangeMember,
}

impl Workload {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 10] = [
        Self::LoginStart,
        Self::Login,
        Self::Refresh,
        Self::Userinfo,
        Self::Documents,
        Self::FindUser,
        Self::ListUsers,
        Self::WalkUsers,
        Self::ChangeMember,
        // Last: whom it creates would be among those whom the others look for.
        Self::CreateUser,
    ];

    /// Its name among the budgets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::LoginStart => "W1",
            Self::Login => "W2",
            Self::Refresh => "W3",
            Self::Userinfo => "W4",
            Self::Documents => "W5",
            Self::CreateUser => "W6",
            Self::FindUser => "W7a",
            Self::ListUsers => "W7b",
            Self::WalkUsers => "W7c",
            Self::ChangeMember => "W8",
        }
    }

    /// How many do it at the same time. One that reads everybody is long: it is done by one at a time.
    pub(crate) const fn concurrency(self) -> usize {
        if matches!(self, Self::WalkUsers) { 1 } else { CONCURRENCY }
    }

    /// Whether it is a directory's.
    pub(crate) const fn is_scim(self) -> bool {
        matches!(self, Self::CreateUser | Self::FindUser | Self::ListUsers | Self::WalkUsers | Self::ChangeMember)
    }
}

/// One of those who operate at the same time.
pub(crate) struct Worker {
    scene: Arc<Scene>,
    /// For the directory's requests.
    http: Connection,
    application: Application,
    workload: Workload,
    number: usize,
    /// Operations so far.
    turn: usize,
    person: String,
}

impl Worker {
    /// A worker with what its operation needs: for most, a person who has signed in once.
    pub(crate) async fn prepare(scene: &Arc<Scene>, workload: Workload, number: usize) -> Result<Self> {
        let mut worker = Self {
            scene: Arc::clone(scene),
            http: Connection::open(&scene.broker).await?,
            application: Application::open(scene).await?,
            workload,
            number,
            turn: 0,
            person: person(number),
        };
        if matches!(workload, Workload::Login | Workload::Refresh | Workload::Userinfo) {
            worker.application.login(&worker.person).await?;
        }
        Ok(worker)
    }

    /// One operation.
    pub(crate) async fn operate(&mut self) -> Result<()> {
        let application = &mut self.application;
        match self.workload {
            Workload::LoginStart => application.start().await.map(drop),
            Workload::Login => application.login(&self.person).await,
            Workload::Refresh => application.refresh().await,
            Workload::Userinfo => {
                let token = application.tokens.access.clone();
                let reply = application.get_as("/oauth2/userinfo", &token).await?;
                ensure!(reply.status() == StatusCode::OK, "userinfo: {}", reply.status());
                Ok(())
            }
            Workload::Documents => {
                application.get("/.well-known/openid-configuration", StatusCode::OK).await?;
                application.get("/oauth2/jwks", StatusCode::OK).await.map(drop)
            }
            Workload::CreateUser
            | Workload::FindUser
            | Workload::ListUsers
            | Workload::WalkUsers
            | Workload::ChangeMember => {
                let scene = Arc::clone(&self.scene);
                let directory = scene.directory.as_ref().context("no directory was set up")?;
                self.turn += 1;
                directory.operate(&mut self.http, self.workload, (self.number, self.turn)).await
            }
        }
    }
}
