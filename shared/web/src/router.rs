//! Every route there is.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use vestibule_core::Broker;

use crate::origin;
use crate::routes::{
    admin, authorize, callback, checkpoint, documents, home, initiate, introspect, invitation, logout, provider_notice,
    pushed, relay, revoke, saml, scim, status, test_login, token, userinfo, verify,
};

/// The router. Every runtime serves this one.
pub fn router(broker: Arc<Broker>) -> Router {
    Router::new()
        .route("/", get(home::home))
        .route("/healthz", get(home::healthz))
        .route("/oauth2/authorize", get(authorize::get).post(authorize::post))
        .route("/oauth2/par", post(pushed::post).options(token::preflight))
        .route("/oauth2/callback", get(callback::get).post(callback::post))
        .route("/oauth2/initiate/{tenant}/{connection}/{client}", get(initiate::get).post(initiate::post))
        .route("/oauth2/invitation", get(invitation::get).post(invitation::post))
        .route("/oauth2/checkpoint", get(checkpoint::get).post(checkpoint::post))
        .route("/oauth2/test-login/{handle}", get(test_login::get))
        .route("/oauth2/token", post(token::post).options(token::preflight))
        .route("/oauth2/userinfo", get(userinfo::answer).post(userinfo::answer).options(token::preflight))
        .route("/oauth2/revoke", post(revoke::post).options(token::preflight))
        .route("/oauth2/introspect", post(introspect::post))
        .route("/oauth2/status/{list}", get(status::get))
        .route("/oauth2/verify", any(verify::answer))
        .route("/oauth2/jwks", get(documents::jwks))
        .route("/oauth2/logout", get(logout::get).post(logout::post))
        .route("/oauth2/signed-out", get(logout::back))
        .route("/oauth2/frontchannel-logout/{tenant}/{connection}", get(provider_notice::frontchannel_logout))
        .route("/oauth2/backchannel-logout/{tenant}/{connection}", post(provider_notice::backchannel_logout))
        .route("/oauth2/global-token-revocation/{tenant}/{connection}", post(provider_notice::revocation))
        .route("/saml/{tenant}/{connection}/acs", post(saml::acs::post))
        .route("/saml/{tenant}/{connection}/metadata", get(saml::metadata::get))
        .route("/saml/{tenant}/{connection}/slo", get(saml::slo::get).post(saml::slo::post))
        .route("/api/svc/v1/oauth2/authorize", get(relay::authorize))
        .route("/api/svc/v1/oauth2/token", post(relay::token))
        .route("/api/svc/v1/oauth2/refresh", post(relay::refresh))
        .route("/api/svc/v1/oauth2/logout", post(relay::logout))
        .route("/.well-known/openid-configuration", get(documents::metadata))
        .route("/.well-known/oauth-authorization-server", get(documents::metadata))
        .nest("/admin/v1", admin::routes(Arc::clone(&broker)))
        .route("/scim/v2", any(scim::answer))
        .route("/scim/v2/", any(scim::answer))
        .route("/scim/v2/{*path}", any(scim::answer))
        .fallback(home::not_found)
        .layer(from_fn_with_state(Arc::clone(&broker), origin::scope))
        .with_state(broker)
}
