//! The operations that are measured, as the budgets name them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::connection::Connection;
use crate::measure::CONCURRENCY;
use crate::scene::{CALLBACK, Scene, VERIFIER, person};

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
    http: Connection,
    workload: Workload,
    number: usize,
    /// Operations so far.
    turn: usize,
    person: String,
    /// Of the last token response.
    access_token: String,
    refresh_token: String,
}

impl Worker {
    /// A worker with what its operation needs: for most, a person who has signed in once.
    pub(crate) async fn prepare(scene: &Arc<Scene>, workload: Workload, number: usize) -> Result<Self> {
        let mut worker = Self {
            scene: Arc::clone(scene),
            http: Connection::open(&scene.broker).await?,
            workload,
            number,
            turn: 0,
            person: person(number),
            access_token: String::new(),
            refresh_token: String::new(),
        };
        if matches!(workload, Workload::Login | Workload::Refresh | Workload::Userinfo) {
            worker.login().await?;
        }
        Ok(worker)
    }

    /// One operation.
    pub(crate) async fn operate(&mut self) -> Result<()> {
        match self.workload {
            Workload::LoginStart => self.start().await.map(drop),
            Workload::Login => self.login().await,
            Workload::Refresh => self.refresh().await,
            Workload::Userinfo => {
                let request = Request::get("/oauth2/userinfo");
                let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.access_token));
                self.expect(request.body(Full::default())?, StatusCode::OK).await.map(drop)
            }
            Workload::Documents => {
                self.get("/.well-known/openid-configuration", StatusCode::OK).await?;
                self.get("/oauth2/jwks", StatusCode::OK).await.map(drop)
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

    /// Where the browser is sent, and its cookie.
    async fn start(&mut self) -> Result<(String, String)> {
        let path = self.scene.authorization.clone();
        let reply = self.get(&path, StatusCode::SEE_OTHER).await?;
        let cookie = text(&reply, header::SET_COOKIE)?;
        let (cookie, _) = cookie.split_once(';').context("a cookie without attributes")?;
        Ok((text(&reply, header::LOCATION)?.to_owned(), cookie.to_owned()))
    }

    async fn login(&mut self) -> Result<()> {
        let (authorization, cookie) = self.start().await?;
        let back = self.scene.idp.sign_in(&authorization, &self.person).await.map_err(anyhow::Error::msg)?;
        let back = back.strip_prefix(&self.scene.broker).context("the provider leads elsewhere")?;
        let request = Request::get(back).header(header::COOKIE, cookie).body(Full::default())?;
        let reply = self.expect(request, StatusCode::SEE_OTHER).await?;
        let location = Url::parse(text(&reply, header::LOCATION)?)?;
        let code = location.query_pairs().find(|(name, _)| name == "code").context("no code")?.1.into_owned();
        let grant = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        self.token(&[grant.as_slice(), &[("code_verifier", VERIFIER)]].concat()).await
    }

    async fn refresh(&mut self) -> Result<()> {
        let token = std::mem::take(&mut self.refresh_token);
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", &token)]).await
    }

    async fn token(&mut self, form: &[(&str, &str)]) -> Result<()> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, self.scene.client.as_str())
            .body(Full::from(body))?;
        let reply = self.expect(request, StatusCode::OK).await?;
        let tokens: Value = serde_json::from_slice(reply.body())?;
        let member =
            |name: &str| tokens.get(name).and_then(Value::as_str).map(str::to_owned).context("a token is missing");
        self.access_token = member("access_token")?;
        self.refresh_token = member("refresh_token")?;
        Ok(())
    }

    async fn get(&mut self, path: &str, status: StatusCode) -> Result<Response<Bytes>> {
        self.expect(Request::get(path).body(Full::default())?, status).await
    }

    async fn expect(&mut self, request: Request<Full<Bytes>>, status: StatusCode) -> Result<Response<Bytes>> {
        let path = request.uri().path().to_owned();
        let reply = self.http.send(request).await?;
        ensure!(reply.status() == status, "{path}: {} {}", reply.status(), String::from_utf8_lossy(reply.body()));
        Ok(reply)
    }
}

fn text(reply: &Response<Bytes>, name: header::HeaderName) -> Result<&str> {
    Ok(reply.headers().get(name).context("a header is missing")?.to_str()?)
}
