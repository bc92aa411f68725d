//! DNS over HTTPS, through the resolver's JSON interface: a Worker has no other DNS, and so the answer is the same
//! everywhere.

use bytes::Bytes;
use http::header::ACCEPT;
use serde::Deserialize;
use url::Url;

use crate::Broker;
use crate::error::{AdminError, Error};

/// Number of the TXT type (RFC 1035 §3.2.2).
const TXT: u16 = 16;

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "Status")]
    status: u16,
    #[serde(rename = "Answer", default)]
    answer: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: u16,
    data: String,
}

/// The TXT records of a name. A name that does not exist has none.
pub(crate) async fn txt(broker: &Broker, name: &str) -> Result<Vec<String>, Error> {
    let mut address =
        Url::parse(&broker.config.doh_url).map_err(|_| Error::bug("the resolver's address is not a URL"))?;
    address.query_pairs_mut().append_pair("name", name).append_pair("type", "TXT");
    let request = http::Request::get(address.as_str())
        .header(ACCEPT, "application/dns-json")
        .body(Bytes::new())
        .map_err(|_| Error::bug("the resolver's address is not a URL"))?;
    let reply = match broker.platform.http.send(request).await {
        Ok(reply) if reply.status() == http::StatusCode::OK => reply,
        Ok(reply) => return Err(failed(&format!("it answered {}", reply.status().as_u16()))),
        Err(error) => return Err(failed(&error.to_string())),
    };
    let reply: Reply = serde_json::from_slice(reply.body()).map_err(|_| failed("its answer is not readable"))?;
    match reply.status {
        // Found, and no such name (RFC 1035 §4.1.1).
        0 | 3 => Ok(reply.answer.iter().filter(|answer| answer.kind == TXT).map(|answer| text(&answer.data)).collect()),
        _ => Err(failed("it could not find out")),
    }
}

fn failed(reason: &str) -> Error {
    tracing::warn!(reason, "dns.failed");
    AdminError::Unavailable("DNS did not answer; try again").into()
}

/// A record's text. Resolvers write it as in a zone file: quoted strings, to be joined (RFC 1035 §5.1, RFC 7208 §3.3),
/// or plain.
fn text(data: &str) -> String {
    if !data.starts_with('"') {
        return data.to_owned();
    }
    let (mut joined, mut quoted, mut escaped) = (String::new(), false, false);
    for character in data.chars() {
        match character {
            _ if escaped => {
                joined.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => joined.push(character),
            _ => {}
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_a_record_are_joined() {
        for (data, joined) in [
            ("plain", "plain"),
            ("\"quoted\"", "quoted"),
            ("\"a\" \"b\"", "ab"),
            (r#""a\"b" "c""#, "a\"bc"),
            ("\"a", "a"),
        ] {
            assert_eq!(text(data), joined, "{data}");
        }
    }
}
