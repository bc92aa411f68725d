//! What an application asks: whether a token counts.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::Value;

use crate::claims::Claims;
use crate::error::Error;
use crate::fetch::Fetch;
use crate::keys::Keys;
use crate::signed::Signed;
use crate::status::{Lists, Source, Status};

/// How far the clocks of broker and application may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// Verifies access tokens of one issuer for one application. Cheap to clone; clones share what they fetched.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
    leeway: i64,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

struct Shared {
    issuer: String,
    audience: String,
    fetch: Box<dyn Fetch>,
    keys: Keys,
    lists: Lists,
}

/// What decides whether a token counts.
#[derive(Deserialize)]
struct Decisive {
    iss: String,
    aud: Value,
    status: Option<Status>,
    nbf: Option<i64>,
    #[serde(flatten)]
    claims: Claims,
}

impl Verifier {
    /// For tokens that `issuer` made for `audience`, the client id of the application. The issuer is the broker's address as
    /// its metadata has it, without a trailing slash.
    pub fn new(issuer: &str, audience: &str, fetch: impl Fetch) -> Self {
        let shared = Shared {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            fetch: Box::new(fetch),
            keys: Keys::of(issuer),
            lists: Lists::default(),
        };
        Self { shared: Arc::new(shared), leeway: seconds(LEEWAY), now: Arc::new(system_now) }
    }

    /// With another leeway than 30 seconds for clocks that are apart.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = seconds(leeway);
        self
    }

    /// With another clock than the system's: seconds since 1970.
    #[must_use]
    pub fn with_clock(mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        self.now = Arc::new(now);
        self
    }

    /// What a token says, if it counts.
    pub async fn verify(&self, token: &str) -> Result<Claims, Error> {
        let (shared, now) = (&*self.shared, (self.now)());
        let signed = Signed::parse(token)?;
        // Before anybody is asked for a key.
        if !signed.algorithm_is_known() {
            return Err(Error::Algorithm);
        }
        signed.is_of_type("at+jwt")?;
        let kid = signed.kid().ok_or(Error::UnknownKey)?;
        let key = shared.keys.find(&*shared.fetch, kid, now).await?;
        let Decisive { iss, aud, status, nbf, claims } = signed.open(&key)?;
        if iss != shared.issuer {
            return Err(Error::Issuer);
        }
        if aud != shared.audience.as_str() {
            return Err(Error::Audience);
        }
        if claims.exp.saturating_add(self.leeway) <= now {
            return Err(Error::Expired);
        }
        if nbf.unwrap_or(claims.iat).max(claims.iat) > now.saturating_add(self.leeway) {
            return Err(Error::NotYet);
        }
        let place = status.ok_or(Error::NoStatus)?.status_list;
        let source = Source { issuer: &shared.issuer, keys: &shared.keys, fetch: &*shared.fetch, leeway: self.leeway };
        if shared.lists.is_marked(&source, &place, now).await? {
            return Err(Error::Revoked);
        }
        Ok(claims)
    }

    /// The same for the bearer of a request.
    pub async fn verify_request(&self, headers: &HeaderMap) -> Result<Claims, Error> {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or(Error::Missing)?;
        let (scheme, token) = header.split_once(' ').ok_or(Error::Missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Missing);
        }
        self.verify(token.trim()).await
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "an application runs on a host with a clock; a test brings its own")]
fn system_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, seconds)
}
