//! `/admin/v1/…`: JSON in and out, behind the administrator's token.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{delete, get, post};
use http::{Request, StatusCode};
use serde::Serialize;
use vestibule_core::admin::{
    self, Put, audit, clients, connections, domains, hosts, presets, signing_keys, tenants, users,
};
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::Shared;
use crate::error::{Surface, show, show_body_error};
use crate::request;
use crate::response::{self, Reply};

/// The routes below `/admin/v1`.
pub(crate) fn routes(broker: Arc<Broker>) -> Router<Arc<Broker>> {
    Router::new()
        .route("/tenants/{tenant}", get(get_tenant).put(put_tenant).delete(delete_tenant))
        .route(
            "/tenants/{tenant}/connections/{connection}",
            get(get_connection).put(put_connection).delete(delete_connection),
        )
        .route("/tenants/{tenant}/connections/{connection}/check", post(check_connection))
        .route("/tenants/{tenant}/domains/{domain}", get(get_domain).put(put_domain).delete(delete_domain))
        .route("/tenants/{tenant}/domains/{domain}/verify", post(verify_domain))
        .route("/tenants/{tenant}/hosts/{host}", get(get_host).put(put_host).delete(delete_host))
        .route("/tenants/{tenant}/users/{user}", get(get_user).put(put_user))
        .route("/tenants/{tenant}/audit", get(list_audit))
        .route("/presets", get(list_presets))
        .route("/clients/{client}", get(get_client).put(put_client).delete(delete_client))
        .route("/signing-keys", get(get_signing_keys).put(put_signing_keys))
        .route("/signing-keys/rotate", post(rotate_signing_keys))
        .route("/signing-keys/{kid}", delete(delete_signing_key))
        .layer(from_fn_with_state(broker, require_token))
}

async fn require_token(State(broker): Shared, request: Request<Body>, next: Next) -> Reply {
    match admin::check_token(&broker, request::bearer(request.headers())) {
        Ok(()) => next.run(request).await,
        Err(error) => show(&broker, Surface::Admin, &error.into()),
    }
}

async fn get_tenant(State(broker): Shared, Path(id): Path<String>) -> Reply {
    answer(&broker, StatusCode::OK, tenants::get(&broker, &id).await)
}

async fn put_tenant(State(broker): Shared, Path(id): Path<String>, request: Request<Body>) -> Reply {
    put(&broker, request, async |body| tenants::put(&broker, &id, admin::parse(body)?).await).await
}

async fn delete_tenant(State(broker): Shared, Path(id): Path<String>) -> Reply {
    gone(&broker, tenants::delete(&broker, &id).await)
}

async fn get_client(State(broker): Shared, Path(id): Path<String>) -> Reply {
    answer(&broker, StatusCode::OK, clients::get(&broker, &id).await)
}

async fn put_client(State(broker): Shared, Path(id): Path<String>, request: Request<Body>) -> Reply {
    put(&broker, request, async |body| clients::put(&broker, &id, admin::parse(body)?).await).await
}

async fn delete_client(State(broker): Shared, Path(id): Path<String>) -> Reply {
    gone(&broker, clients::delete(&broker, &id).await)
}

async fn get_connection(State(broker): Shared, Path((tenant, id)): Path<(String, String)>) -> Reply {
    answer(&broker, StatusCode::OK, connections::get(&broker, &tenant, &id).await)
}

