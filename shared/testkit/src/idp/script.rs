//! What a test can put into the provider's mouth: single members of its documents, or whole replies.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value};

use super::FakeOidcIdp;

/// A document of which members can be said differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Document {
    /// Its metadata.
    Metadata,
    /// The claims of ID tokens.
    IdToken,
    /// The claims of userinfo.
    Userinfo,
}

/// A reply that is always the same.
#[derive(Debug, Clone)]
pub struct Canned {
    /// Its status.
    pub status: StatusCode,
    /// Its media type.
    pub content_type: &'static str,
    /// Its body.
    pub body: Bytes,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// Over a network, the body comes a byte at a time with this pause after each; zero sends it whole.
    pub pause_milliseconds: u64,
}

impl Canned {
    /// A reply of status 200 that comes at once.
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, content_type, body: body.into(), headers: Vec::new(), pause_milliseconds: 0 }
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(*name, value);
            }
        }
        response
    }
}

impl FakeOidcIdp {
    /// From now on, this member has this value; null takes it away.
    pub fn say(&self, document: Document, member: &str, value: Value) {
        self.state().said.entry(document).or_default().insert(member.to_owned(), value);
    }

    /// From now on, this path answers this.
    pub fn answer_with(&self, path: &str, reply: Canned) {
        self.state().canned.insert(path.to_owned(), reply);
    }

    pub(super) fn canned(&self, path: &str) -> Option<Canned> {
        self.state().canned.get(path).cloned()
    }

    /// The members as a test wants them.
    pub(super) fn as_said(&self, document: Document, mut members: Map<String, Value>) -> Map<String, Value> {
        if let Some(said) = self.state().said.get(&document) {
            members.extend(said.clone());
            members.retain(|_, value| !value.is_null());
        }
        members
    }
}
