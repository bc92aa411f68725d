//! People on their tenant's road: pushed by a directory, signing in, as an administrator sees them.

use http::Method;
use serde_json::{Map, Value, json};
use vestibule_core::store::Partition;
use vestibule_protocol::time::Seconds;

use super::{TestBroker, claims, signed_in};
use crate::reply::Reply;
use crate::scim::USER;

impl TestBroker {
    /// Opens the tenant to a directory that belongs to `connection`, if to one, and has it push a person with these
    /// attributes; our id of them.
    pub async fn push(&self, attributes: &Value, connection: Option<&str>) -> String {
        self.set_mode("scim").await;
        let mut token = json!({"name": "Directory"});
        if let Some(connection) = connection {
            token["connection"] = json!(connection);
        }
        let token = self.admin(Method::POST, "/tenants/acme/scim-tokens", &token).await;
        let mut body = attributes.clone();
        body["schemas"] = json!([USER]);
        let made = self.scim(token["token"].as_str().expect("a token"), Method::POST, "/Users", &body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.scim()["id"].as_str().expect("an id").to_owned()
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

    /// Time goes on for everybody, and each minute has its tick. How many sessions were examined.
    pub async fn minutes(&self, minutes: u32) -> u32 {
        let mut examined = 0;
        for _ in 0..minutes {
            self.pass(60);
            self.queue.done();
            self.broker.tick().await.expect("a tick");
            examined += self.queue.done().examined;
        }
        examined
    }

    /// Time goes on for everybody.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(Seconds(seconds));
        self.idp_clock.advance(Seconds(seconds));
    }

    /// Whether a person may sign in.
    pub async fn is_active(&self, user: &str) -> bool {
        self.user(user).await["active"] == json!(true)
    }

    /// How many records of this kind lie among the tenant's sessions.
    pub async fn among_sessions(&self, kind: &str) -> usize {
        let mut count = 0;
        for shard in 0..8 {
            let partition = Partition::new(format!("sessions:acme:{shard}"));
            count += self.store.list(&partition, kind, None, 1_000).await.expect("a list").records.len();
        }
        count
    }

    /// What is in the tenant's audit log now, of these kinds.
    pub async fn audited(&self, kinds: &[&str]) -> Vec<Map<String, Value>> {
        // A slot is worked each minute; after fifteen all were.
        self.minutes(15).await;
        let log = self.admin(Method::GET, "/tenants/acme/audit", &Value::Null).await;
        let events = log["events"].as_array().expect("events").iter().filter_map(Value::as_object);
        events.filter(|event| kinds.iter().any(|kind| event["kind"] == **kind)).cloned().collect()
    }
}
