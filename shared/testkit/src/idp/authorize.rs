//! `/authorize` and `/login`: the front channel, up to the redirect that carries the code.

use std::collections::HashSet;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use url::{Url, form_urlencoded};
use vestibule_protocol::time::Timestamp;

use super::route::{page, redirect};
use super::{FakeOidcIdp, Grant, Lie};
use crate::html::escape;

/// Cookies know no ports: this name is not used by anything else in the demo.
pub(super) const SESSION_COOKIE: &str = "idp-session";

/// An authorization request whose client and redirect URI are proved.
struct Authorization {
    client_id: String,
    redirect_uri: Url,
    state: Option<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    scope: String,
    prompt: Option<String>,
    login_hint: Option<String>,
    by_form: bool,
}

/// Why there is no code.
enum Refusal {
    /// Nowhere safe to send the browser.
    Page(&'static str),
    /// The relying party is told.
    Answer(Answer),
}

/// What the relying party gets: its address with the answer in the query, or in a form that the browser posts there.
struct Answer {
    url: Url,
    by_form: bool,
}

impl Answer {
    fn response(&self) -> Response<Bytes> {
        if !self.by_form {
            return redirect(self.url.as_str());
        }
        let fields: String = self.url.query_pairs().fold(String::new(), |fields, (name, value)| {
            let (name, value) = (escape(&name), escape(&value));
            format!("{fields}<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
        });
        let mut action = self.url.clone();
        action.set_query(None);
        let body = format!(
            "<h1>Almost there</h1><form method=\"post\" action=\"{}\">{fields}<button type=\"submit\">Continue\
             </button></form>",
            escape(action.as_str())
        );
        page(StatusCode::OK, "Almost there", &body)
    }
}

impl FakeOidcIdp {
    pub(super) async fn authorize(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let text = match *request.method() {
            Method::POST => String::from_utf8_lossy(request.body()).into_owned(),
            _ => request.uri().query().unwrap_or_default().to_owned(),
        };
        let text = match self.plain(&text).await {
            Ok(text) => text,
            Err(why) => return refused(&Refusal::Page(why)),
        };
        let authorization = match self.parse(&text) {
            Ok(authorization) => authorization,
            Err(refusal) => return refused(&refusal),
        };
        if self.lies(Lie::AccessDenied) {
            return self.error(&authorization, "access_denied").response();
        }
        let session = cookie(request, SESSION_COOKIE).and_then(|id| self.state().sessions.get(id).cloned());
        match (session, authorization.prompt.as_deref()) {
            (Some((username, at)), prompt) if prompt != Some("login") && self.account(&username).is_some() => {
                self.grant(authorization, &username, at).response()
            }
            (_, Some("none")) => self.error(&authorization, "login_required").response(),
            _ => self.login_page(&text, authorization.login_hint.as_deref().unwrap_or_default(), false),
        }
    }

    /// The login form comes back. Field `request` is the authorization request, in plain parameters.
    pub(super) fn login(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let form: Vec<_> = form_urlencoded::parse(request.body()).collect();
        let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_ref());
        let authorization = match self.parse(field("request")) {
            Ok(authorization) => authorization,
            Err(refusal) => return refused(&refusal),
        };
        let username = field("username").trim();
        let Some(account) = self.account(username).filter(|account| account.password == field("password")) else {
            return self.login_page(field("request"), username, true);
        };
        let (session, now) = (self.secret(), self.clock.now());
        self.state().sessions.insert(session.clone(), (account.username.clone(), now));
        let mut response = self.grant(authorization, &account.username, now).response();
        let secure = if self.issuer.starts_with("https:") { "; Secure" } else { "" };
        let cookie = format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Plays the person: signs `username` in for this authorization URL, without a page, and returns the address that
    /// the browser is sent back to; what it would post there by a form is in the query too. The error is what the page or the relying party would have been told.
    pub async fn sign_in(&self, authorization_url: &str, username: &str) -> Result<String, String> {
        let url = Url::parse(authorization_url).map_err(|error| error.to_string())?;
        if !authorization_url.starts_with(&format!("{}/authorize?", self.issuer)) {
            return Err(format!("{url} is not this provider's authorization endpoint"));
        }
        let text = self.plain(url.query().unwrap_or_default()).await?;
        let authorization = self.parse(&text).map_err(|refusal| match refusal {
            Refusal::Page(why) => why.to_owned(),
            Refusal::Answer(back) => back.url.into(),
        })?;
        if self.lies(Lie::AccessDenied) {
            return Ok(self.error(&authorization, "access_denied").url.into());
        }
        let account = self.account(username).ok_or("there is no such account")?;
        Ok(self.grant(authorization, &account.username, self.clock.now()).url.into())
    }

    /// Whether a request would do, as far as can be said before anybody signs in.
    pub(super) fn is_good(&self, query: &str) -> bool {
        self.parse(query).is_ok()
    }

