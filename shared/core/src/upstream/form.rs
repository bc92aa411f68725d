//! A form that we send to a provider in our own name, with the client authentication of the connection (RFC 6749 §2.3).

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::{Url, form_urlencoded};

use super::assertion::{ASSERTION_TYPE, assertion};
use super::oidc::client_secret;
use super::reach::Reach;
use super::request::Parameters;
use super::{Target, UpstreamCopy};
use crate::Broker;
use crate::error::Error;
use crate::model::connection::UpstreamClientAuth;
use crate::platform::{HttpClient, HttpError};

/// Posts the form; what comes back, or why nothing did. `client_id` is in it already where it has to be.
pub(super) async fn post(
    broker: &Broker,
    target: &Target<'_>,
    copy: &UpstreamCopy,
    endpoint: &Url,
    mut form: Parameters,
) -> Result<Result<Response<Bytes>, HttpError>, Error> {
    let mut request = http::Request::post(endpoint.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let secret = client_secret(broker, target)?;
    match (target.settings.client_auth, &secret) {
        (UpstreamClientAuth::ClientSecretBasic, Some(secret)) => {
            request = request.header(AUTHORIZATION, basic(&target.settings.client_id, secret.secret()));
        }
        (UpstreamClientAuth::ClientSecretPost, Some(secret)) => {
            form.push(("client_secret".to_owned(), secret.secret().clone()));
        }
        _ => {}
    }
    if let Some(assertion) = assertion(broker, target.settings, copy).await? {
        form.push(("client_assertion_type".to_owned(), ASSERTION_TYPE.to_owned()));
        form.push(("client_assertion".to_owned(), assertion));
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let Ok(request) = request.body(Bytes::from(body)) else { return Ok(Err(HttpError::Refused("not a URL"))) };
    Ok(Reach::of(broker, target.tenant).await?.send(request).await)
}

/// Both halves are form-encoded (RFC 6749 §2.3.1).
fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}
