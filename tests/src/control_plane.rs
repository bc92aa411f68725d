//! A control plane behind the relay: an application whose pages call `/api/svc/v1/oauth2/…` of their own host, which
//! passes the calls on. The test is the page; the broker's host stands for the control plane's.

use http::Method;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::browser::{Browser, Visit};
use crate::deployment::Deployment;
use crate::platform::unique;
use crate::reply::Reply;
use crate::world::{ALICE, PASSWORD, World};

/// A control plane at the broker.
pub struct ControlPlane {
    /// Its client id.
    pub client: String,
    /// Its origin.
    pub url: String,
    broker: Deployment,
}

/// A call of one of the control plane's pages, in the making.
#[derive(Debug, Clone)]
pub struct Call {
    /// `token`, `refresh` or `logout`.
    pub path: &'static str,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Sec-Fetch-Site`.
    pub site: Option<&'static str>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl ControlPlane {
    /// A new one, for the tenant of a world.
    pub async fn new(world: &World) -> Self {
        Self::with_cookies(world, "plain").await
    }

    /// A new one with its way to name the cookies: `plain` or `prefixed`.
    pub async fn with_cookies(world: &World, cookies: &str) -> Self {
        let (client, broker) = (unique("control"), world.broker.clone());
        let plane = Self { url: format!("https://{client}.example"), client, broker };
        let mut registration = plane.registration(&json!([world.tenant]));
        registration["relay"]["cookies"] = json!(cookies);
        plane.broker.put(&format!("/clients/{}", plane.client), registration).await;
        plane
    }

    /// What an administrator registers.
    pub fn registration(&self, tenants: &Value) -> Value {
        json!({
            "name": "A control plane",
            "tenants": tenants,
            "redirect_uris": [self.callback()],
            "client_auth": "none",
            "relay": { "control_plane_url": self.url },
        })
    }

    /// Where the code comes back to.
    pub fn callback(&self) -> String {
        format!("{}/auth/callback", self.url)
    }

    /// The first call, with these parameters.
    pub fn start_url(&self, parameters: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.broker.at(&format!("/api/svc/v1/oauth2/authorize?{query}"))
    }

    /// The first call, as it should be.
    pub async fn start(&self, browser: &mut Browser, tenant: &str) -> Reply {
        let url = self.start_url(&[
            ("tenantName", tenant),
            ("controlPlaneURL", &self.url),
            ("redirectURL", &self.callback()),
        ]);
        browser.get(&url).await
    }

    /// From the first call to the code: what alice's browser went through.
    pub async fn sign_in(&self, world: &World, browser: &mut Browser) -> Visit {
        let started = self.start(browser, &world.tenant).await;
        assert_eq!(started.status, 200, "{}", started.body);
        let visit = browser.visit(&started.text("authorizationEndpoint")).await;
        if visit.left_to.is_some() {
            return visit;
        }
        browser.submit(visit.last(), &[("username", ALICE), ("password", PASSWORD)]).await
    }

    /// From the first call to the cookies.
    pub async fn tokens_in(&self, world: &World, browser: &mut Browser) -> Reply {
        let visit = self.sign_in(world, browser).await;
        let reply = self.send(browser, &self.redeem(&world.tenant, visit.arrived())).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply
    }

    /// The call that redeems what came back, as control planes make it: without `state`.
    pub fn redeem(&self, tenant: &str, arrived: &Url) -> Call {
        self.call("token", &self.code_body(tenant, arrived))
    }

    /// Its body.
    pub fn code_body(&self, tenant: &str, arrived: &Url) -> Value {
        json!({
            "tenantName": tenant,
            "code": Reply::one_param(arrived, "code"),
            "grantType": "authorization_code",
            "redirectURI": self.callback(),
        })
    }

    /// A call from a page of the control plane.
    pub fn call(&self, path: &'static str, body: &Value) -> Call {
        Call {
            path,
            origin: Some(self.url.clone()),
            site: Some("same-origin"),
            content_type: "application/json",
            body: body.to_string(),
        }
    }

    /// Sends a call from a browser.
    pub async fn send(&self, browser: &mut Browser, call: &Call) -> Reply {
        let request = self.broker.request(Method::POST, &format!("/api/svc/v1/oauth2/{}", call.path));
        let mut request = request.header("content-type", call.content_type).body(call.body.clone());
        if let Some(origin) = &call.origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = call.site {
            request = request.header("sec-fetch-site", site);
        }
        browser.fetch(request, call.site != Some("cross-site")).await
    }

    /// The value of a cookie at the control plane.
    pub fn cookie(&self, browser: &Browser, name: &str) -> Option<String> {
        let cookies = browser.cookies(&self.broker.at("/api/svc/v1/oauth2/refresh"));
        cookies.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }
}
