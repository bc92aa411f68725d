//! Signing in at a broker in process through a provider that speaks SAML.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, header};
use serde_json::{Value, json};
use url::form_urlencoded;
use vestibule_core::platform::Clock;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::{Asked, FakeSamlIdp, Says};

use super::{ALICE, ISSUER, TestBroker};
use crate::platform::crypto;
use crate::reply::Reply;

/// Where the provider takes requests.
const SSO: &str = "https://saml.example/sso?app=1";

impl TestBroker {
    /// A broker whose tenant has a connection `saml` with a provider that speaks it.
    pub async fn with_saml(members: &Value) -> (Self, FakeSamlIdp) {
        let test = Self::new().await;
        let idp = test.saml_idp().await;
        test.connect_saml("saml", &idp, members).await;
        (test, idp)
    }

    /// Time passes for everybody.
    pub fn later(&self, seconds: i64) {
        self.clock.advance(Seconds(seconds));
        self.idp_clock.advance(Seconds(seconds));
    }

    /// A provider that speaks SAML, on the providers' clock.
    pub async fn saml_idp(&self) -> FakeSamlIdp {
        let clock = Arc::clone(&self.idp_clock) as Arc<dyn Clock>;
        let random = Arc::clone(&self.random);
        FakeSamlIdp::new("https://saml.example/idp", crypto(), clock, random).await.expect("a provider can be made")
    }

    /// Connects the tenant with it, with these members of `saml` in place of the usual ones; null leaves one out.
    pub async fn connect_saml(&self, id: &str, idp: &FakeSamlIdp, members: &Value) -> Value {
        self.connect_saml_with(id, idp, members, &json!({})).await
    }

    /// The same, with these members of the connection beside `saml`.
    pub async fn connect_saml_with(&self, id: &str, idp: &FakeSamlIdp, members: &Value, beside: &Value) -> Value {
        let usual = json!({
            "idp_entity_id": idp.entity_id(), "single_sign_on": [{ "binding": "redirect", "location": SSO }],
            "certificates": [idp.certificate()],
        });
        let connection = json!({ "name": "SAML", "protocol": "saml", "saml": merged(usual, members) });
        self.admin(Method::PUT, &format!("/tenants/acme/connections/{id}"), &merged(connection, beside)).await
    }

    /// The first leg through a connection: what the provider is asked, and the login's cookie as `name=value`.
    pub async fn start_saml(&self, id: &str, more: &[(&str, &str)]) -> (Asked, String) {
        let through = [("tenant", "acme"), ("connection", id)];
        let (location, cookie) = Self::started(&self.authorize(&[&through, more].concat(), "").await);
        (Asked::by_redirect(&location).expect("a request"), cookie)
    }

    /// The second leg: the provider says so, and the browser brings it.
    pub async fn finish_saml(&self, idp: &FakeSamlIdp, says: &Says, asked: &Asked, cookie: &str) -> Reply {
        let response = idp.response(says).await.expect("a response");
        self.post_saml(&asked.acs, &response, asked.relay_state.as_deref(), cookie).await
    }

    /// Posts a response to an assertion consumer service, in a browser with this cookie.
    pub async fn post_saml(&self, acs: &str, xml: &str, relay_state: Option<&str>, cookie: &str) -> Reply {
        let posted = FakeSamlIdp::posted(xml);
        let mut form = vec![("SAMLResponse", posted.as_str())];
        form.extend(relay_state.map(|value| ("RelayState", value)));
        self.post_with(acs.strip_prefix(ISSUER).expect("an address of the broker's"), &form, cookie).await
    }

    /// Posts a form, in a browser with this cookie.
    pub async fn post_with(&self, path: &str, form: &[(&str, &str)], cookie: &str) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, cookie);
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Both legs, for Alice.
    pub async fn sign_in_by_saml(&self, id: &str, idp: &FakeSamlIdp) -> Reply {
        let (asked, cookie) = self.start_saml(id, &[]).await;
        self.finish_saml(idp, &idp.says(&asked, ALICE), &asked, &cookie).await
    }
}

fn merged(mut object: Value, members: &Value) -> Value {
    if let (Some(object), Some(members)) = (object.as_object_mut(), members.as_object()) {
        object.extend(members.clone());
        object.retain(|_, value| !value.is_null());
    }
    object
}
