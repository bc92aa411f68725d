//! `GET|POST /oauth2/userinfo` (OpenID Connect Core §5.3). The token comes in the `Authorization` header only.

use axum::extract::State;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{HeaderMap, HeaderValue, StatusCode};
use vestibule_core::userinfo::userinfo;

use super::Shared;
use crate::error::{Surface, no_token, show};
use crate::request;
use crate::response::{self, Reply};

pub(crate) async fn answer(State(broker): Shared, headers: HeaderMap) -> Reply {
    let Some(token) = request::bearer(&headers) else { return no_token() };
    match userinfo(&broker, token).await {
        Ok(info) => {
            let mut reply = response::json(StatusCode::OK, &info);
            reply.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            reply
        }
        Err(error) => show(&broker, Surface::Resource, &error),
    }
}
