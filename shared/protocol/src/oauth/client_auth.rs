//! How a client proves who it is (RFC 6749 §2.3, RFC 7523 §2.2): one method a request.

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assertion::{ASSERTION_TYPE, ClientAssertion};
use super::{Error, ErrorCode};
use crate::params::{self, Params};

/// A method, as registered for a client and as used in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// Name and secret in the `Authorization` header.
    ClientSecretBasic,
    /// Name and secret in the form.
    ClientSecretPost,
    /// A statement signed with a key of its own, in the form.
    PrivateKeyJwt,
    /// A public client: only a name; PKCE protects the code.
    None,
}

impl ClientAuthMethod {
    /// Every method, for the metadata document.
    pub const NAMES: [&str; 4] = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];
    /// Those that prove something.
    pub const PROVING: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
}

/// What a request offers as proof. Not yet compared with anything.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it says it is.
    pub client_id: String,
    /// Its secret, if it offers one.
    pub secret: Option<String>,
    /// Its signed statement, if it offers one.
    pub assertion: Option<String>,
    /// How they came.
    pub method: ClientAuthMethod,
}

impl ClientCredentials {
    /// Reads the `Authorization` header, if there is one, and the form.
    pub fn parse(authorization: Option<&str>, form: &Params<'_>) -> Result<Self, Error> {
        let (client_id, secret) = (form.get("client_id")?, form.get("client_secret")?);
        let two_ways = Error::invalid_request("the client authenticates in two ways");
        if let Some(assertion) = form.get("client_assertion")? {
            if authorization.is_some() || secret.is_some() {
                return Err(two_ways);
            }
            if form.get("client_assertion_type")? != Some(ASSERTION_TYPE) {
                return Err(Error::invalid_request("client_assertion_type is not the one of JWT bearer assertions"));
            }
            return Self::of_assertion(client_id, assertion);
        }
        let Some(header) = authorization else {
            let client_id = client_id.ok_or(Error::new(ErrorCode::InvalidClient, "the client did not authenticate"))?;
            let method = if secret.is_some() { ClientAuthMethod::ClientSecretPost } else { ClientAuthMethod::None };
            let (client_id, secret) = (client_id.to_owned(), secret.map(str::to_owned));
            return Ok(Self { client_id, secret, assertion: None, method });
        };
        if secret.is_some() {
            return Err(two_ways);
        }
        let basic = parse_basic(header)
            .ok_or(Error::new(ErrorCode::InvalidClient, "the Authorization header is not well-formed Basic"))?;
        if client_id.is_some_and(|client_id| client_id != basic.client_id) {
            return Err(Error::invalid_request("client_id differs from the Authorization header"));
        }
        Ok(basic)
    }

    /// The client is whom the statement is about, who made it themselves; `client_id` may repeat it (RFC 7521 §4.2). A
    /// statement by somebody else knows the client by another name: there `client_id` says which client it is.
    fn of_assertion(client_id: Option<&str>, assertion: &str) -> Result<Self, Error> {
        let refused = |why| Error::new(ErrorCode::InvalidClient, why);
        let parsed = ClientAssertion::parse(assertion).map_err(|_| refused("the client assertion is not readable"))?;
        let client_id = match (parsed.client_id(), client_id) {
            (Some(named), Some(client_id)) if named != client_id => {
                return Err(Error::invalid_request("client_id differs from the client assertion"));
            }
            (Some(client_id), _) | (None, Some(client_id)) => client_id.to_owned(),
            (None, None) => return Err(refused("client_id must say which client another issuer's assertion is about")),
        };
        let method = ClientAuthMethod::PrivateKeyJwt;
        Ok(Self { client_id, secret: None, assertion: Some(assertion.to_owned()), method })
    }
}

