//! A provider that speaks SAML in the world of a test. Its pages are at an address where the test itself is the server: the
//! browser stops there, and comes back with a form.

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_testkit::{Asked, FakeSamlIdp, Says};

use crate::browser::{Browser, Visit};
use crate::platform::{clock, crypto, random};
use crate::reply::Reply;
use crate::world::{ALICE, Authorization, World};

/// Where the provider takes requests.
const SSO: &str = "https://saml.example/sso";

/// A world with such a provider, behind the connection `saml`.
pub struct SamlWorld {
    /// The world, with its other provider.
    pub world: World,
    /// The provider.
    pub idp: FakeSamlIdp,
}

impl SamlWorld {
    /// A new one, with these members of `saml` beside the usual ones.
    pub async fn new(members: &Value) -> Self {
        let world = World::new().await;
        let idp = FakeSamlIdp::new("https://saml.example/idp", crypto(), clock(), random()).await.expect("a provider");
        let this = Self { world, idp };
        this.connect("saml", members).await;
        this
    }

    /// Connects the tenant with the provider.
    pub async fn connect(&self, id: &str, members: &Value) -> Value {
        let mut saml = json!({
            "idp_entity_id": self.idp.entity_id(), "single_sign_on": [{ "binding": "redirect", "location": SSO }],
            "certificates": [self.idp.certificate()],
        });
        if let (Some(usual), Some(members)) = (saml.as_object_mut(), members.as_object()) {
            usual.extend(members.clone());
        }
        let connection = json!({ "name": "SAML", "protocol": "saml", "saml": saml });
        self.world.broker.put(&format!("/tenants/{}/connections/{id}", self.world.tenant), connection).await
    }

    /// A good authorization request through the connection.
    pub fn authorization(&self) -> Authorization {
        self.world.authorization().with("connection", "saml")
    }

    /// The assertion consumer service of a connection.
    pub fn acs(&self, id: &str) -> String {
        self.world.broker.at(&format!("/saml/{}/{id}/acs", self.world.tenant))
    }

    /// Follows an authorization request to the provider.
    pub async fn ask(&self, browser: &mut Browser, request: &Authorization) -> Asked {
        let visit = browser.visit(&request.url(&self.world.broker)).await;
        Asked::by_redirect(visit.arrived()).expect("a request")
    }

    /// The provider's page with a response, which the browser will post to this address.
    pub async fn page(&self, says: &Says, acs: &str, relay_state: Option<&str>) -> Reply {
        let response = FakeSamlIdp::posted(&self.idp.response(says).await.expect("a response"));
        let relay_state = relay_state.map(|value| format!(r#"<input name="RelayState" value="{value}">"#));
        let fields = format!(r#"<input name="SAMLResponse" value="{response}">{}"#, relay_state.unwrap_or_default());
        Reply {
            url: Url::parse(SSO).expect("an address"),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: format!(r#"<form method="post" action="{acs}">{fields}</form>"#),
        }
    }

    /// The provider answers, and the browser brings it.
    pub async fn answer(&self, browser: &mut Browser, says: &Says, asked: &Asked) -> Visit {
        let page = self.page(says, &asked.acs, asked.relay_state.as_deref()).await;
        browser.submit(&page, &[]).await
    }

    /// The whole of it, for Alice, up to the application.
    pub async fn sign_in(&self, browser: &mut Browser, request: &Authorization) -> Visit {
        let asked = self.ask(browser, request).await;
        self.answer(browser, &self.idp.says(&asked, ALICE), &asked).await
    }
}
