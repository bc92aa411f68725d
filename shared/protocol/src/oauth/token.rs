//! The token request (RFC 6749 §4.1.3, §4.4.2, §6).

use super::scope::{SCIM_SCOPE, Scope};
use super::{Error, ErrorCode};
use crate::params::Params;

/// What a client wants to exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest<'a> {
    /// A code for its first tokens.
    AuthorizationCode {
        /// The code's handle.
        code: &'a str,
        /// Must be the address that the code was sent to.
        redirect_uri: &'a str,
        /// The secret behind the code challenge.
        code_verifier: &'a str,
    },
    /// A refresh token for new tokens.
    RefreshToken {
        /// The refresh token's handle.
        refresh_token: &'a str,
        /// At most what was granted; `None` for all of it.
        scope: Option<Scope>,
    },
    /// Who the client is, for a token of its own (RFC 6749 §4.4). There is one scope, [`SCIM_SCOPE`]; whoever asks for
    /// nothing gets that.
    ClientCredentials,
}

impl<'a> TokenRequest<'a> {
    /// Reads the form of a token request.
    pub fn parse(form: &'a Params<'_>) -> Result<Self, Error> {
        match form.get("grant_type")?.ok_or(Error::invalid_request("grant_type is required"))? {
            "authorization_code" => Ok(Self::AuthorizationCode {
                code: form.get("code")?.ok_or(Error::invalid_request("code is required"))?,
                redirect_uri: form.get("redirect_uri")?.ok_or(Error::invalid_request("redirect_uri is required"))?,
                code_verifier: form.get("code_verifier")?.ok_or(Error::invalid_request("code_verifier is required"))?,
            }),
            "refresh_token" => Ok(Self::RefreshToken {
                refresh_token: form.get("refresh_token")?.ok_or(Error::invalid_request("refresh_token is required"))?,
                scope: form.get("scope")?.map(Scope::parse).transpose()?,
            }),
            "client_credentials" => match form.get("scope")? {
                None => Ok(Self::ClientCredentials),
                Some(scope) if scope.split(' ').any(|asked| asked == SCIM_SCOPE) => Ok(Self::ClientCredentials),
                Some(_) => Err(Error::new(ErrorCode::InvalidScope, "scope must be scim")),
            },
            _ => Err(Error::new(
                ErrorCode::UnsupportedGrantType,
                "grant_type must be authorization_code, refresh_token or client_credentials",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        for (form, code) in [
            ("", ErrorCode::InvalidRequest),
            ("grant_type=password&username=a&password=b", ErrorCode::UnsupportedGrantType),
            ("grant_type=authorization_code&redirect_uri=r&code_verifier=v", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=c&code_verifier=v", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=c&redirect_uri=r", ErrorCode::InvalidRequest),
            ("grant_type=authorization_code&code=c&code=c&redirect_uri=r&code_verifier=v", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token", ErrorCode::InvalidRequest),
            ("grant_type=refresh_token&refresh_token=r&scope=%22", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=openid", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=SCIM", ErrorCode::InvalidScope),
            ("grant_type=client_credentials&scope=scim&scope=scim", ErrorCode::InvalidRequest),
        ] {
            let params = Params::parse(form).unwrap();
            let outcome = TokenRequest::parse(&params).map_err(|error| error.code);
            assert_eq!(outcome, Err(code), "{form}");
        }
    }
    #[test]
    fn a_client_asks_for_its_one_scope_or_none() {
        for scope in ["", "&scope=", "&scope=scim", "&scope=openid+scim"] {
            let form = format!("grant_type=client_credentials{scope}");
            let params = Params::parse(&form).unwrap();
            assert_eq!(TokenRequest::parse(&params), Ok(TokenRequest::ClientCredentials), "{form}");
        }
    }
}
