//! Our authorization request as a token that our published key signs (RFC 9101): nobody on its way through the browser
//! can change it, and the provider knows whose it is before anybody signs in.

use serde_json::{Map, Value, json};
use vestibule_protocol::jose::TokenType;
use vestibule_protocol::time::Seconds;

use super::UpstreamCopy;
use super::request::Parameters;
use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::connection::OidcSettings;
use crate::signing;

/// How long a request counts: the browser takes it to the provider at once.
const LIFE: Seconds = Seconds(300);

/// What stays beside the token, because OpenID Connect Core §6.1 requires it there. Its values are in the token too.
const OUTSIDE: [&str; 3] = ["client_id", "response_type", "scope"];

/// The request with all its parameters in the token.
pub(super) async fn sign(
    broker: &Broker,
    settings: &OidcSettings,
    copy: &UpstreamCopy,
    mut parameters: Parameters,
) -> Result<Parameters, Error> {
    let now = broker.platform.clock.now();
    let mut claims: Map<String, Value> =
        parameters.iter().map(|(name, value)| (name.clone(), claim(name, value))).collect();
    // These come last: no parameter of the connection's can stand in for them.
    for (name, value) in [
        ("iss", json!(settings.client_id)),
        ("aud", json!(copy.metadata.issuer)),
        ("iat", json!(now)),
        // A provider whose clock is behind may not allow for it.
        ("nbf", json!(now - settings.skew)),
        ("exp", json!(now + LIFE)),
        ("jti", json!(new_id(&*broker.platform.random))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    let token = signing::keys(broker).await?.sign(broker, TokenType::RequestObject, &claims).await?;
    parameters.retain(|(name, _)| OUTSIDE.contains(&name.as_str()));
    parameters.push(("request".to_owned(), token));
    Ok(parameters)
}

/// Numbers are numbers (RFC 9101 §4); `max_age` is the only one.
fn claim(name: &str, value: &str) -> Value {
    match value.parse::<i64>() {
        Ok(number) if name == "max_age" => json!(number),
        _ => json!(value),
    }
}
