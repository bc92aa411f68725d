//! A form that we send to a provider in our own name, with the client authentication of the connection (RFC 6749 §2.3).

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::{Url, form_urlencoded};

use super::assertion::{ASSERTION_TYPE, assertion, audience};
use super::oidc::client_secret;
use super::reach::Reach;
use super::request::Parameters;
use super::{Target, UpstreamCopy};
use crate::Broker;
use crate::error::Error;
use crate::model::connection::UpstreamClientAuth;
use crate::platform::{HttpClient, HttpError};

/// Who we are toward a provider.
pub(super) struct OurName<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_auth: UpstreamClientAuth,
    /// Where one is used.
    pub(super) secret: Option<String>,
    /// Whom an assertion is for, where one is used.
    pub(super) audience: &'a str,
}

impl<'a> OurName<'a> {
    /// The client that a connection is.
    pub(super) fn of(broker: &Broker, target: &Target<'a>, copy: &'a UpstreamCopy) -> Result<Self, Error> {
        let settings = target.settings;
        Ok(Self {
            client_id: &settings.client_id,
            client_auth: settings.client_auth,
            secret: client_secret(broker, target)?.map(|secret| secret.secret().clone()),
            audience: audience(settings, copy),
        })
    }
}

/// Posts the form; what comes back, or why nothing did.
pub(super) async fn post(
    broker: &Broker,
    tenant: &str,
    ours: &OurName<'_>,
    endpoint: &Url,
    mut form: Parameters,
) -> Result<Result<Response<Bytes>, HttpError>, Error> {
    let mut request = http::Request::post(endpoint.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match (ours.client_auth, &ours.secret) {
        (UpstreamClientAuth::ClientSecretBasic, Some(secret)) => {
            request = request.header(AUTHORIZATION, basic(ours.client_id, secret));
        }
        (UpstreamClientAuth::ClientSecretPost, Some(secret)) => {
            form.push(("client_secret".to_owned(), secret.clone()));
        }
        _ => {}
    }
    // With Basic, the header says it, and nothing else may (RFC 6749 §2.3), unless the form is about it.
    let is_named = form.iter().any(|(name, _)| name == "client_id");
    if !is_named && ours.client_auth != UpstreamClientAuth::ClientSecretBasic {
        form.push(("client_id".to_owned(), ours.client_id.to_owned()));
    }
    if let Some(assertion) = assertion(broker, ours.client_auth, ours.client_id, ours.audience).await? {
        form.push(("client_assertion_type".to_owned(), ASSERTION_TYPE.to_owned()));
        form.push(("client_assertion".to_owned(), assertion));
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let Ok(request) = request.body(Bytes::from(body)) else { return Ok(Err(HttpError::Refused("not a URL"))) };
    Ok(Reach::of(broker, tenant).await?.send(request).await)
}

/// Both halves are form-encoded (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}
