//! A directory that pushes to the tenant `acme` of a broker in process.

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use vestibule_core::model::group::Member;
use vestibule_core::store::{Expect, MAX_WRITES, Write, key};

use super::TestBroker;
use crate::reply::Reply;
use crate::scim::{GROUP, PATCH, USER, tenant_body};

impl TestBroker {
    /// Opens the tenant to a directory, and gives it a token.
    pub async fn scim_token(&self) -> String {
        self.admin(Method::PUT, "/tenants/acme", &tenant_body()).await;
        let made = self.admin(Method::POST, "/tenants/acme/scim-tokens", &json!({"name": "Directory"})).await;
        made["token"].as_str().expect("a token").to_owned()
    }

    /// A directory's request below `/scim/v2`; null is no body.
    pub async fn scim(&self, token: &str, method: Method, path: &str, body: &Value) -> Reply {
        let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header(header::CONTENT_TYPE, "application/scim+json");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(request.body(body).expect("a request")).await
    }

    /// Makes a person, and says their id.
    pub async fn scim_user(&self, token: &str, user_name: &str) -> String {
        let body = json!({"schemas": [USER], "userName": user_name, "displayName": user_name});
        id(&self.scim(token, Method::POST, "/Users", &body).await)
    }

    /// Makes a group, and says its id.
    pub async fn scim_group(&self, token: &str, name: &str, members: &[String]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
        id(&self.scim(token, Method::POST, "/Groups", &body).await)
    }

    /// A PATCH with these operations.
    pub async fn scim_patch(&self, token: &str, path: &str, operations: &Value) -> Reply {
        self.scim(token, Method::PATCH, path, &json!({"schemas": [PATCH], "Operations": operations})).await
    }

    /// Puts so many into a group behind the broker's back: thousands of requests would take longer than they tell.
    pub async fn crowd(&self, group: &str, count: usize) {
        let since = self.broker.platform.clock.now();
        let members: Vec<Write> = (0..count)
            .map(|number| key::member("acme", group, &format!("crowd-{number}")).put(&Member { since }, Expect::Absent))
            .collect::<Result<_, _>>()
            .expect("members");
        for chunk in members.chunks(MAX_WRITES) {
            self.store.commit(&key::directory("acme"), chunk.to_vec()).await.expect("a commit");
        }
    }

    /// A resource that is there.
    pub async fn scim_get(&self, token: &str, path: &str) -> Value {
        let reply = self.scim(token, Method::GET, path, &Value::Null).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.scim()
    }
}

fn id(made: &Reply) -> String {
    assert_eq!(made.status, 201, "{}", made.body);
    made.scim()["id"].as_str().expect("an id").to_owned()
}
