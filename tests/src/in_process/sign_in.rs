//! Signing in at a broker in process, leg by leg: authorization, the provider's answer, code, tokens.

use axum::body::Body;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use http::{Request, StatusCode, header};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

use super::{ALICE, CALLBACK, ISSUER, SECRET, TestBroker};
use crate::reply::Reply;

const VERIFIER: &str = "verifier-of-the-application-0123456789-0123456789";

/// What a browser holds after a sign-in.
pub struct SignedIn {
    /// The application's code.
    pub code: String,
    /// The broker's session cookie, as `name=value`.
    pub cookie: String,
}

impl TestBroker {
    /// The first leg: where the browser is sent, and the login's cookie as `name=value`.
    pub async fn start(&self) -> (Url, String) {
        Self::started(&self.start_reply().await)
    }

    /// Where a first leg sent the browser, and the login's cookie as `name=value`.
    pub fn started(reply: &Reply) -> (Url, String) {
        let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
        let cookie = reply.headers.get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        (location, cookie.and_then(|cookie| cookie.split(';').next()).expect("a cookie").to_owned())
    }

    /// The answer to the first leg.
    pub async fn start_reply(&self) -> Reply {
        self.authorize(&[], "").await
    }

    /// The answer to an authorization request with more parameters, in a browser with this cookie.
    pub async fn authorize(&self, more: &[(&str, &str)], cookie: &str) -> Reply {
        self.get(&authorization(more), cookie).await
    }

    /// The second leg.
    pub async fn finish(&self, authorization: &Url, cookie: &str) -> Reply {
        self.finish_as(ALICE, authorization, cookie).await
    }

    /// The second leg of somebody.
    pub async fn finish_as(&self, username: &str, authorization: &Url, cookie: &str) -> Reply {
        let back = self.idp.sign_in(authorization.as_str(), username).await.expect("the provider signs in");
        let back = back.strip_prefix(ISSUER).expect("it leads back").to_owned();
        self.get(&back, cookie).await
    }

    /// Both legs.
    pub async fn sign_in(&self) -> SignedIn {
        let (authorization, login) = self.start().await;
        signed_in(&self.finish(&authorization, &login).await)
    }

    /// Redeems a code.
    pub async fn redeem(&self, code: &str) -> Reply {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK)];
        self.token(&[form.as_slice(), &[("code_verifier", VERIFIER)]].concat()).await
    }

    /// Uses a refresh token.
    pub async fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Signs in and redeems the code.
    pub async fn tokens(&self) -> Value {
        let code = self.sign_in().await.code;
        let reply = self.redeem(&code).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        reply.json()
    }

    /// Asks userinfo.
    pub async fn userinfo(&self, access_token: &str) -> Reply {
        let request = Request::get("/oauth2/userinfo").header(header::AUTHORIZATION, format!("Bearer {access_token}"));
        self.send(request.body(Body::empty()).expect("a request")).await
    }

    /// Introspects a token as the application.
    pub async fn introspect(&self, token: &str) -> Value {
        self.post_as_app("/oauth2/introspect", &[("token", token)]).await.json()
    }

    /// Revokes a token as the application.
    pub async fn revoke(&self, token: &str) {
        let reply = self.post_as_app("/oauth2/revoke", &[("token", token)]).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }

    async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.post_as_app("/oauth2/token", form).await
    }

    async fn post_as_app(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.post(path, &[form, &[("client_id", "app"), ("client_secret", SECRET)]].concat()).await
    }
}

/// An authorization request of the application, with these parameters too.
pub fn authorization(parameters: &[(&str, &str)]) -> String {
    let challenge = BASE64URL.encode(Sha256::digest(VERIFIER));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email profile"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ])
        .extend_pairs(parameters)
        .finish();
    format!("/oauth2/authorize?{query}")
}

/// What the second leg gave to the browser, when it succeeded.
pub fn signed_in(reply: &Reply) -> SignedIn {
    let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    let code = location.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
    let cookies = reply.headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let session =
        cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with("__Host-session="));
    SignedIn {
        code: code.unwrap_or_else(|| panic!("no code in {location}")),
        cookie: session.expect("a session cookie").to_owned(),
    }
}

/// The claims of a token, unverified.
pub fn claims(token: &Value) -> Value {
    let payload = token.as_str().and_then(|token| token.split('.').nth(1)).expect("a token");
    serde_json::from_slice(&BASE64URL.decode(payload).expect("base64url")).expect("claims")
}
