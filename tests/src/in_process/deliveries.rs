//! What a broker in process sends to other people's servers: to the application, and to a tenant's webhook.

use http::Method;
use serde_json::{Value, json};
use vestibule_protocol::time::Seconds;

use super::{CALLBACK, SECRET, TestBroker};

/// Where the application is told of the end of sessions.
pub const LOGOUT: &str = "https://app.example/backchannel-logout";
/// Where the tenant's webhook is told of events.
pub const EVENTS: &str = "https://events.example/hook";

impl TestBroker {
    /// A broker whose application wants to be told where its people sign out, and answers like this.
    pub async fn listening(status: u16) -> Self {
        let test = Self::new().await;
        let client = json!({
            "name": "App", "tenants": ["acme"], "redirect_uris": [CALLBACK], "client_auth": "client_secret_post",
            "client_secret": SECRET, "backchannel_logout_uri": LOGOUT,
        });
        test.admin(Method::PUT, "/clients/app", &client).await;
        test.network.receive(LOGOUT, status);
        test
    }

    /// Has the tenant's webhook told of these events; its secret.
    pub async fn subscribed(&self, events: &Value) -> String {
        self.network.receive(EVENTS, 204);
        let webhook = json!({"url": EVENTS, "events": events});
        self.admin(Method::PUT, "/tenants/acme/webhooks/audit", &webhook).await;
        let secret = self.admin(Method::POST, "/tenants/acme/webhook-secret", &Value::Null).await;
        secret["secret"].as_str().expect("a secret").to_owned()
    }

    /// Works every slot, once or several times.
    pub async fn quarters_of_an_hour(&self, many: usize) {
        for _ in 0..many * 15 {
            self.broker.tick().await.expect("a tick");
            self.clock.advance(Seconds(60));
        }
    }

    /// The first page of a list of the tenant's.
    pub async fn items(&self, list: &str) -> Vec<Value> {
        let page = self.admin(Method::GET, &format!("/tenants/acme/{list}"), &Value::Null).await;
        page["items"].as_array().expect("items").clone()
    }

    /// Signs out of the session of these tokens.
    pub async fn sign_out(&self, tokens: &Value) {
        let hint = tokens["id_token"].as_str().expect("a token");
        self.get(&format!("/oauth2/logout?id_token_hint={hint}"), "").await;
    }
}
