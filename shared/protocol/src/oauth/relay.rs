//! The relay's requests: how a control plane in the browser asks for a login page and redeems a code, as JSON and with
//! names of its own, and the authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3) that this comes to.

use serde::Deserialize;
use url::{Origin, Url};

use super::pkce::CodeChallenge;
use super::{Error, ErrorCode};
use crate::params::Params;

/// Longest origin, in bytes: a host name has at most 253.
const MAX_ORIGIN: usize = 300;
/// What the relay asks for in an application's name.
const SCOPE: &str = "openid email profile offline_access";

/// The origin that `text` names and nothing more: https, or http on loopback; no path, query, fragment or user name.
/// Without a trailing slash, as browsers write `Origin` (RFC 6454 §6.2).
pub fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_ORIGIN)?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fitting = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    let origin = url.origin().ascii_serialization();
    // The URL is its origin and a slash: whatever else it held would show.
    (fitting && url.as_str().strip_suffix('/') == Some(&origin)).then_some(origin)
}

/// The origin on which an address lies, unless it is one of an application's own scheme.
pub fn origin_of(address: &str) -> Option<String> {
    match Url::parse(address).ok()?.origin() {
        origin @ Origin::Tuple(..) => Some(origin.ascii_serialization()),
        Origin::Opaque(_) => None,
    }
}

/// `GET …/authorize`: a control plane asks where to send the browser. Not yet known to be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRequest<'a> {
    /// Whose customer the person is.
    pub tenant: &'a str,
    /// The control plane's origin.
    pub control_plane: String,
    /// Where the browser is to come back to; lies on the control plane's origin.
    pub redirect_url: &'a str,
}

impl<'a> StartRequest<'a> {
    /// Reads the query. All three parameters are required.
    pub fn parse(params: &'a Params<'_>) -> Result<Self, Error> {
        let tenant = params.get("tenantName")?.ok_or(Error::invalid_request("tenantName is required"))?;
        let control_plane =
            params.get("controlPlaneURL")?.ok_or(Error::invalid_request("controlPlaneURL is required"))?;
        let redirect_url = params.get("redirectURL")?.ok_or(Error::invalid_request("redirectURL is required"))?;
        let control_plane = origin(control_plane)
            .ok_or(Error::invalid_request("controlPlaneURL must be https with host and port only"))?;
        if origin_of(redirect_url).as_deref() != Some(&control_plane) {
            return Err(Error::invalid_request("redirectURL must lie on controlPlaneURL"));
        }
        Ok(Self { tenant, control_plane, redirect_url })
    }
}

/// What the authorization request of a relayed login says.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The application.
    pub client_id: &'a str,
    /// Where its answer goes.
    pub redirect_uri: &'a str,
    /// Whose customer the person is.
    pub tenant: &'a str,
    /// The relay's half of PKCE.
    pub code_challenge: &'a CodeChallenge,
    /// Names the relay's cookie.
    pub state: &'a str,
}

/// Where the browser goes: the authorization endpoint of `issuer`, with this request.
pub fn authorization_url(issuer: &str, asked: &Asked<'_>) -> Result<Url, url::ParseError> {
    let parameters = [
        ("client_id", asked.client_id),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("redirect_uri", asked.redirect_uri),
        ("tenant", asked.tenant),
        ("code_challenge", asked.code_challenge.as_str()),
        ("code_challenge_method", "S256"),
        ("state", asked.state),
    ];
    Url::parse_with_params(&format!("{issuer}/oauth2/authorize"), parameters)
}

/// `POST …/token`: a control plane hands in the code that came back to it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeRequest {
    /// Whose customer the person is.
    pub tenant_name: String,
    /// The code's handle.
    pub code: String,
    /// Always `authorization_code`.
    pub grant_type: String,
    /// The address that the code was sent to.
    #[serde(rename = "redirectURI")]
    pub redirect_uri: String,
    /// What came back beside the code. Control planes that drop it are protected by PKCE alone (RFC 9700 §4.7).
    #[serde(default)]
    pub state: Option<String>,
}

