//! People as a directory pushes them, written as its requests write them.

use http::Method;
use serde_json::{Map, Value, json};
use vestibule_core::model::user::{Owner, Source, User};
use vestibule_core::store::{Expect, key};
use vestibule_protocol::time::Seconds;

use super::{TestBroker, claims, signed_in};
use crate::reply::Reply;

impl TestBroker {
    /// A person with these SCIM attributes, pushed by a directory that belongs to `connection` if to one; our id of them.
    pub async fn push(&self, id: &str, attributes: Value, connection: Option<&str>) -> String {
        let mut user: User = serde_json::from_value(json!({
            "id": id, "active": true, "profile": {}, "attributes": attributes, "created_at": 0, "updated_at": 0,
        }))
        .expect("a person");
        user.source = Source::Scim;
        user.provisioned_by = connection.map(str::to_owned);
        let first = user.addresses().next().map(str::to_owned);
        user.profile.email = first;
        let owner = Owner { id: id.to_owned() };
        let mut writes = vec![
            key::user("acme", id).put(&user, Expect::Absent),
            key::user_name("acme", &user.user_name().to_lowercase()).put(&owner, Expect::Absent),
        ];
        writes.extend(user.external_id().map(|name| key::external_id("acme", name).put(&owner, Expect::Absent)));
        let addresses = user.addresses().map(str::to_lowercase);
        writes.extend(addresses.map(|address| key::address("acme", &address, id).put(&(), Expect::Any)));
        let writes = writes.into_iter().collect::<Result<_, _>>().expect("records");
        self.store.commit(&key::directory("acme"), writes).await.expect("nobody has these names");
        id.to_owned()
    }

    /// The tenant's road from here on.
    pub async fn set_mode(&self, mode: &str) {
        let tenant = json!({"name": "Acme", "provisioning": {"mode": mode}});
        self.admin(Method::PUT, "/tenants/acme", &tenant).await;
    }

    /// A person, as an administrator sees them.
    pub async fn user(&self, id: &str) -> Value {
        self.admin(Method::GET, &format!("/tenants/acme/users/{id}"), &Value::Null).await
    }

    /// How the sign-in of somebody through a connection ends.
    pub async fn try_sign_in(&self, connection: &str, username: &str) -> Reply {
        let (authorization, cookie) = Self::started(&self.authorize(&[("connection", connection)], "").await);
        self.finish_as(username, &authorization, &cookie).await
    }

    /// The `sub` of somebody who signs in through a connection.
    pub async fn subject_of(&self, connection: &str, username: &str) -> String {
        let code = signed_in(&self.try_sign_in(connection, username).await).code;
        let tokens = self.redeem(&code).await.json();
        claims(&tokens["id_token"])["sub"].as_str().expect("a subject").to_owned()
    }

    /// What is in the tenant's audit log now, of these kinds.
    pub async fn audited(&self, kinds: &[&str]) -> Vec<Map<String, Value>> {
        // A slot is worked each minute; after fifteen all were.
        for _ in 0..15 {
            self.clock.advance(Seconds(60));
            self.idp_clock.advance(Seconds(60));
            self.broker.tick().await.expect("a tick");
        }
        let log = self.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
        let events = log["events"].as_array().expect("events").iter().filter_map(Value::as_object);
        events.filter(|event| kinds.iter().any(|kind| event["kind"] == **kind)).cloned().collect()
    }
}
