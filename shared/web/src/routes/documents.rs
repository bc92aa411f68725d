//! The metadata documents and our keys: public, the same for everybody, constant between two changes of the keys.

use axum::extract::State;
use bytes::Bytes;
use vestibule_core::{Broker, Error, metadata};

use super::Shared;
use crate::error::{Surface, show};
use crate::response::{self, Reply};

/// `GET /.well-known/openid-configuration` and `GET /.well-known/oauth-authorization-server`.
pub(crate) async fn metadata(State(broker): Shared) -> Reply {
    show_document(&broker, metadata::document(&broker).await)
}

/// `GET /oauth2/jwks`.
pub(crate) async fn jwks(State(broker): Shared) -> Reply {
    show_document(&broker, metadata::jwks(&broker).await)
}

fn show_document(broker: &Broker, document: Result<Bytes, Error>) -> Reply {
    match document {
        Ok(document) => response::document(document),
        Err(error) => show(broker, Surface::Token, &error),
    }
}
