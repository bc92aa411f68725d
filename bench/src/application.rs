//! An application and the browsers of its people: sign-ins, redemptions, refreshes.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::connection::Connection;
use crate::scene::{CALLBACK, Scene, VERIFIER};

/// One connection to the broker, and what the application holds of the person who signed in last.
pub(crate) struct Application {
    scene: Arc<Scene>,
    http: Connection,
    pub(crate) tokens: Tokens,
}

/// Of the last token response.
#[derive(Default, Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Application {
    /// One that holds nothing yet.
    pub(crate) async fn open(scene: &Arc<Scene>) -> Result<Self> {
        let http = Connection::open(&scene.broker).await?;
        Ok(Self { scene: Arc::clone(scene), http, tokens: Tokens::default() })
    }

    /// Begins a login: where the browser is sent, and its cookie.
    pub(crate) async fn start(&mut self) -> Result<(String, String)> {
        let path = self.scene.authorization.clone();
        let reply = self.get(&path, StatusCode::SEE_OTHER).await?;
        let cookie = text(&reply, header::SET_COOKIE)?;
        let (cookie, _) = cookie.split_once(';').context("a cookie without attributes")?;
        Ok((text(&reply, header::LOCATION)?.to_owned(), cookie.to_owned()))
    }

    /// Signs a person in, in a new browser, up to the tokens.
    pub(crate) async fn login(&mut self, person: &str) -> Result<()> {
        let (authorization, cookie) = self.start().await?;
        let back = self.scene.idp.sign_in(&authorization, person).await.map_err(anyhow::Error::msg)?;
        let back = back.strip_prefix(&self.scene.broker).context("the provider leads elsewhere")?;
        let request = Request::get(back).header(header::COOKIE, cookie).body(Full::default())?;
        let reply = self.expect(request, StatusCode::SEE_OTHER).await?;
        let location = Url::parse(text(&reply, header::LOCATION)?)?;
        let code = location.query_pairs().find(|(name, _)| name == "code").context("no code")?.1.into_owned();
        let grant = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        self.token(&[grant.as_slice(), &[("code_verifier", VERIFIER)]].concat()).await
    }

    /// Refreshes what the last response gave.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        let token = std::mem::take(&mut self.tokens.refresh);
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", &token)]).await
    }

    async fn token(&mut self, form: &[(&str, &str)]) -> Result<()> {
        let reply = self.post("/oauth2/token", form).await?;
        ensure!(reply.status() == StatusCode::OK, "token: {}", String::from_utf8_lossy(reply.body()));
        let tokens: Value = serde_json::from_slice(reply.body())?;
        let member =
            |name: &str| tokens.get(name).and_then(Value::as_str).map(str::to_owned).context("a token is missing");
        self.tokens = Tokens { access: member("access_token")?, refresh: member("refresh_token")? };
        Ok(())
    }

    /// Sends a form as the application itself.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Result<Response<Bytes>> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, self.scene.client.as_str())
            .body(Full::from(body))?;
        self.http.send(request).await
    }

    pub(crate) async fn get(&mut self, path: &str, status: StatusCode) -> Result<Response<Bytes>> {
        self.expect(Request::get(path).body(Full::default())?, status).await
    }

    /// A GET with an access token, and what came of it.
    pub(crate) async fn get_as(&mut self, path: &str, access_token: &str) -> Result<Response<Bytes>> {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {access_token}"));
        self.http.send(request.body(Full::default())?).await
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
