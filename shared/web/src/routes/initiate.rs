//! `GET|POST /oauth2/initiate/{tenant}/{connection}/{client}`: an identity provider begins a login (OpenID Connect Core
//! §4). No cookie is read or set: the application begins it anew.

use axum::body::Body;
use axum::extract::{Path, State};
use http::Request;
use vestibule_core::login::initiate::{Parties, initiate};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

/// Tenant, connection and application.
type Named = Path<(String, String, String)>;

pub(crate) async fn get(State(broker): Shared, Path(named): Named, request: Request<Body>) -> Reply {
    answer(&broker, &named, request.uri().query().unwrap_or_default()).await
}

pub(crate) async fn post(State(broker): Shared, Path(named): Named, request: Request<Body>) -> Reply {
    match request::form(request).await {
        Ok(form) => answer(&broker, &named, &form).await,
        Err(error) => show_body_error(&broker, Surface::Page, error),
    }
}

async fn answer(broker: &Broker, named: &(String, String, String), parameters: &str) -> Reply {
    match begin(broker, named, parameters).await {
        Ok(reply) => reply,
        Err(error) => show(broker, Surface::Page, &error),
    }
}

async fn begin(broker: &Broker, named: &(String, String, String), parameters: &str) -> Result<Reply, Error> {
    let (tenant, connection, client) = named;
    let params = Params::parse(parameters).map_err(oauth::Error::from)?;
    let location = initiate(broker, &Parties { tenant, connection, client }, &params).await?;
    Ok(response::redirect(location.as_str()))
}
