//! How a client proves who it is (RFC 6749 §2.3.1): one method a request.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{Error, ErrorCode};
use crate::params::{self, Params};

/// A method, as registered for a client and as used in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// Name and secret in the `Authorization` header.
    ClientSecretBasic,
    /// Name and secret in the form.
    ClientSecretPost,
    /// A public client: only a name; PKCE protects the code.
    None,
}

impl ClientAuthMethod {
    /// Every method, for the metadata document.
    pub const NAMES: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];
}

/// What a request offers as proof. Not yet compared with anything.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// Who it says it is.
    pub client_id: String,
    /// Its secret, unless the client is public.
    pub secret: Option<String>,
    /// How both came.
    pub method: ClientAuthMethod,
}

impl ClientCredentials {
    /// Reads the `Authorization` header, if there is one, and the form.
    pub fn parse(authorization: Option<&str>, form: &Params<'_>) -> Result<Self, Error> {
        let (client_id, secret) = (form.get("client_id")?, form.get("client_secret")?);
        if form.get("client_assertion")?.is_some() {
            return Err(Error::new(ErrorCode::InvalidClient, "this client authentication method is not supported"));
        }
        let Some(header) = authorization else {
            let client_id = client_id.ok_or(Error::new(ErrorCode::InvalidClient, "the client did not authenticate"))?;
            let method = if secret.is_some() { ClientAuthMethod::ClientSecretPost } else { ClientAuthMethod::None };
            return Ok(Self { client_id: client_id.to_owned(), secret: secret.map(str::to_owned), method });
        };
        if secret.is_some() {
            return Err(Error::invalid_request("the client authenticates in two ways"));
        }
        let basic = parse_basic(header)
            .ok_or(Error::new(ErrorCode::InvalidClient, "the Authorization header is not well-formed Basic"))?;
        if client_id.is_some_and(|client_id| client_id != basic.client_id) {
            return Err(Error::invalid_request("client_id differs from the Authorization header"));
        }
        Ok(basic)
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
        assert_eq!(outcome(None, "client_id=a&client_assertion=x"), Err(ErrorCode::InvalidClient));
    }
}