async fn put_connection(
    State(broker): Shared,
    Path((tenant, id)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    put(&broker, request, async |body| connections::put(&broker, &tenant, &id, admin::parse(body)?).await).await
}

async fn delete_connection(State(broker): Shared, Path((tenant, id)): Path<(String, String)>) -> Reply {
    gone(&broker, connections::delete(&broker, &tenant, &id).await)
}

async fn check_connection(State(broker): Shared, Path((tenant, id)): Path<(String, String)>) -> Reply {
    answer(&broker, StatusCode::OK, connections::check(&broker, &tenant, &id).await)
}

async fn get_domain(State(broker): Shared, Path((tenant, domain)): Path<(String, String)>) -> Reply {
    answer(&broker, StatusCode::OK, domains::get(&broker, &tenant, &domain).await)
}

async fn put_domain(
    State(broker): Shared,
    Path((tenant, domain)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    put(&broker, request, async |body| domains::put(&broker, &tenant, &domain, admin::parse(body)?).await).await
}

async fn delete_domain(State(broker): Shared, Path((tenant, domain)): Path<(String, String)>) -> Reply {
    gone(&broker, domains::delete(&broker, &tenant, &domain).await)
}

async fn verify_domain(
    State(broker): Shared,
    Path((tenant, domain)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    put(&broker, request, async |body| {
        Ok((Put::Replaced, domains::verify(&broker, &tenant, &domain, admin::parse(body)?).await?))
    })
    .await
}

async fn get_host(State(broker): Shared, Path((tenant, host)): Path<(String, String)>) -> Reply {
    answer(&broker, StatusCode::OK, hosts::get(&broker, &tenant, &host).await)
}

async fn put_host(
    State(broker): Shared,
    Path((tenant, host)): Path<(String, String)>,
    request: Request<Body>,
) -> Reply {
    put(&broker, request, async |body| hosts::put(&broker, &tenant, &host, admin::parse(body)?).await).await
}

async fn delete_host(State(broker): Shared, Path((tenant, host)): Path<(String, String)>) -> Reply {
    gone(&broker, hosts::delete(&broker, &tenant, &host).await)
}

async fn get_user(State(broker): Shared, Path((tenant, id)): Path<(String, String)>) -> Reply {
    answer(&broker, StatusCode::OK, users::get(&broker, &tenant, &id).await)
}

async fn put_user(State(broker): Shared, Path((tenant, id)): Path<(String, String)>, request: Request<Body>) -> Reply {
    put(&broker, request, async |body| {
        let user = users::put(&broker, &tenant, &id, &admin::parse(body)?).await?;
        Ok((Put::Replaced, user))
    })
    .await
}

async fn get_signing_keys(State(broker): Shared) -> Reply {
    answer(&broker, StatusCode::OK, signing_keys::get(&broker).await)
}

async fn put_signing_keys(State(broker): Shared, request: Request<Body>) -> Reply {
    put(&broker, request, async |body| signing_keys::put(&broker, &admin::parse(body)?).await).await
}

async fn rotate_signing_keys(State(broker): Shared) -> Reply {
    answer(&broker, StatusCode::OK, signing_keys::rotate(&broker).await)
}

async fn delete_signing_key(State(broker): Shared, Path(kid): Path<String>) -> Reply {
    answer(&broker, StatusCode::OK, signing_keys::delete(&broker, &kid).await)
}

async fn list_presets(State(broker): Shared) -> Reply {
    answer(&broker, StatusCode::OK, presets::list(&broker))
}

async fn list_audit(State(broker): Shared, Path(tenant): Path<String>, request: Request<Body>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let list = async {
        let params = Params::parse(query).map_err(oauth::Error::from)?;
        let get = |name| params.get(name).map_err(oauth::Error::from);
        audit::list(&broker, &tenant, get("day")?, get("after")?).await
    };
    answer(&broker, StatusCode::OK, list.await)
}

/// Reads the body, applies it, and shows the object as it is now.
async fn put<T: Serialize>(
    broker: &Broker,
    request: Request<Body>,
    apply: impl AsyncFnOnce(&[u8]) -> Result<(Put, T), Error>,
) -> Reply {
    let body = match request::body(request).await {
        Ok(body) => body,
        Err(error) => return show_body_error(broker, Surface::Admin, error),
    };
    match apply(&body).await {
        Ok((Put::Created, object)) => response::json(StatusCode::CREATED, &object),
        Ok((Put::Replaced, object)) => response::json(StatusCode::OK, &object),
        Err(error) => show(broker, Surface::Admin, &error),
    }
}

fn answer<T: Serialize>(broker: &Broker, status: StatusCode, outcome: Result<T, Error>) -> Reply {
    match outcome {
        Ok(object) => response::json(status, &object),
        Err(error) => show(broker, Surface::Admin, &error),
    }
}

fn gone(broker: &Broker, outcome: Result<(), Error>) -> Reply {
    match outcome {
        Ok(()) => response::reply(StatusCode::NO_CONTENT, [], Body::empty()),
        Err(error) => show(broker, Surface::Admin, &error),
    }
}
