//! `POST /oauth2/backchannel-logout/{tenant}/{connection}`, `POST /oauth2/global-token-revocation/…` and
//! `GET /oauth2/frontchannel-logout/…`: what identity providers tell us of their own accord.

use axum::body::Body;
use axum::extract::{Path, State};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use vestibule_core::provider_notice::{self, Revoked};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::response::{self, Reply};
use crate::{cookie, page, request};

/// A logout token (OpenID Connect Back-Channel Logout 1.0 §2.5): 200, or 400 and why, never to be kept (§2.8).
pub(crate) async fn backchannel_logout(
    State(broker): Shared,
    Path((tenant, connection)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    let form = match request::form(request).await {
        Ok(form) => form,
        Err(error) => return show_body_error(&broker, Surface::Token, error),
    };
    let end = async {
        let params = Params::parse(&form).map_err(oauth::Error::from)?;
        let token = params.get("logout_token").map_err(oauth::Error::from)?;
        let token = token.ok_or(oauth::Error::invalid_request("logout_token is missing"))?;
        provider_notice::logout_token(&broker, &tenant, &connection, token).await
    };
    match end.await {
        Ok(()) => done(StatusCode::OK),
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

/// A revocation: 204, or 404 for somebody who is not known, where the connection says so.
pub(crate) async fn revocation(
    State(broker): Shared,
    Path((tenant, connection)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    let bearer = request::bearer(request.headers()).map(str::to_owned);
    let body = match request::body(request).await {
        Ok(body) => body,
        Err(error) => return show_body_error(&broker, Surface::Token, error),
    };
    match provider_notice::revoke(&broker, (&tenant, &connection), bearer.as_deref(), &body).await {
        Ok(Revoked::Done) => done(StatusCode::NO_CONTENT),
        Ok(Revoked::Unknown) => done(StatusCode::NOT_FOUND),
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

/// A frame in the provider's sign-out page (OpenID Connect Front-Channel Logout 1.0 §3). Its answer is the same whether
/// there was a session or not. The cookie counts in a frame only: a link on another site brings it along, too, and must
/// sign nobody out.
pub(crate) async fn frontchannel_logout(
    State(broker): Shared,
    Path((tenant, connection)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Reply {
    let framed = headers.get("sec-fetch-dest").is_some_and(|dest| dest == "iframe" || dest == "frame");
    let cookie = cookie::session(&headers).filter(|_| framed);
    let end = async {
        let params = Params::parse(uri.query().unwrap_or_default()).map_err(oauth::Error::from)?;
        provider_notice::signed_out_there(&broker, (&tenant, &connection), &params, cookie).await
    };
    match end.await {
        Ok(framed) => {
            let mut reply = response::framed(page::framed(&framed.provider));
            if framed.forget_cookie {
                response::set_cookies(reply.headers_mut(), cookie::drop_session());
            }
            reply
        }
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

fn done(status: StatusCode) -> Reply {
    response::reply(status, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Body::empty())
}
