//! The logout token (OpenID Connect Back-Channel Logout 1.0 §2.4): to an application, that a session is over.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::json;
use url::form_urlencoded;
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::oidc::notice::LOGOUT_EVENT;
use vestibule_protocol::time::Seconds;

use super::Outcome;
use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::signing;

/// How long a token counts; the specification recommends two minutes at most.
const LIFE: Seconds = Seconds(120);

/// The request of one try, with a token of its own: whoever took an earlier one and could not say so takes this one too.
/// Nobody wants it where the application is gone or has no address.
pub(super) async fn request(
    broker: &Broker,
    client: &str,
    user: &str,
    session: &str,
) -> Result<Result<http::Request<Bytes>, Outcome>, Error> {
    let registered = broker.client(client).await?;
    let Some(uri) = registered.as_ref().and_then(|registered| registered.backchannel_logout_uri.as_deref()) else {
        return Ok(Err(Outcome::Unwanted));
    };
    let now = broker.platform.clock.now();
    let claims = json!({
        "iss": broker.config.issuer,
        "sub": user,
        "aud": client,
        "iat": now,
        "exp": now + LIFE,
        "jti": new_id(&*broker.platform.random),
        "sid": session,
        "events": { LOGOUT_EVENT: {} },
    });
    let token = signing::keys(broker).await?.sign(broker, TokenType::LogoutToken, &claims).await?;
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
    let request = http::Request::post(uri)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))
        .map_err(|_| Error::bug("a registered address is not one"))?;
    Ok(Ok(request))
}
