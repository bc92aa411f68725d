//! The tower layer and the axum extractor, in front of a handler.
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Extension;
use axum::routing::get;
use http::{Request, StatusCode, header};
use serde_json::json;
use tower_service::Service;
use vestibule_verify::{Claims, Verifier, VerifyLayer};

use super::issuer::{Issuer, JWKS, LIST};

fn extracting(verifier: Verifier) -> Router {
    Router::new().route("/", get(|claims: Claims| async move { claims.sub })).with_state(verifier)
}

fn layered(verifier: Verifier) -> Router {
    let handler = |Extension(claims): Extension<Claims>| async move { claims.sub };
    Router::new().route("/", get(handler)).layer(VerifyLayer::new(verifier))
}

/// Status, challenge and body of the answer to a request with this token.
async fn ask(router: &Router, token: Option<&str>) -> (StatusCode, Option<String>, String) {
    let mut request = Request::get("/");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer = router.clone().call(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let challenge =
        answer.headers().get(header::WWW_AUTHENTICATE).map(|value| value.to_str().expect("text").to_owned());
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    (status, challenge, String::from_utf8(body.into()).expect("text"))
}

#[tokio::test]
async fn both_let_good_tokens_through_and_nothing_else() {
    for front in [extracting, layered] {
        let issuer = Issuer::new();
        let router = front(issuer.verifier());
        let good = issuer.token();
        assert_eq!(ask(&router, Some(&good)).await, (StatusCode::OK, None, "alice".to_owned()));
        let (status, challenge, body) = ask(&router, None).await;
        assert_eq!((status, challenge.as_deref(), body.as_str()), (StatusCode::UNAUTHORIZED, Some("Bearer"), ""));
        let id_token = issuer.key.sign("JWT", &issuer.claims());
        let other = issuer.token_with(&json!({ "aud": "other" }));
        for wrong in ["", "x", &id_token, &other] {
            let (status, challenge, body) = ask(&router, Some(wrong)).await;
            assert_eq!((status, body.as_str()), (StatusCode::UNAUTHORIZED, ""), "{wrong}");
            assert_eq!(challenge.as_deref(), Some("Bearer error=\"invalid_token\""), "{wrong}");
        }
        issuer.advance(60);
        issuer.list(LIST, &[9]);
        assert_eq!(ask(&router, Some(&good)).await.0, StatusCode::UNAUTHORIZED, "revoked");
    }
}

#[tokio::test]
async fn an_outage_is_not_the_tokens_fault() {
    for front in [extracting, layered] {
        for missing in [JWKS, LIST] {
            let issuer = Issuer::new();
            issuer.serve(missing, None);
            let answer = ask(&front(issuer.verifier()), Some(&issuer.token())).await;
            assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, None, String::new()), "{missing}");
        }
    }
}
