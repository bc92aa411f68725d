//! One response, as a test looks at it.

use http::{HeaderMap, StatusCode};
use serde_json::Value;
use url::Url;

/// A response and the address that it came from.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What was asked.
    pub url: Url,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as text.
    pub body: String,
}

impl Reply {
    /// Sends a request and reads the whole response.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("the server answers");
        let (url, status, headers) = (response.url().clone(), response.status(), response.headers().clone());
        let body = response.bytes().await.expect("the body comes");
        Self { url, status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// A header that is there at most once.
    pub fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).iter().count() < 2, "{name} is there twice");
        self.headers.get(name).map(|value| value.to_str().expect("headers are text"))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        assert!(
            self.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
            "{} {} is not JSON: {}",
            self.status,
            self.url,
            self.body
        );
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// The body as SCIM's JSON.
    pub fn scim(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/scim+json"),
            "{} {}: {}",
            self.status,
            self.url,
            self.body
        );
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// A text member of the JSON body.
    pub fn text(&self, member: &str) -> String {
        let json = self.json();
        let text = json.get(member).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("{} {} has no text in {member}: {}", self.status, self.url, self.body)).to_owned()
    }

    /// Where a redirect leads, or `None` for anything else.
    pub fn location(&self) -> Option<Url> {
        let target = self.header("location").filter(|_| self.status.is_redirection())?;
        Some(self.url.join(target).expect("Location is an address"))
    }

    /// Every `Set-Cookie`.
    pub fn set_cookies(&self) -> Vec<&str> {
        let values = self.headers.get_all("set-cookie").iter();
        values.map(|value| value.to_str().expect("headers are text")).collect()
    }

    /// A parameter of an address that is there exactly once.
    pub fn one_param(url: &Url, name: &str) -> String {
        let values: Vec<String> =
            url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect();
        assert_eq!(values.len(), 1, "{name} is there once in {url}");
        values.concat()
    }

    /// Fails unless this is an error page: 4xx, HTML, no redirect, and a reference for whoever looks into it.
    pub fn assert_error_page(&self) {
        assert!(self.status.is_client_error(), "{} {}: {}", self.status, self.url, self.body);
        assert_eq!(self.header("location"), None, "an error page leads nowhere");
        assert!(self.body.contains("Reference: <code>"), "{}: {}", self.url, self.body);
        self.assert_page();
    }

    /// Fails unless this is a page with the headers that every page has.
    pub fn assert_page(&self) {
        assert!(self.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{:?}", self.headers);
        let cache = self.header("cache-control").unwrap_or_default();
        assert!(cache.contains("no-store"), "{} cache-control: {cache}", self.url);
        assert_eq!(self.header("referrer-policy"), Some("no-referrer"), "{}", self.url);
        let policy = self.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'"), "{} content-security-policy: {policy}", self.url);
        assert!(!policy.contains("unsafe"), "{} content-security-policy: {policy}", self.url);
    }
}
