//! A customer's directory, as the broker's SCIM server sees it: a tenant of its own, and a token for it.

use http::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::deployment::Deployment;
use crate::platform::unique;
use crate::reply::Reply;

/// The schema of people.
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The schema of groups.
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The schema of a PATCH.
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A directory that pushes its people.
#[derive(Clone)]
pub struct Directory {
    /// The broker.
    pub broker: Deployment,
    /// The tenant.
    pub tenant: String,
    /// The bearer token.
    pub token: String,
}

impl Directory {
    /// In a new tenant that is provisioned by SCIM.
    pub async fn new() -> Self {
        let broker = Deployment::from_env();
        let tenant = unique("t");
        broker.put(&format!("/tenants/{tenant}"), tenant_body()).await;
        Self::of(&broker, &tenant).await
    }

    /// In a tenant that is there.
    pub async fn of(broker: &Deployment, tenant: &str) -> Self {
        let path = format!("/tenants/{tenant}/scim-tokens");
        let made = broker.admin(Method::POST, &path, Some(&json!({ "name": "made by a test" }))).await;
        assert_eq!(made.status, 201, "{}", made.body);
        Self { broker: broker.clone(), tenant: tenant.to_owned(), token: made.text("token") }
    }

    /// A request below `/scim/v2` without a token.
    pub fn anonymous(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.broker.request(method, &format!("/scim/v2{path}"))
    }

    /// A request below `/scim/v2`, with the token.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.anonymous(method, path).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/scim+json").body(body.to_string());
        }
        Reply::of(request).await
    }

    /// A list, or whatever has parameters.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.call(Method::GET, &format!("{path}?{query}"), None).await
    }

    /// Makes a person, and says their id.
    pub async fn user(&self, user_name: &str) -> String {
        let body = json!({ "schemas": [USER], "userName": user_name, "displayName": user_name });
        self.make("/Users", &body).await
    }

    /// Makes a group, and says its id.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        self.make("/Groups", &json!({ "schemas": [GROUP], "displayName": name, "members": members })).await
    }

    async fn make(&self, path: &str, body: &Value) -> String {
        let reply = self.call(Method::POST, path, Some(body)).await;
        assert_eq!(reply.status, 201, "POST {path}: {}", reply.body);
        reply.scim()["id"].as_str().expect("an id").to_owned()
    }

    /// A PATCH with these operations.
    pub async fn patch(&self, path: &str, operations: &Value) -> Reply {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        self.call(Method::PATCH, path, Some(&body)).await
    }
}

/// A tenant that is provisioned by SCIM, and whose directory may be fast.
pub fn tenant_body() -> Value {
    json!({
        "name": "A tenant with a directory",
        "provisioning": { "mode": "scim", "scim_requests_per_second": 10_000 },
    })
}
