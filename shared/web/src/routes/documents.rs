//! The metadata documents and our keys: public, the same for everybody, constant between two key rotations.

use axum::extract::State;
use vestibule_core::metadata;

use super::Shared;
use crate::error::{Surface, show};
use crate::response::{self, Reply};

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
pub(crate) async fn metadata(State(broker): Shared) -> Reply {
    response::document(broker.metadata.clone())
}

/// `GET /oauth2/jwks`.
pub(crate) async fn jwks(State(broker): Shared) -> Reply {
    match metadata::jwks(&broker).await {
        Ok(jwks) => response::document(jwks),
        Err(error) => show(&broker, Surface::Token, &error),
    }
}