    fn parse(&self, query: &str) -> Result<Authorization, Refusal> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // RFC 6749 §3.1: a parameter comes once.
        let names: HashSet<&String> = pairs.iter().map(|(name, _)| name).collect();
        if names.len() < pairs.len() {
            return Err(Refusal::Page("a parameter is there twice"));
        }
        let one = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let client_id = one("client_id").ok_or(Refusal::Page("client_id is missing"))?;
        let client = self.state().clients.get(&client_id).cloned().ok_or(Refusal::Page("this client is not known"))?;
        let redirect_uri = one("redirect_uri").ok_or(Refusal::Page("redirect_uri is missing"))?;
        if !client.redirect_uris.contains(&redirect_uri) {
            return Err(Refusal::Page("this redirect URI is not registered"));
        }
        let redirect_uri = Url::parse(&redirect_uri).map_err(|_| Refusal::Page("the redirect URI is not a URL"))?;
        let authorization = Authorization {
            client_id,
            redirect_uri,
            state: one("state"),
            nonce: one("nonce"),
            challenge: one("code_challenge"),
            scope: one("scope").unwrap_or_default(),
            prompt: one("prompt"),
            login_hint: one("login_hint"),
            by_form: one("response_mode").as_deref() == Some("form_post"),
        };
        let refuse = |code| Err(Refusal::Answer(self.error(&authorization, code)));
        if !matches!(one("response_mode").as_deref(), None | Some("query" | "form_post")) {
            return refuse("invalid_request");
        }
        if one("response_type").as_deref() != Some("code") {
            return refuse("unsupported_response_type");
        }
        if !authorization.scope.split(' ').any(|scope| scope == "openid") {
            return refuse("invalid_scope");
        }
        let s256 = one("code_challenge_method").as_deref() == Some("S256");
        if authorization.challenge.as_ref().is_none_or(|challenge| challenge.len() != 43) || !s256 {
            return refuse("invalid_request");
        }
        Ok(authorization)
    }

    fn grant(&self, authorization: Authorization, username: &str, auth_time: Timestamp) -> Answer {
        let code = self.secret();
        let answer = self.back(&authorization, "code", &code);
        let grant = Grant {
            client_id: authorization.client_id,
            redirect_uri: authorization.redirect_uri.into(),
            nonce: authorization.nonce,
            challenge: authorization.challenge,
            username: username.to_owned(),
            scope: authorization.scope,
            auth_time,
            issued_at: self.clock.now(),
            family: self.secret(),
        };
        self.state().codes.insert(code, grant);
        answer
    }

    fn error(&self, authorization: &Authorization, code: &str) -> Answer {
        self.back(authorization, "error", code)
    }

    fn back(&self, authorization: &Authorization, name: &str, value: &str) -> Answer {
        let mut url = authorization.redirect_uri.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair(name, value);
        if let Some(state) = &authorization.state {
            query.append_pair("state", state);
        }
        if self.lies(Lie::CallbackOtherIssuer) {
            query.append_pair("iss", "https://other.example");
        } else if !self.lies(Lie::CallbackWithoutIssuer) {
            query.append_pair("iss", &self.issuer);
        }
        drop(query);
        Answer { url, by_form: authorization.by_form }
    }

    fn login_page(&self, request: &str, username: &str, failed: bool) -> Response<Bytes> {
        let failed = if failed { "<p class=\"bad\" role=\"alert\">User name or password is wrong.</p>" } else { "" };
        let accounts: String = self.state().accounts.iter().fold(String::new(), |rows, account| {
            let (username, password) = (escape(&account.username), escape(&account.password));
            format!("{rows}<tr><td><code>{username}</code></td><td><code>{password}</code></td></tr>")
        });
        let body = format!(
            "<h1>Sign in</h1><p class=\"soft\">Your company's identity provider, played by the demo.</p>{failed}\
             <form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"request\" value=\"{}\">\
             <label>User name<input name=\"username\" type=\"email\" value=\"{}\" autocomplete=\"username\" required \
             autofocus></label><label>Password<input name=\"password\" type=\"password\" \
             autocomplete=\"current-password\" required></label><button type=\"submit\">Sign in</button></form>\
             <h2>Who can sign in</h2><table><thead><tr><th>User name</th><th>Password</th></tr></thead>\
             <tbody>{accounts}</tbody></table>",
            escape(request),
            escape(username),
        );
        page(StatusCode::OK, "Sign in", &body)
    }
}

fn refused(refusal: &Refusal) -> Response<Bytes> {
    match refusal {
        Refusal::Page(why) => {
            page(StatusCode::BAD_REQUEST, "Cannot sign in", &format!("<h1>Cannot sign in</h1><p>Because {why}.</p>"))
        }
        Refusal::Answer(answer) => answer.response(),
    }
}

/// The first cookie of this name.
pub(super) fn cookie<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = headers.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
