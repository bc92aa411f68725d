//! `GET /`, `GET /healthz`, and what is not there.

use http::StatusCode;

use crate::page;
use crate::response::{self, Reply};

pub(crate) async fn home() -> Reply {
    response::page(StatusCode::OK, page::home())
}

/// Whether this process answers. Touches nothing.
pub(crate) async fn healthz() -> &'static str {
    "ok"
}

pub(crate) async fn not_found() -> Reply {
    response::page(StatusCode::NOT_FOUND, page::not_found())
}
