//! `GET /saml/{tenant}/{connection}/metadata`: what a connection's provider has to know of us.

use axum::body::Body;
use axum::extract::{Path, State};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use vestibule_core::saml::metadata;

use super::Named;
use crate::error::{Surface, show};
use crate::page;
use crate::response::{self, Reply};
use crate::routes::Shared;

pub(crate) async fn get(State(broker): Shared, Path((tenant, connection)): Named) -> Reply {
    match metadata::document(&broker, &tenant, &connection).await {
        Ok(Some(document)) => response::reply(
            StatusCode::OK,
            [
                (CONTENT_TYPE, HeaderValue::from_static("application/samlmetadata+xml")),
                (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
                (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            ],
            Body::from(document),
        ),
        Ok(None) => response::page(StatusCode::NOT_FOUND, page::not_found()),
        Err(error) => show(&broker, Surface::Page, &error),
    }
}
