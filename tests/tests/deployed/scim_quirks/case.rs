//! One case, and the names that it uses: `{{alice}}` is the id of what `user:alice` made, `{{alice.email}}` a value of
//! theirs, `{{uuid}}` a text of the case's own, and `{{…|upper}}` either in capitals.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use vestibule_tests::platform::unique;
use vestibule_tests::reply::Reply;
use vestibule_tests::scim::Directory;

/// A case as the file has it.
#[derive(Clone, Copy)]
pub(super) struct Case<'c>(pub(super) &'c Value);

/// A request that is ready to be sent.
pub(super) struct Request {
    method: Method,
    pub(super) path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl<'c> Case<'c> {
    pub(super) fn text(self, member: &str) -> &'c str {
        self.0[member].as_str().unwrap_or_default()
    }

    /// What has to be there before.
    pub(super) fn given(self) -> impl Iterator<Item = &'c str> {
        self.0["given"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn expected(self) -> &'c Value {
        &self.0["expect"]
    }

    pub(super) fn request(self, names: &Names) -> Request {
        let request = names.fill(&self.0["request"]);
        let pairs = |member: &str| {
            let pairs = request[member].as_object().into_iter().flatten();
            pairs.map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned())).collect()
        };
        let text = request["text"].as_str().map(str::to_owned);
        Request {
            method: request["method"].as_str().expect("a method").parse().expect("a method"),
            path: request["path"].as_str().expect("a path").to_owned(),
            query: pairs("query"),
            headers: pairs("headers"),
            body: text.or_else(|| request.get("body").map(Value::to_string)),
        }
    }

    /// What is looked at afterwards: a path, its status and its body.
    pub(super) fn after(self, names: &Names) -> Option<(String, u64, Value)> {
        let after = names.fill(self.0.get("after")?);
        let status = self.0["after_status"].as_u64().unwrap_or(200);
        Some((after["get"].as_str()?.to_owned(), status, after["body"].clone()))
    }
}

impl Request {
    /// A header that is empty in the case is not sent at all.
    pub(super) async fn send(&self, directory: &Directory) -> Reply {
        let says = |name: &str| self.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        let mut request = directory.anonymous(self.method.clone(), &format!("{}?{query}", self.path));
        if !says("Authorization") {
            request = request.bearer_auth(&directory.token);
        }
        if !says("Content-Type") {
            request = request.header("content-type", "application/scim+json");
        }
        for (name, value) in self.headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        Reply::of(request).await
    }
}

/// What the names of a case mean.
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    pub(super) fn new() -> Self {
        Self(BTreeMap::from([("uuid".to_owned(), unique("case"))]))
    }

    /// Where and with what `user:NAME[:inactive|:noemail]` or `group:NAME:members` is made.
    pub(super) fn given(&self, given: &str) -> (&'static str, Value) {
        let mut parts = given.split(':');
        let (kind, name, more) = (parts.next(), parts.next().expect("a name"), parts.next().unwrap_or_default());
        if kind == Some("group") {
            let members = more.split(',').filter(|member| !member.is_empty());
            let members: Vec<Value> = members.map(|member| json!({ "value": self.0[member] })).collect();
            let schema = "urn:ietf:params:scim:schemas:core:2.0:Group";
            return ("/Groups", json!({ "schemas": [schema], "displayName": unique(name), "members": members }));
        }
        let address = format!("{}@corp.example", unique(name));
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": address, "externalId": unique("x"), "displayName": "Alice Liddell",
            "name": { "givenName": "Alice", "familyName": "Liddell" }, "active": more != "inactive",
        });
        if more != "noemail" {
            body["emails"] = json!([{ "value": address, "type": "work", "primary": true }]);
        }
        ("/Users", body)
    }

    /// Remembers what was made.
    pub(super) fn made(&mut self, given: &str, id: &str, body: &Value) {
        let name = given.split(':').nth(1).expect("a name");
        self.0.insert(name.to_owned(), id.to_owned());
        for (attribute, member) in [
            ("userName", "userName"),
            ("email", "userName"),
            ("externalId", "externalId"),
            ("displayName", "displayName"),
        ] {
            if let Some(value) = body[member].as_str() {
                self.0.insert(format!("{name}.{attribute}"), value.to_owned());
            }
        }
    }

    /// The value with what its names mean.
    pub(super) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.filled(text)),
            Value::Array(values) => values.iter().map(|value| self.fill(value)).collect(),
            Value::Object(members) => {
                let filled = members.iter().map(|(name, value)| (self.filled(name), self.fill(value)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").expect("a name ends");
            let (name, upper) = name.strip_suffix("|upper").map_or((name, false), |name| (name, true));
            let value = self.0.get(name).unwrap_or_else(|| panic!("the case does not say who {name} is"));
            filled.push_str(before);
            filled.push_str(&if upper { value.to_uppercase() } else { value.clone() });
            rest = after;
        }
        filled + rest
    }
}
