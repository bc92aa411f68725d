//! The admin API: of the broker that is told about the file, and the answers that any admin API gives.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::{Method, StatusCode, Url, header};
use serde_json::Value;

use super::place::{Place, Problem};

/// An answer of an admin API.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) etag: Option<String>,
    /// Null for what is not JSON.
    pub(super) body: Value,
}

impl Answer {
    /// What the answer says is wrong with the object at `place`: each problem where it is, or the whole in one.
    pub(super) fn problems(&self, place: &Place) -> Vec<Problem> {
        let listed = self.body.get("problems").and_then(Value::as_array).into_iter().flatten();
        let mut problems: Vec<Problem> = listed
            .filter_map(|one| Some(Problem::new(&place.pointer(&text(one, "path")?), text(one, "problem")?)))
            .collect();
        if problems.is_empty() {
            problems.push(Problem::new(place, self.said()));
        }
        problems
    }

    /// The answer in words.
    fn said(&self) -> String {
        let said = text(&self.body, "error_description").or_else(|| text(&self.body, "detail"));
        let said = said.unwrap_or_else(|| format!("the broker answered {}", self.status));
        said.chars().take(500).collect()
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// An object as the broker has it.
pub(super) struct Found {
    pub(super) etag: Option<String>,
    pub(super) view: Value,
}

/// On what state of an object a write rests. A broker that gives out no entity tags writes in any case.
pub(super) enum Expect<'a> {
    /// The object is not there.
    Absent,
    /// It is as it was read.
    AsRead(&'a Found),
}

/// A broker that is running.
pub(super) struct Remote {
    name: String,
    base: Url,
    token: String,
    http: reqwest::Client,
}

impl Remote {
    /// The broker at an address. Nothing is sent yet.
    pub(super) fn new(address: &str, token: &str) -> Result<Self> {
        let base = Url::parse(address).ok().filter(|url| !url.cannot_be_a_base());
        let base = base.with_context(|| format!("{address:?} is not the address of a broker"))?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30));
        // The token is for the broker alone.
        let http = http.redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { name: address.to_owned(), base, token: token.to_owned(), http })
    }

    /// The broker's name for itself.
    pub(super) async fn issuer(&self) -> Result<String> {
        let request = self.http.get(self.at(&[".well-known", "openid-configuration"])?);
        let metadata = self.answer(request).await?;
        let issuer = metadata.body.get("issuer").and_then(Value::as_str).map(str::to_owned);
        issuer.with_context(|| format!("{} is no broker: it publishes no metadata", self.name))
    }

    /// An object, if there is one.
    pub(super) async fn get(&self, path: &[String]) -> Result<Option<Found>> {
        let answer = self.call(Method::GET, path, None, None).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(Found { etag: answer.etag, view: answer.body })),
            // What cannot be the name of an object names none; why, the rehearsal says.
            StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Ok(None),
            _ => Err(anyhow!("{} cannot be read: {}", path.join("/"), answer.said())),
        }
    }

    /// Creates or replaces an object.
    pub(super) async fn put(&self, path: &[String], body: &Value, expect: Expect<'_>) -> Result<Answer> {
        let condition = match expect {
            Expect::Absent => Some((header::IF_NONE_MATCH, "*")),
            Expect::AsRead(found) => found.etag.as_deref().map(|etag| (header::IF_MATCH, etag)),
        };
        self.call(Method::PUT, path, Some(body), condition).await
    }

    /// Lets the broker look whether a domain is a tenant's.
    pub(super) async fn verify(&self, path: &[String], body: &Value) -> Result<Answer> {
        let path: Vec<String> = path.iter().cloned().chain(["verify".to_owned()]).collect();
        self.call(Method::POST, &path, Some(body), None).await
    }

    async fn call(
        &self,
        method: Method,
        path: &[String],
        body: Option<&Value>,
        condition: Option<(header::HeaderName, &str)>,
    ) -> Result<Answer> {
        let path: Vec<&str> = ["admin", "v1"].into_iter().chain(path.iter().map(String::as_str)).collect();
        let mut request = self.http.request(method, self.at(&path)?).bearer_auth(&self.token);
        if let Some((name, value)) = condition {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = self.answer(request).await?;
        match answer.status {
            StatusCode::UNAUTHORIZED => bail!("{} does not accept the admin token", self.name),
            _ => Ok(answer),
        }
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let reply = request.send().await.with_context(|| format!("{} cannot be reached", self.name))?;
        let status = reply.status();
        let etag = reply.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let text = reply.text().await.with_context(|| format!("{} broke off", self.name))?;
        Ok(Answer { status, etag, body: serde_json::from_str(&text).unwrap_or_default() })
    }

    fn at(&self, path: &[&str]) -> Result<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut().map_err(|()| anyhow!("{} has no path", self.name))?.pop_if_empty().extend(path);
        Ok(url)
    }
}