/// Basic credentials whose two halves are form-encoded first (RFC 6749 §2.3.1).
fn parse_basic(header: &str) -> Option<ClientCredentials> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, secret) = text.split_once(':')?;
    let decode = |text| params::decode(text).ok().map(std::borrow::Cow::into_owned).filter(|text| !text.is_empty());
    Some(ClientCredentials {
        client_id: decode(client_id)?,
        secret: Some(decode(secret)?),
        assertion: None,
        method: ClientAuthMethod::ClientSecretBasic,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(
        authorization: Option<&str>,
        form: &str,
    ) -> Result<(String, Option<String>, ClientAuthMethod), ErrorCode> {
        ClientCredentials::parse(authorization, &Params::parse(form).unwrap())
            .map(|found| (found.client_id, found.secret, found.method))
            .map_err(|error| error.code)
    }

    #[test]
    fn each_method_is_recognised() {
        let basic = format!("Basic {}", STANDARD.encode("my%2Fapp:s%3Acret+1"));
        assert_eq!(
            outcome(Some(&basic), ""),
            Ok(("my/app".into(), Some("s:cret 1".into()), ClientAuthMethod::ClientSecretBasic))
        );
        assert_eq!(
            outcome(None, "client_id=a&client_secret=b"),
            Ok(("a".into(), Some("b".into()), ClientAuthMethod::ClientSecretPost))
        );
        assert_eq!(outcome(None, "client_id=a"), Ok(("a".into(), None, ClientAuthMethod::None)));
    }

    /// TK-1
    #[test]
    fn one_method_a_request() {
        let basic = format!("Basic {}", STANDARD.encode("a:b"));
        assert_eq!(outcome(Some(&basic), "client_id=a&client_secret=b"), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(Some(&basic), "client_id=c"), Err(ErrorCode::InvalidRequest));
        assert!(outcome(Some(&basic), "client_id=a").is_ok());
    }

    #[test]
    fn broken_credentials_are_invalid_client() {
        for header in [
            "Basic",
            "Basic !!!",
            "Bearer abc",
            &format!("Basic {}", STANDARD.encode("nocolon")),
            &format!("Basic {}", STANDARD.encode("a:%zz")),
        ] {
            assert_eq!(outcome(Some(header), ""), Err(ErrorCode::InvalidClient), "{header}");
        }
        assert_eq!(outcome(None, ""), Err(ErrorCode::InvalidClient));
    }

    /// TK-15
    #[test]
    fn an_assertion_names_its_client() {
        let part = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let claims = r#"{"iss":"a","sub":"a","aud":"i","exp":1,"jti":"j"}"#;
        let assertion = format!("{}.{}.AAAA", part(r#"{"alg":"ES256"}"#), part(claims));
        let typ = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let good = format!("{typ}&client_assertion={assertion}");
        let expected = Ok(("a".to_owned(), None, ClientAuthMethod::PrivateKeyJwt));
        assert_eq!(outcome(None, &good), expected);
        assert_eq!(outcome(None, &format!("{good}&client_id=a")), expected);
        assert_eq!(outcome(None, &format!("{good}&client_id=b")), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(None, &format!("{good}&client_secret=s")), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(Some("Basic YTpi"), &good), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(None, &format!("{good}&client_assertion=x")), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(None, &good.replace("jwt-bearer", "saml2-bearer")), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(None, &format!("client_assertion={assertion}")), Err(ErrorCode::InvalidRequest));
        assert_eq!(outcome(None, &format!("{typ}&client_assertion=x&client_id=a")), Err(ErrorCode::InvalidClient));
    }
    /// TK-15
    #[test]
    fn anothers_assertion_needs_a_client_id() {
        let part = |json: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let claims = r#"{"iss":"https://idp.example","sub":"object","aud":"i","exp":1}"#;
        let typ = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = format!("{typ}&client_assertion={}.{}.AAAA", part(r#"{"alg":"ES256"}"#), part(claims));
        let expected = Ok(("scim-1".to_owned(), None, ClientAuthMethod::PrivateKeyJwt));
        assert_eq!(outcome(None, &format!("{form}&client_id=scim-1")), expected);
        assert_eq!(outcome(None, &form), Err(ErrorCode::InvalidClient));
    }
}
