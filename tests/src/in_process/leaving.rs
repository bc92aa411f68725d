//! Signing out at a broker in process, and at a provider that speaks SAML.

use http::Method;
use serde_json::{Value, json};
use url::Url;
use vestibule_protocol::jose::PublicKey;
use vestibule_protocol::saml::{Certificate, RedirectMessage, posted, signed_logout};
use vestibule_testkit::FakeSamlIdp;

use super::{ALICE, TestBroker, signed_in};
use crate::form::Form;
use crate::platform::crypto;
use crate::reply::Reply;

/// Our single logout service for the connection `saml`.
pub const SLO: &str = "https://sso.example/saml/acme/saml/slo";
/// Where the provider takes logout messages.
pub const THERE: &str = "https://saml.example/slo";

/// Somebody who is signed in.
pub struct Person {
    /// What the application has.
    pub tokens: Value,
    /// The browser's session cookie, as `name=value`.
    pub cookie: String,
    /// What the provider calls the session.
    pub index: String,
}

impl TestBroker {
    /// A broker whose connection `saml` has a provider that takes logout messages by these bindings, and signs people out there
    /// too.
    pub async fn leaving(bindings: &[&str]) -> (Self, FakeSamlIdp) {
        let test = Self::new().await;
        let idp = test.saml_idp().await;
        test.connect_leaving("saml", &idp, &json!({}), bindings).await;
        (test, idp)
    }

    /// Connects the tenant with a provider that takes logout messages by these bindings; with these members of `saml`.
    pub async fn connect_leaving(&self, id: &str, idp: &FakeSamlIdp, members: &Value, bindings: &[&str]) {
        let there = bindings.iter().map(|binding| json!({"binding": binding, "location": THERE}));
        let mut saml = json!({
            "idp_entity_id": idp.entity_id(), "certificates": [idp.certificate()],
            "single_sign_on": [{"binding": "redirect", "location": "https://saml.example/sso"}],
            "single_logout": there.collect::<Vec<_>>(),
        });
        let usual = saml.as_object_mut().expect("an object");
        usual.extend(members.as_object().expect("an object").clone());
        usual.retain(|_, value| !value.is_null());
        let connection = json!({"name": "SAML", "protocol": "saml", "saml": saml, "logout": {"at_provider": true}});
        self.admin(Method::PUT, &format!("/tenants/acme/connections/{id}"), &connection).await;
    }

    /// Alice signs in through a connection.
    pub async fn alice(&self, idp: &FakeSamlIdp, connection: &str) -> Person {
        self.person(idp, connection, ALICE).await
    }

    /// Somebody signs in through a connection.
    pub async fn person(&self, idp: &FakeSamlIdp, connection: &str, name: &str) -> Person {
        let (asked, cookie) = self.start_saml(connection, &[]).await;
        let says = idp.says(&asked, name);
        let signed = signed_in(&self.finish_saml(idp, &says, &asked, &cookie).await);
        let tokens = self.redeem(&signed.code).await.json();
        Person { tokens, cookie: signed.cookie, index: says.session_index.expect("a session") }
    }

    /// Whether somebody is still signed in.
    pub async fn is_in(&self, person: &Person) -> bool {
        self.introspect(person.tokens["access_token"].as_str().expect("a token")).await["active"] == true
    }

    /// A message that comes by redirect to the connection's single logout service.
    pub async fn slo(&self, query: &str, cookie: &str) -> Reply {
        self.get(&format!("/saml/acme/saml/slo?{query}"), cookie).await
    }

    /// The keys to sign with that are in our metadata, the active one first.
    pub async fn published_keys(&self) -> Vec<PublicKey> {
        let keys = self.admin(Method::GET, "/tenants/acme/connections/saml/saml-keys", &Value::Null).await;
        let mut keys = keys["keys"].as_array().expect("keys").clone();
        keys.retain(|key| key["usage"] == "signing");
        keys.sort_by_key(|key| key["active"] != true);
        let read =
            |key: &Value| Certificate::read(key["certificate"].as_str().expect("PEM")).expect("a certificate").key;
        keys.iter().map(read).collect()
    }
}

/// The message of an address that the browser is sent to, which `key` signed.
pub async fn by_redirect(key: &PublicKey, location: &Url) -> RedirectMessage {
    let message = RedirectMessage::read(location.query().expect("a query")).expect("a message");
    let (algorithm, input, signature) = message.signature.as_ref().expect("a signature");
    crypto().verify(key, *algorithm, input.as_bytes(), signature).await.expect("it is ours");
    message
}

/// The message in a form that the browser posts, which `key` signed: where it goes, its content, its `RelayState`.
pub async fn by_post(key: &PublicKey, reply: &Reply, field: &str) -> (String, String, Option<String>) {
    let form = Form::all(&reply.body).remove(0);
    let value = |name: &str| form.fields.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    let xml = posted(&value(field).expect("a message")).expect("it can be read");
    let signed = signed_logout(&xml).expect("it is signed");
    crypto().verify(key, signed.algorithm(), signed.input(), signed.signature()).await.expect("it is ours");
    (form.action.clone(), signed.into_content(), value("RelayState"))
}
