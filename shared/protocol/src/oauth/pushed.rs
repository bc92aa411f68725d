//! Pushed authorization requests (RFC 9126): how they are named, and what of them is kept.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::form_urlencoded;

use super::Error;
use crate::params::Params;

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// Largest request that is kept, in bytes.
const MAX_KEPT: usize = 16 * 1024;
/// Parameters that authenticate the client, or name it: they are no part of what is asked.
const NOT_ASKED: [&str; 4] = ["client_id", "client_secret", "client_assertion", "client_assertion_type"];

/// The name of a request, from 256 random bits.
pub fn request_uri(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret))
}

/// The bits in a name, or `None` for a name that is not ours.
pub fn secret_of(request_uri: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(request_uri.strip_prefix(PREFIX)?).ok()?.try_into().ok()
}

/// The parameters to keep of a request of `client_id`, as a query string.
pub fn parameters(client_id: &str, params: &Params<'_>) -> Result<String, Error> {
    let asked = params.iter().filter(|(name, _)| !NOT_ASKED.contains(name));
    let kept = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client_id)
        .extend_pairs(asked)
        .finish();
    if kept.len() > MAX_KEPT { Err(Error::invalid_request("the request is larger than 16 KiB")) } else { Ok(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back() {
        let name = request_uri(&[7; 32]);
        assert_eq!(secret_of(&name), Some([7; 32]));
        for wrong in
            ["", "x", "https://evil.example/", PREFIX, &name[1..], &format!("{name}A"), &name[..name.len() - 4]]
        {
            assert_eq!(secret_of(wrong), None, "{wrong}");
        }
    }

    /// TK-12: what proves the client is not kept, and the client is the one that proved itself.
    #[test]
    fn secrets_are_not_kept() {
        let form = "client_id=other&client_secret=s&client_assertion=a&client_assertion_type=t&scope=a%26b+c&x=1&x=2";
        let kept = parameters("app", &Params::parse(form).unwrap()).unwrap();
        assert_eq!(kept, "client_id=app&scope=a%26b+c&x=1&x=2");
        let long = format!("x={}", "y".repeat(MAX_KEPT));
        assert!(parameters("app", &Params::parse(&long).unwrap()).is_err());
    }
}
