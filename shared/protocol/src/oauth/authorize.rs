//! The authorization request (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1), read in two steps: first whom we talk
//! to, then what they ask. Until the first step is through, nothing is ever redirected.

use super::acr::Classes;
use super::pkce::CodeChallenge;
use super::prompt::{self, Prompt};
use super::scope::Scope;
use super::{Error, ErrorCode};
use crate::params::Params;
use crate::time::Seconds;

/// Step one: the client and where it wants the answer. Not yet known to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTo<'a> {
    /// The application's name for itself.
    pub client_id: &'a str,
    /// One of its registered addresses, or so it says.
    pub redirect_uri: &'a str,
}

impl<'a> ReplyTo<'a> {
    /// Reads who asks. Both parameters are required: a default address would make a wrong one hard to see.
    pub fn parse(params: &'a Params<'_>) -> Result<Self, Error> {
        Ok(Self {
            client_id: params.get("client_id")?.ok_or(Error::invalid_request("client_id is required"))?,
            redirect_uri: params.get("redirect_uri")?.ok_or(Error::invalid_request("redirect_uri is required"))?,
        })
    }

    /// Whether the address is one of `registered`, character by character (RFC 9700 §2.1).
    pub fn is_registered(&self, registered: &[String]) -> bool {
        registered.iter().any(|uri| uri == self.redirect_uri)
    }
}

/// Step two: what is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// What the application wants to know. Always holds `openid`.
    pub scope: Scope,
    /// Goes into the ID token as it came.
    pub nonce: Option<String>,
    /// The application's half of PKCE.
    pub code_challenge: CodeChallenge,
    /// Whose customer the person is.
    pub tenant: Option<String>,
    /// Which of the tenant's identity providers to use.
    pub connection: Option<String>,
    /// Who is probably signing in; passed on to the identity provider.
    pub login_hint: Option<String>,
    /// An ID token of ours about the person who is expected.
    pub id_token_hint: Option<String>,
    /// Whether the person must, or must not, be asked.
    pub prompt: Prompt,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Seconds>,
    /// How strongly.
    pub classes: Classes,
}

/// Longest `state`, `nonce` or `login_hint` that we carry, in bytes: the login travels in a cookie.
const MAX_CARRIED: usize = 1024;

impl AuthorizationRequest {
    /// Applies the rules on the request in order; the first that fails names what to mend.
    pub fn parse(params: &Params<'_>) -> Result<Self, Error> {
        let carried = |name: &str| -> Result<Option<String>, Error> {
            match params.get(name)? {
                Some(value) if value.len() > MAX_CARRIED => {
                    Err(Error::invalid_request("a parameter is longer than 1024 bytes"))
                }
                value => Ok(value.map(str::to_owned)),
            }
        };
        match params.get("response_type")? {
            Some("code") => {}
            None => return Err(Error::invalid_request("response_type is required")),
            Some(_) => return Err(Error::new(ErrorCode::UnsupportedResponseType, "response_type must be code")),
        }
        if !matches!(params.get("response_mode")?, None | Some("query")) {
            return Err(Error::invalid_request("response_mode must be query"));
        }
        if params.get("request")?.is_some() || params.get("request_uri")?.is_some() {
            return Err(Error::invalid_request("request objects are not supported"));
        }
        let scope = Scope::parse(params.get("scope")?.unwrap_or_default())?;
        if !scope.has("openid") {
            return Err(Error::new(ErrorCode::InvalidScope, "scope must include openid"));
        }
        let code_challenge = CodeChallenge::parse(params.get("code_challenge")?, params.get("code_challenge_method")?)?;
        Ok(Self {
            scope,
            nonce: carried("nonce")?,
            code_challenge,
            tenant: carried("tenant")?,
            connection: carried("connection")?,
            login_hint: carried("login_hint")?,
            id_token_hint: params.get("id_token_hint")?.map(str::to_owned),
            prompt: Prompt::parse(params)?,
            max_age: prompt::max_age(params)?,
            classes: Classes::parse(params)?,
        })
    }

    /// The `state` to give back, byte for byte.
    pub fn state(params: &Params<'_>) -> Result<Option<String>, Error> {
        match params.get("state")? {
            Some(state) if state.len() > MAX_CARRIED => Err(Error::invalid_request("state is longer than 1024 bytes")),
            state => Ok(state.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "response_type=code&scope=openid+email&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn outcome(query: &str) -> Result<AuthorizationRequest, ErrorCode> {
        AuthorizationRequest::parse(&Params::parse(query).unwrap()).map_err(|error| error.code)
    }

    #[test]
    fn a_complete_request_is_read() {
        let request = outcome(&format!("{GOOD}&nonce=n&tenant=acme&foo=bar")).unwrap();
        assert_eq!((request.nonce.as_deref(), request.tenant.as_deref()), (Some("n"), Some("acme")));
    }

    /// AZ-2, AZ-3, AZ-4
    #[test]
    fn what_is_not_allowed_has_its_code() {
        for (query, code) in [
            (GOOD.replace("=code&", "=token&"), ErrorCode::UnsupportedResponseType),
            (GOOD.replace("=code&", "=code+id_token&"), ErrorCode::UnsupportedResponseType),
            (GOOD.replace("response_type=code&", ""), ErrorCode::InvalidRequest),
            (GOOD.replace("openid+", ""), ErrorCode::InvalidScope),
            (GOOD.replace("S256", "plain"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&scope=openid"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&response_mode=fragment"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&request=x"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&prompt=none+login"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&max_age=-1"), ErrorCode::InvalidRequest),
            (format!("{GOOD}&nonce={}", "n".repeat(1025)), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(outcome(&query), Err(code), "{query}");
        }
    }

    /// AZ-1
    #[test]
    fn redirect_uris_are_compared_character_by_character() {
        let registered = ["https://app.example/callback".to_owned()];
        for (uri, same) in [
            ("https://app.example/callback", true),
            ("https://app.example/callback/", false),
            ("https://app.example/Callback", false),
            ("https://app.example/callback?x", false),
            ("https://app.example:443/callback", false),
            ("https://app.example/callback#", false),
        ] {
            assert_eq!(ReplyTo { client_id: "c", redirect_uri: uri }.is_registered(&registered), same, "{uri}");
        }
    }
}
