//! A web application on axum that signs people in through Vestibule.
//!
//! `ISSUER=https://sso.example.com CLIENT_SECRET=… ORIGIN=https://crm.example.com PORT=3000 vestibule-example-axum`

mod sessions;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::{Router, routing::get};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
};
use serde::Deserialize;
use sessions::{Login, Person, Sessions};

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

struct App {
    issuer: IssuerUrl,
    secret: ClientSecret,
    origin: String,
    http: reqwest::Client,
    sessions: Sessions,
}

#[tokio::main]
async fn main() -> Result<()> {
    let port = variable("PORT").unwrap_or_else(|_| "3000".to_owned());
    let app = App {
        issuer: IssuerUrl::new(variable("ISSUER")?)?,
        secret: ClientSecret::new(variable("CLIENT_SECRET")?),
        origin: variable("ORIGIN").unwrap_or_else(|_| format!("http://localhost:{port}")),
        // A redirect of the broker's back channel leads nowhere that we want to go.
        http: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?,
        sessions: Sessions::default(),
    };
    let router = Router::new().route("/", get(home)).route("/sign-in", get(sign_in)).route("/callback", get(callback));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, router.with_state(Arc::new(app))).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place where this application reads its environment")]
fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match app.sessions.person(&headers) {
        Some(Person { subject, email }) => format!("{subject} {email}").into_response(),
        None => Html("<a href=\"/sign-in\">Sign in</a>").into_response(),
    }
}

async fn sign_in(State(app): State<Arc<App>>) -> Result<Response, Failed> {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let client = app.client().await?;
    let request =
        client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
    let (url, state, nonce) = request
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        // Whose customer signs in, where the application knows; left out, Vestibule asks.
        .add_extra_param("tenant", "acme")
        .url();
    let cookie = app.sessions.begin(Login { state, nonce, verifier }, app.origin.starts_with("https:"));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
}

#[derive(Deserialize)]
struct Answer {
    code: Option<String>,
    state: Option<String>,
}

async fn callback(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Failed> {
    let login = app.sessions.take_login(&headers).context("this browser has not started to sign in")?;
    let state = answer.state.context("the answer has no state")?;
    if login.state.secret() != &state {
        return Err(anyhow!("the answer is another sign-in's").into());
    }
    let code = AuthorizationCode::new(answer.code.context("the sign-in was refused")?);
    let client = app.client().await?;
    let http = |request| send(app.http.clone(), request);
    let tokens = client.exchange_code(code)?.set_pkce_verifier(login.verifier).request_async(&http).await?;
    let id_token = tokens.id_token().context("there is no ID token")?;
    // Signature, issuer, audience, expiry and nonce.
    let claims = id_token.claims(&client.id_token_verifier(), &login.nonce)?;
    let email = claims.email().map(|email| email.to_string()).unwrap_or_default();
    let person = Person { subject: claims.subject().to_string(), email };
    // A new session for whoever has signed in: nobody else knows its id.
    let cookie = app.sessions.sign_in(person, app.origin.starts_with("https:"));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

impl App {
    /// The broker's metadata and keys, afresh for each sign-in: a new signing key is seen at once.
    async fn client(&self) -> Result<Client> {
        let http = |request| send(self.http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), &http).await?;
        let client =
            CoreClient::from_provider_metadata(metadata, ClientId::new("axum".to_owned()), Some(self.secret.clone()));
        Ok(client.set_redirect_uri(RedirectUrl::new(format!("{}/callback", self.origin))?))
    }
}

async fn send(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let mut reply = http.execute(reqwest::Request::try_from(request)?).await?;
    let (status, headers) = (reply.status(), std::mem::take(reply.headers_mut()));
    let mut answer = HttpResponse::new(reply.bytes().await?.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

/// What went wrong is for the log; the person can only try again.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        eprintln!("{:#}", self.0);
        let page = Html("The sign-in did not work. <a href=\"/sign-in\">Try again</a>");
        (StatusCode::BAD_REQUEST, page).into_response()
    }
}
