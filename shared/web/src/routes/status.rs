//! `GET /oauth2/status/{list}`: which access tokens are revoked (draft-ietf-oauth-status-list-21 §8). Public, and the same
//! for everybody who asks.

use axum::body::Body;
use axum::extract::{Path, State};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use vestibule_core::status_list::{StatusList, document};

use super::Shared;
use super::home::not_found;
use crate::error::{Surface, show};
use crate::request;
use crate::response::{self, Reply};

pub(crate) async fn get(State(broker): Shared, Path(list): Path<String>, headers: HeaderMap) -> Reply {
    match document(&broker, &list).await {
        Ok(Some(list)) => show_list(&list, list.fresh_for(broker.platform.clock.now()), &headers),
        Ok(None) => not_found().await,
        Err(error) => show(&broker, Surface::Token, &error),
    }
}

fn show_list(list: &StatusList, fresh_for: i64, headers: &HeaderMap) -> Reply {
    let known = matches!(request::tags(headers, &IF_NONE_MATCH), Ok(Some(tags)) if tags.name(&list.tag, true));
    let (status, body) = if known {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(list.token.clone()))
    };
    let mut reply = response::reply(
        status,
        [
            (CONTENT_TYPE, HeaderValue::from_static("application/statuslist+jwt")),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ],
        body,
    );
    // What was signed some seconds ago is not to be kept for a whole minute more.
    for (name, value) in [(CACHE_CONTROL, format!("public, max-age={fresh_for}")), (ETAG, list.tag.clone())] {
        reply.headers_mut().extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
    }
    reply
}
