//! The deployment under test: where it is and how to talk to its admin API. `cargo xtask test` starts one and sets the
//! variables.

use http::Method;
use serde_json::Value;

use crate::platform::http_client;
use crate::reply::Reply;

/// A running broker.
#[derive(Clone)]
pub struct Deployment {
    /// `VESTIBULE_TEST_URL`: its issuer, without a trailing slash.
    pub url: String,
    /// `VESTIBULE_ADMIN_TOKEN`.
    pub admin_token: String,
    /// `VESTIBULE_TEST_RUNTIME`: `native`, `workerd` or `lambda`.
    pub runtime: String,
    /// `VESTIBULE_TEST_IDP`: a certified OpenID provider that knows the broker.
    pub idp: Option<Provider>,
    /// `VESTIBULE_TEST_TICK`: where a POST runs the scheduled handler, if the runtime has such an address.
    pub tick: Option<String>,
    /// `VESTIBULE_TEST_TASKS`: where a POST puts its body into the queue.
    pub tasks: Option<String>,
    /// `VESTIBULE_TEST_CLOCK`: the file that says by how many seconds everybody's clock is ahead.
    pub clock: Option<String>,
    http: reqwest::Client,
}

/// A provider that is not ours.
#[derive(Clone)]
pub struct Provider {
    /// `VESTIBULE_TEST_IDP`: its issuer.
    pub issuer: String,
    /// `VESTIBULE_TEST_IDP_CLIENT`: the broker's client id there, which authenticates with HTTP Basic.
    pub client_id: String,
    /// `VESTIBULE_TEST_IDP_SECRET`: and its secret.
    pub client_secret: String,
    /// `VESTIBULE_TEST_IDP_SIGNING_CLIENT`: another id there, which proves itself and signs its requests with the broker's
    /// published key, and has to.
    pub signing_client: String,
}

const HOW: &str = "is not set. This suite needs a running broker; `cargo xtask test` starts one and runs it. By hand: \
    set VESTIBULE_TEST_URL, VESTIBULE_ADMIN_TOKEN and, as far as there are any, VESTIBULE_TEST_RUNTIME, \
    VESTIBULE_TEST_IDP (_CLIENT, _SECRET, _SIGNING_CLIENT), \
    VESTIBULE_TEST_TICK, VESTIBULE_TEST_TASKS and VESTIBULE_TEST_CLOCK, then `cargo test -p vestibule-tests --features deployed`.";

impl Deployment {
    /// The deployment that the environment names. Fails with instructions when it names none.
    pub fn from_env() -> Self {
        let needed = |name| variable(name).unwrap_or_else(|| panic!("{name} {HOW}"));
        Self {
            url: needed("VESTIBULE_TEST_URL").trim_end_matches('/').to_owned(),
            admin_token: needed("VESTIBULE_ADMIN_TOKEN"),
            runtime: variable("VESTIBULE_TEST_RUNTIME").unwrap_or_else(|| "native".to_owned()),
            idp: variable("VESTIBULE_TEST_IDP").map(|issuer| Provider {
                issuer,
                client_id: needed("VESTIBULE_TEST_IDP_CLIENT"),
                client_secret: needed("VESTIBULE_TEST_IDP_SECRET"),
                signing_client: needed("VESTIBULE_TEST_IDP_SIGNING_CLIENT"),
            }),
            tick: variable("VESTIBULE_TEST_TICK"),
            tasks: variable("VESTIBULE_TEST_TASKS"),
            clock: variable("VESTIBULE_TEST_CLOCK"),
            http: http_client(),
        }
    }

    /// An address of the broker.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request to the broker, to be completed.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.at(path))
    }

    /// GET without cookies.
    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    /// A call of the admin API, below `/admin/v1`.
    pub async fn admin(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.request(method, &format!("/admin/v1{path}")).bearer_auth(&self.admin_token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Reply::of(request).await
    }

    /// A call of the admin API that rests on a condition: `if-match` or `if-none-match` with a value.
    pub async fn admin_if(&self, condition: (&str, &str), method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self.request(method, &format!("/admin/v1{path}")).bearer_auth(&self.admin_token);
        let request = request.header(condition.0, condition.1).header("content-type", "application/json");
        Reply::of(request.body(body.map(Value::to_string).unwrap_or_default())).await
    }

    /// The same broker for the bearer of another administrator's token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { admin_token: token.to_owned(), ..self.clone() }
    }

    /// Makes an administrator's token: its id, and the same broker for its bearer.
    pub async fn token(&self, scopes: &[&str]) -> (String, Self) {
        let body = serde_json::json!({ "name": "made by a test", "scopes": scopes });
        let reply = self.admin(Method::POST, "/tokens", Some(&body)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        (reply.text("id"), self.with_token(&reply.text("token")))
    }

    /// Creates or replaces, and fails when that does not succeed.
    pub async fn put(&self, path: &str, body: Value) -> Value {
        let reply = self.admin(Method::PUT, path, Some(&body)).await;
        assert!(reply.status.is_success(), "PUT {path}: {} {}", reply.status, reply.body);
        reply.json()
    }
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place where the suites read their environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
