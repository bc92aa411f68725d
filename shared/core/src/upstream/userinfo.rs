//! The provider's userinfo (OpenID Connect Core §5.3): plain JSON, or a signed token, which is verified like any other.

use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use openidconnect::AccessToken;
use serde_json::Value;
use url::Url;
use vestibule_protocol::jose::Compact;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::Timestamp;

use super::reach::Reach;
use super::signature::verify_signature;
use super::{Target, UpstreamCopy};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::connection::OidcSettings;
use crate::platform::{HttpClient, HttpError};

/// Where to ask, with what, about whom.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Url,
    pub(super) access_token: &'a AccessToken,
    pub(super) subject: &'a str,
}

/// What userinfo says of the ID token's subject.
pub(super) async fn ask(
    broker: &Broker,
    target: &Target<'_>,
    copy: Arc<UpstreamCopy>,
    asked: &Asked<'_>,
) -> Result<Claims, Error> {
    let sent = send(broker, target, asked).await?;
    let reply = sent.map_err(|error| LoginError::UpstreamUnavailable(error.to_string()))?;
    if reply.status() != http::StatusCode::OK {
        return Err(unavailable(&format!("answered {}", reply.status().as_u16())));
    }
    read(broker, target, copy, asked, &reply).await
}

fn unavailable(reason: &str) -> Error {
    LoginError::UpstreamUnavailable(format!("userinfo {reason}")).into()
}

/// Asks; what comes back, or why nothing did.
pub(super) async fn send(
    broker: &Broker,
    target: &Target<'_>,
    asked: &Asked<'_>,
) -> Result<Result<Response<Bytes>, HttpError>, Error> {
    let request = http::Request::get(asked.endpoint.as_str())
        .header(ACCEPT, "application/json, application/jwt")
        .header(AUTHORIZATION, format!("Bearer {}", asked.access_token.secret()))
        .body(Bytes::new())
        .map_err(|_| unavailable("cannot be asked"))?;
    Ok(Reach::of(broker, target.tenant).await?.send(request).await)
}

/// The claims in a reply of status 200. Of anybody but the subject, they count for nothing (Core §5.3.2).
pub(super) async fn read(
    broker: &Broker,
    target: &Target<'_>,
    copy: Arc<UpstreamCopy>,
    asked: &Asked<'_>,
    reply: &Response<Bytes>,
) -> Result<Claims, Error> {
    let media_type = reply.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let claims = if media_type.eq_ignore_ascii_case("application/jwt") {
        signed(broker, target, copy, reply.body()).await?
    } else {
        Claims::parse(reply.body()).ok_or_else(|| unavailable("did not answer with JSON"))?
    };
    if claims.get("sub").and_then(Value::as_str) != Some(asked.subject) {
        return Err(LoginError::UpstreamInvalid("userinfo is of another subject").into());
    }
    Ok(claims)
}

/// Claims that the provider signed, for us, still valid: what a token names of these must be right.
async fn signed(broker: &Broker, target: &Target<'_>, copy: Arc<UpstreamCopy>, body: &Bytes) -> Result<Claims, Error> {
    let invalid = |rule: &'static str| Error::from(LoginError::UpstreamInvalid(rule));
    let text = std::str::from_utf8(body).map_err(|_| invalid("userinfo is not readable"))?.trim();
    let parsed = Compact::parse(text).map_err(|_| invalid("userinfo header"))?;
    if !verify_signature(broker, target, copy, &parsed).await? {
        return Err(invalid("userinfo signature"));
    }
    let claims = Claims::parse(&parsed.payload).ok_or_else(|| invalid("userinfo is not readable"))?;
    check(target.settings, &claims, broker.platform.clock.now()).map_err(invalid)?;
    Ok(claims)
}

fn check(settings: &OidcSettings, claims: &Claims, now: Timestamp) -> Result<(), &'static str> {
    // Core §5.3.2 wants `iss` and `aud`; a signature without them could be over somebody else's token.
    if !claims.text("iss").is_some_and(|issuer| settings.issuers().includes(issuer)) {
        return Err("userinfo iss");
    }
    let ours = |audience: &Value| audience.as_str().is_some_and(|one| one == settings.client_id);
    let for_us = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(ours),
        Some(one) => ours(one),
        None => false,
    };
    if !for_us {
        return Err("userinfo aud");
    }
    let ends = claims.get("exp").map(|exp| exp.as_i64().map(Timestamp::from_seconds));
    if ends.is_some_and(|ends| ends.is_none_or(|ends| (ends + settings.skew).has_passed(now))) {
        return Err("userinfo exp");
    }
    Ok(())
}
