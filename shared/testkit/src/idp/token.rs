//! `/token` and `/userinfo`: the back channel. Client authentication, redirect URI and PKCE are checked for real, and
//! a code works once.

use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::family::ACCESS_SECONDS;
use super::route::json_response;
use super::signer::access_token_hash;
use super::{Canned, ClientAuth, Document, FakeOidcIdp, Grant, Lie};

/// How long a code lives, in seconds.
const CODE_SECONDS: i64 = 60;
/// How long ID tokens live, in seconds.
const TOKEN_SECONDS: i64 = 300;
const HOUR: i64 = 3_600;

pub(super) type Form = Vec<(String, String)>;

impl FakeOidcIdp {
    pub(super) async fn token(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if self.lies(Lie::TokenEndpointFails) {
            return json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }));
        }
        let form: Form = form_urlencoded::parse(request.body()).into_owned().collect();
        let client = self.client_of(request, &form).await;
        if client.is_ok() && field(&form, "grant_type") == Some("client_credentials") {
            return self.program_token();
        }
        let granted = client.and_then(|client| self.redeem(&client, &form));
        let grant = match granted {
            Ok(grant) => grant,
            Err("invalid_client") => {
                return json_response(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
            }
            Err(code) => return json_response(StatusCode::BAD_REQUEST, &json!({ "error": code })),
        };
        let renewed = field(&form, "grant_type") == Some("refresh_token");
        match self.issue(grant, renewed).await {
            Some(tokens) => json_response(StatusCode::OK, &tokens),
            None => json_response(StatusCode::BAD_REQUEST, &json!({ "error": "invalid_grant" })),
        }
    }

    /// The client that the request proves to come from (RFC 6749 §2.3: one method per request).
    pub(super) async fn client_of(&self, request: &Request<Bytes>, form: &Form) -> Result<String, &'static str> {
        match field(form, "client_assertion") {
            Some(assertion) => self.authenticate_by_assertion(request, form, assertion).await,
            None => self.authenticate(request, form),
        }
    }

    fn authenticate(&self, request: &Request<Bytes>, form: &Form) -> Result<String, &'static str> {
        let basic = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (method, id, secret) = match (basic, field(form, "client_secret")) {
            (Some(_), Some(_)) => return Err("invalid_request"),
            (Some(basic), None) => {
                let (id, secret) = basic_credentials(basic).ok_or("invalid_client")?;
                (ClientAuth::Basic, id, secret)
            }
            (None, Some(secret)) => {
                (ClientAuth::Post, field(form, "client_id").ok_or("invalid_client")?.to_owned(), secret.to_owned())
            }
            (None, None) => {
                (ClientAuth::None, field(form, "client_id").ok_or("invalid_client")?.to_owned(), String::new())
            }
        };
        let client = self.state().clients.get(&id).cloned().ok_or("invalid_client")?;
        let public = method == ClientAuth::None;
        let proved = client.client_auth == method && (public || client.client_secret == secret);
        if proved { Ok(id) } else { Err("invalid_client") }
    }

    async fn authenticate_by_assertion(
        &self,
        request: &Request<Bytes>,
        form: &Form,
        assertion: &str,
    ) -> Result<String, &'static str> {
        if request.headers().contains_key(header::AUTHORIZATION) || field(form, "client_secret").is_some() {
            return Err("invalid_request");
        }
        let id = self.check_assertion(field(form, "client_assertion_type").unwrap_or_default(), assertion).await?;
        let client = self.state().clients.get(&id).cloned().ok_or("invalid_client")?;
        let named = field(form, "client_id").is_none_or(|named| named == id);
        if named && client.client_auth == ClientAuth::PrivateKeyJwt { Ok(id) } else { Err("invalid_client") }
    }

    /// Uses the code or refresh token up, whatever comes of it.
    fn redeem(&self, client: &str, form: &Form) -> Result<Grant, &'static str> {
        match field(form, "grant_type") {
            Some("authorization_code") => {
                let code = field(form, "code").ok_or("invalid_request")?;
                let grant = self.state().codes.remove(code).ok_or("invalid_grant")?;
                let fresh = self.clock.now().seconds() - grant.issued_at.seconds() < CODE_SECONDS;
                let same_place = field(form, "redirect_uri") == Some(&grant.redirect_uri);
                let proof = field(form, "code_verifier").map(|verifier| BASE64URL.encode(Sha256::digest(verifier)));
                if grant.client_id == client && fresh && same_place && proof == grant.challenge {
                    Ok(grant)
                } else {
                    Err("invalid_grant")
                }
            }
            Some("refresh_token") => {
                let token = field(form, "refresh_token").ok_or("invalid_request")?;
                self.spend(token, client)
            }
            Some(_) => Err("unsupported_grant_type"),
            None => Err("invalid_request"),
        }
    }

    /// New tokens, or `None` when the account is gone or the key does not sign.
    async fn issue(&self, grant: Grant, renewed: bool) -> Option<Value> {
        let account = self.account(&grant.username)?;
        let access_token = self.secret();
        let mut claims = self.profile(account.claims);
        claims.extend(self.id_token_claims(&grant, &account.subject, &access_token));
        let claims = self.as_said(Document::IdToken, claims);
        let id_token = self.sign_id_token(&Value::Object(claims)).await.ok()?;
        let mut tokens = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": grant.scope,
            "id_token": id_token,
        });
        let stays = renewed && self.lies(Lie::NoRotation);
        if renewed && self.lies(Lie::NoIdTokenOnRefresh) {
            tokens.as_object_mut()?.remove("id_token");
        }
        let offline = !stays && grant.scope.split(' ').any(|scope| scope == "offline_access");
        let refresh_token = self.secret();
        let issued_at = self.clock.now();
        let mut state = self.state();
        if offline && let Some(members) = tokens.as_object_mut() {
            members.insert("refresh_token".to_owned(), json!(refresh_token));
            state.refresh_tokens.insert(refresh_token, grant.clone());
        }
        state.access_tokens.insert(access_token, Grant { issued_at, ..grant });
        Some(tokens)
    }

    fn id_token_claims(&self, grant: &Grant, subject: &str, access_token: &str) -> Map<String, Value> {
        let mut issued = self.clock.now().seconds();
        if self.lies(Lie::Expired) {
            issued -= HOUR;
        }
        if self.lies(Lie::IssuedInTheFuture) {
            issued += HOUR;
        }
        let lie_or = |lie, told: &str, truth: &str| if self.lies(lie) { told.to_owned() } else { truth.to_owned() };
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(lie_or(Lie::WrongIssuer, "https://other.example", &self.issuer)));
        put("aud", json!(lie_or(Lie::WrongAudience, "somebody-else", &grant.client_id)));
        put("sub", json!(lie_or(Lie::EmptySubject, "", subject)));
        put("iat", json!(issued));
        put("exp", json!(issued + TOKEN_SECONDS));
        if !self.lies(Lie::NoAuthTime) {
            put("auth_time", json!(grant.auth_time.seconds()));
        }
        let hashed = lie_or(Lie::WrongAccessTokenHash, "another token", access_token);
        put("at_hash", json!(access_token_hash(&hashed)));
        if let Some(nonce) = grant.nonce.as_ref().filter(|_| !self.lies(Lie::NoNonce)) {
            put("nonce", json!(lie_or(Lie::WrongNonce, "not-the-nonce-that-was-sent", nonce)));
        }
        claims
    }

    pub(super) async fn userinfo(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let token = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let grant = self.of_access_token(token);
        let found = grant.and_then(|grant| Some((self.account(&grant.username)?, grant.client_id)));
        let Some((account, client_id)) = found else {
            return json_response(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_token" }));
        };
        let subject = if self.lies(Lie::UserinfoOtherSubject) { "somebody-else" } else { &account.subject };
        let mut claims = self.profile(account.claims.clone());
        claims.insert("sub".to_owned(), json!(subject));
        if !self.lies(Lie::SignedUserinfo) {
            return json_response(StatusCode::OK, &Value::Object(self.as_said(Document::Userinfo, claims)));
        }
        // OpenID Connect Core §5.3.2.
        claims.insert("iss".to_owned(), json!(self.issuer));
        claims.insert("aud".to_owned(), json!(client_id));
        let signed = self.sign_id_token(&Value::Object(self.as_said(Document::Userinfo, claims))).await;
        let signed = match signed {
            // The signature of something else.
            Ok(token) if self.lies(Lie::UserinfoForged) => self.sign_id_token(&json!({})).await.map(|other| {
                let (claims, signature) = (token.rsplit_once('.'), other.rsplit_once('.'));
                format!("{}.{}", claims.unwrap_or_default().0, signature.unwrap_or_default().1)
            }),
            signed => signed,
        };
        match signed {
            Ok(token) => Canned::new("application/jwt", token).response(),
            Err(_) => json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" })),
        }
    }

    /// What the provider says about the person, in ID token and userinfo alike.
    fn profile(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        if self.lies(Lie::MissingEmail) {
            claims.remove("email");
            claims.remove("email_verified");
        }
        if self.lies(Lie::UnverifiedEmail) {
            claims.insert("email_verified".to_owned(), json!(false));
        }
        claims
    }
}

pub(super) fn field<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Both halves are form-encoded inside the Basic scheme (RFC 6749 §2.3.1).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(BASE64.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| form_urlencoded::parse(format!("v={text}").as_bytes()).next().map(|(_, v)| v.into_owned());
    Some((plain(id)?, plain(secret)?))
}
