//! The demo application: `/`, `/sign-in`, `/callback`, `/refresh`, `/sign-out`. A confidential client of the broker.
//! Its sessions are in memory, named by a cookie.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use url::form_urlencoded;
use vestibule_core::platform::Random;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{TENANT, pages};
use crate::html::{PAGE_HEADERS, STYLE};
use crate::idp::random_text;
use crate::relying_party::{Error, Pending, RelyingParty, Tokens};

/// Cookies know no ports, so these names are the application's own.
const SESSION_COOKIE: &str = "demo-app-session";
const LOGIN_COOKIE: &str = "demo-app-login";

/// The application.
pub(super) struct App {
    url: String,
    relying_party: RelyingParty,
    random: Arc<dyn Random>,
    sessions: Mutex<HashMap<String, Session>>,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Session {
    /// The latest tokens.
    pub(super) tokens: Tokens,
    /// When the sign-in happened.
    pub(super) since: Timestamp,
    /// When the latest tokens came.
    pub(super) refreshed: Timestamp,
    /// How often they were renewed.
    pub(super) refreshes: u32,
}

impl App {
    /// An application at `url` (an origin, no trailing slash).
    pub(super) fn new(url: String, relying_party: RelyingParty, random: Arc<dyn Random>) -> Self {
        Self { url, relying_party, random, sessions: Mutex::default() }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.relying_party.clock.now()
    }

    fn session(&self, headers: &HeaderMap) -> Option<(String, Session)> {
        let id = cookie(headers, SESSION_COOKIE)?;
        let session = self.sessions().get(id).cloned()?;
        Some((id.to_owned(), session))
    }

    /// A cookie of this application. Not `Secure` on plain http, which is loopback only.
    fn cookie(&self, name: &str, value: &str, max_age: Seconds) -> Option<HeaderValue> {
        let secure = if self.url.starts_with("https:") { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}", max_age.0);
        HeaderValue::from_str(&text).ok()
    }
}

/// The routes.
pub(super) fn router(app: App) -> axum::Router {
    axum::Router::new()
        .route("/", get(home))
        .route("/sign-in", get(sign_in))
        .route("/callback", get(callback))
        .route("/refresh", post(refresh))
        .route("/sign-out", post(sign_out))
        .route("/style.css", get(|| async { ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .with_state(Arc::new(app))
}

async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match app.session(&headers) {
        Some((_, session)) => page(StatusCode::OK, pages::signed_in(&session)),
        None => page(StatusCode::OK, pages::signed_out()),
    }
}

async fn sign_in(State(app): State<Arc<App>>) -> Response {
    let secret = || random_text(&*app.random);
    let pending = Pending { state: secret(), nonce: secret(), verifier: format!("{}{}", secret(), secret()) };
    match app.relying_party.start(&pending, &[("tenant", TENANT)]).await {
        Ok(url) => {
            // The browser keeps what belongs to its sign-in: only it can finish what it started.
            let kept = format!("{}.{}.{}", pending.state, pending.nonce, pending.verifier);
            with_cookies(Redirect::to(url.as_str()), [app.cookie(LOGIN_COOKIE, &kept, Seconds(600))])
        }
        Err(error) => failed(&error.to_string()),
    }
}

async fn callback(State(app): State<Arc<App>>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    match finish(&app, &headers, query.as_deref().unwrap_or_default()).await {
        Ok(tokens) => {
            let (id, now) = (format!("{}{}", random_text(&*app.random), random_text(&*app.random)), app.now());
            app.sessions().insert(id.clone(), Session { tokens, since: now, refreshed: now, refreshes: 0 });
            let cookies = [app.cookie(SESSION_COOKIE, &id, Seconds(604_800)), app.cookie(LOGIN_COOKIE, "", Seconds(0))];
            with_cookies(Redirect::to("/"), cookies)
        }
        Err(why) => failed(&why),
    }
}

async fn finish(app: &App, headers: &HeaderMap, query: &str) -> Result<Tokens, String> {
    let answer: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let pending =
        cookie(headers, LOGIN_COOKIE).and_then(parse_pending).ok_or("This browser has not started to sign in.")?;
    if answer.get("state") != Some(&pending.state) {
        return Err("The answer belongs to another sign-in.".to_owned());
    }
    // RFC 9207 §2.4: whoever answers must be the one that was asked.
    if answer.get("iss") != Some(&app.relying_party.broker) {
        return Err("The answer comes from another server.".to_owned());
    }
    if let Some(error) = answer.get("error") {
        return Err(match error.as_str() {
            "access_denied" => "The sign-in was declined.".to_owned(),
            other => format!("The broker answered {other}."),
        });
    }
    let code = answer.get("code").ok_or("The answer has no code.")?;
    app.relying_party.finish(&pending, code).await.map_err(|error| error.to_string())
}

async fn refresh(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some((id, session)) = app.session(&headers) else { return Redirect::to("/").into_response() };
    let Some(refresh_token) = &session.tokens.refresh_token else { return failed("There is no refresh token.") };
    match app.relying_party.refresh(refresh_token).await {
        Ok(tokens) if tokens.claims.get("sub") != session.tokens.claims.get("sub") => {
            app.sessions().remove(&id);
            failed("The new tokens belong to somebody else.")
        }
        Ok(mut tokens) => {
            tokens.refresh_token = tokens.refresh_token.or_else(|| session.tokens.refresh_token.clone());
            let refreshes = session.refreshes.saturating_add(1);
            app.sessions().insert(id, Session { tokens, refreshed: app.now(), refreshes, ..session });
            Redirect::to("/").into_response()
        }
        Err(Error::Refused(code)) => {
            app.sessions().remove(&id);
            failed(&format!("Your session has ended: the broker no longer renews it ({code})."))
        }
        Err(error) => failed(&error.to_string()),
    }
}

/// Ends the session here, then at the broker, which sends the browser back.
async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some((id, session)) = app.session(&headers) else { return Redirect::to("/").into_response() };
    app.sessions().remove(&id);
    let back = format!("{}/", app.url);
    match app.relying_party.logout_url(&session.tokens.id_token, &back, &random_text(&*app.random)).await {
        Ok(url) => with_cookies(Redirect::to(url.as_str()), [app.cookie(SESSION_COOKIE, "", Seconds(0))]),
        Err(error) => failed(&error.to_string()),
    }
}

fn parse_pending(text: &str) -> Option<Pending> {
    let mut parts = text.split('.').map(str::to_owned);
    Some(Pending { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? })
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn with_cookies<const N: usize>(response: impl IntoResponse, cookies: [Option<HeaderValue>; N]) -> Response {
    let mut response = response.into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn failed(why: &str) -> Response {
    page(StatusCode::BAD_REQUEST, pages::failed(why))
}

fn page(status: StatusCode, html: String) -> Response {
    (status, PAGE_HEADERS, html).into_response()
}