impl CodeRequest {
    /// Reads the JSON body. Unknown members are ignored, repeated ones refused.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let request: Self = serde_json::from_slice(body).map_err(|_| {
            Error::invalid_request("the body must be JSON with tenantName, code, grantType and redirectURI as text")
        })?;
        if request.grant_type != "authorization_code" {
            return Err(Error::new(ErrorCode::UnsupportedGrantType, "grantType must be authorization_code"));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, found) in [
            ("https://your.example.com", Some("https://your.example.com")),
            ("https://Your.Example.com/", Some("https://your.example.com")),
            ("https://your.example.com:443", Some("https://your.example.com")),
            ("https://your.example.com:8443", Some("https://your.example.com:8443")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://your.example.com", None),
            ("https://your.example.com/path", None),
            ("https://your.example.com?x", None),
            ("https://your.example.com/#", None),
            ("https://me@your.example.com", None),
            ("https://me:@your.example.com", None),
            ("ftp://your.example.com", None),
            ("com.example.app://your.example.com", None),
            ("javascript:alert(1)", None),
            ("//your.example.com", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(origin(text).as_deref(), found, "{text}");
        }
        assert_eq!(origin(&format!("https://{}.example", "a".repeat(300))), None);
    }

    fn start(redirect_url: &str) -> Result<(), ErrorCode> {
        let pairs = [("tenantName", "t"), ("controlPlaneURL", "https://cp.example"), ("redirectURL", redirect_url)];
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let params = Params::parse(&query).unwrap();
        StartRequest::parse(&params).map(|_| ()).map_err(|error| error.code)
    }

    /// AZ-14
    #[test]
    fn the_redirect_url_lies_on_the_control_plane() {
        assert_eq!(start("https://cp.example/auth/callback"), Ok(()));
        for foreign in [
            "https://evil.example/auth/callback",
            "https://cp.example.evil.example/",
            "https://cp.example@evil.example/",
            "https://cp.example:8443/",
            "http://cp.example/",
            "https:\\\\evil.example/",
            "//cp.example/",
            "/auth/callback",
            "cp.example://x",
            "data:text/html,x",
        ] {
            assert_eq!(start(foreign), Err(ErrorCode::InvalidRequest), "{foreign}");
        }
    }

    #[test]
    fn the_authorization_request_has_pkce_and_state() {
        let code_challenge = &CodeChallenge::of("verifier");
        let asked =
            Asked { client_id: "c", redirect_uri: "https://cp.example/a?b=c", tenant: "t", code_challenge, state: "s" };
        let url = authorization_url("https://sso.example", &asked).unwrap();
        assert!(
            url.as_str().starts_with(
                "https://sso.example/oauth2/authorize?client_id=c&response_type=code\
                 &scope=openid+email+profile+offline_access&redirect_uri=https%3A%2F%2Fcp.example%2Fa%3Fb%3Dc&tenant=t"
            ),
            "{url}"
        );
        assert!(url.as_str().ends_with("&code_challenge_method=S256&state=s"), "{url}");
    }

    /// AZ-13
    #[test]
    fn bodies_that_are_not_the_request_are_refused() {
        let good = r#"{"tenantName":"t","code":"c","grantType":"authorization_code","redirectURI":"r","more":[1]}"#;
        assert!(CodeRequest::parse(good.as_bytes()).is_ok());
        // Deep enough to overflow the stack of whoever follows it.
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for (body, code) in [
            (String::new(), ErrorCode::InvalidRequest),
            ("[]".to_owned(), ErrorCode::InvalidRequest),
            (good.replace("\"c\"", "7"), ErrorCode::InvalidRequest),
            (good.replace("\"code\"", "\"cod\""), ErrorCode::InvalidRequest),
            (good.replace("\"more\"", "\"code\""), ErrorCode::InvalidRequest),
            (good.replace("\"c\"", &deep), ErrorCode::InvalidRequest),
            (good.replace("authorization_code", "refresh_token"), ErrorCode::UnsupportedGrantType),
            (format!("{good}x"), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(CodeRequest::parse(body.as_bytes()).map_err(|error| error.code).err(), Some(code), "{body:.99}");
        }
    }
}
