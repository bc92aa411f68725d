//! The redirect binding (saml-bindings §3.4): a message in a query string, deflated, with a signature over the very octets
//! of the query.

use base64::{Engine, engine::general_purpose::STANDARD};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Refused, signature, signing, xml};
use crate::jose::Algorithm;
use crate::params;

/// Most bytes that a message of a query inflates to.
const INFLATED: usize = 64 * 1024;
/// Most bytes of a query.
const QUERY: usize = 16 * 1024;

/// A message that came in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectMessage {
    /// The message. A signature in it means nothing: in this binding the query is signed.
    pub xml: String,
    /// Whether it is a response.
    pub is_response: bool,
    /// To be given back as it is.
    pub relay_state: Option<String>,
    /// The signature, if there is one: how, over what, and the octets.
    pub signature: Option<(Algorithm, String, Vec<u8>)>,
}

impl RedirectMessage {
    /// Reads a query as it came. Nothing is encoded anew: the signature covers what the sender wrote.
    pub fn read(query: &str) -> Result<Self, Refused> {
        if query.len() > QUERY {
            return Err(Refused::TooLarge);
        }
        let (request, response) = (raw(query, "SAMLRequest")?, raw(query, "SAMLResponse")?);
        let ((Some(message), None) | (None, Some(message))) = (request, response) else {
            return Err(Refused::Shape("one SAMLRequest or SAMLResponse"));
        };
        let deflate = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
        if raw(query, "SAMLEncoding")?.map(decoded).transpose()?.is_some_and(|encoding| encoding != deflate) {
            return Err(Refused::Encoding);
        }
        let relay = raw(query, "RelayState")?;
        let signature = match (raw(query, "SigAlg")?, raw(query, "Signature")?) {
            (None, None) => None,
            (Some(name), Some(value)) => {
                let kind = if request.is_some() { "SAMLRequest" } else { "SAMLResponse" };
                let relay = relay.map(|relay| format!("&RelayState={relay}")).unwrap_or_default();
                let input = format!("{kind}={message}{relay}&SigAlg={name}");
                Some((signature::algorithm(&decoded(name)?)?, input, xml::base64(&decoded(value)?)?))
            }
            _ => return Err(Refused::SignatureShape("SigAlg and Signature, both")),
        };
        Ok(Self {
            xml: inflated(&xml::base64(&decoded(message)?)?)?,
            is_response: response.is_some(),
            relay_state: relay.map(decoded).transpose()?,
            signature,
        })
    }

    /// The query for a message of ours: what is signed, if `algorithm` is there, else all of it. To what is signed the caller
    /// adds [`Self::with_signature`].
    pub fn write(xml: &str, is_response: bool, relay_state: Option<&str>, algorithm: Option<Algorithm>) -> String {
        let kind = if is_response { "SAMLResponse" } else { "SAMLRequest" };
        let mut query = format!("{kind}={}", encoded(&STANDARD.encode(compress_to_vec(xml.as_bytes(), 6))));
        if let Some(relay_state) = relay_state {
            query.push_str("&RelayState=");
            query.push_str(&encoded(relay_state));
        }
        if let Some(method) = algorithm.and_then(signing::method) {
            query.push_str("&SigAlg=");
            query.push_str(&encoded(method));
        }
        query
    }

    /// `query` with its signature.
    pub fn with_signature(query: &str, signature: &[u8]) -> String {
        format!("{query}&Signature={}", encoded(&STANDARD.encode(signature)))
    }
}

/// The parameter as it stands in the query; twice is refused.
fn raw<'a>(query: &'a str, name: &str) -> Result<Option<&'a str>, Refused> {
    let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Refused::Shape("a parameter is repeated")),
        (value, None) => Ok(value.map(|(_, value)| value)),
    }
}

fn decoded(value: &str) -> Result<String, Refused> {
    params::decode(value).map(std::borrow::Cow::into_owned).map_err(|_| Refused::Encoding)
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

fn inflated(bytes: &[u8]) -> Result<String, Refused> {
    let bytes = decompress_to_vec_with_limit(bytes, INFLATED).map_err(|error| match error.status {
        miniz_oxide::inflate::TINFLStatus::HasMoreOutput => Refused::TooLarge,
        _ => Refused::Encoding,
    })?;
    xml::message(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let query = RedirectMessage::write("<a>ä</a>", true, Some("x y&z"), Some(Algorithm::RS256));
        let whole = RedirectMessage::with_signature(&query, b"signature");
        let read = RedirectMessage::read(&whole).unwrap();
        assert_eq!((read.xml.as_str(), read.is_response), ("<a>ä</a>", true));
        assert_eq!(read.relay_state.as_deref(), Some("x y&z"));
        assert_eq!(read.signature, Some((Algorithm::RS256, query, b"signature".to_vec())));
    }

    #[test]
    fn the_signature_covers_what_the_sender_wrote() {
        // AD FS and .NET write hexadecimal digits in lower case, and the order of parameters is not the sender's to choose.
        let message = RedirectMessage::write("<a/>", false, None, None).replace("%2B", "%2b").replace("%3D", "%3d");
        let name = "http%3a%2f%2fwww.w3.org%2f2001%2f04%2fxmldsig-more%23rsa-sha256";
        let query = format!("Signature=c2ln&SigAlg={name}&{message}&RelayState=a%2fb");
        let (_, input, _) = RedirectMessage::read(&query).unwrap().signature.unwrap();
        assert_eq!(input, format!("{message}&RelayState=a%2fb&SigAlg={name}"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let message = RedirectMessage::write("<a/>", false, None, None);
        let bomb = STANDARD.encode(compress_to_vec(&vec![b' '; INFLATED + 1], 6));
        for (query, problem) in [
            (String::new(), "shape"),
            ("RelayState=x".to_owned(), "shape"),
            (format!("{message}&{message}"), "shape"),
            (format!("{message}&SAMLResponse=x"), "shape"),
            (format!("{message}&RelayState=a&RelayState=b"), "shape"),
            (format!("{message}&SigAlg=x"), "signature_shape"),
            (format!("{message}&Signature=x"), "signature_shape"),
            (
                format!("{message}&SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23rsa-sha1&Signature=c2ln"),
                "sha1",
            ),
            (
                format!("{message}&SigAlg=http%3A%2F%2Fwww.w3.org%2F2000%2F09%2Fxmldsig%23hmac-sha1&Signature=c2ln"),
                "signature_algorithm",
            ),
            (format!("{message}&SAMLEncoding=plain"), "encoding"),
            ("SAMLRequest=%zz".to_owned(), "encoding"),
            ("SAMLRequest=PGEvPg".to_owned(), "encoding"),
            ("SAMLRequest=PGEvPg%3D%3D".to_owned(), "encoding"),
            (format!("SAMLRequest={}", encoded(&bomb)), "too_large"),
            (format!("SAMLRequest={}", "A".repeat(QUERY)), "too_large"),
        ] {
            let refused = RedirectMessage::read(&query).unwrap_err();
            assert_eq!(refused.name(), problem, "{query}");
        }
    }
}
