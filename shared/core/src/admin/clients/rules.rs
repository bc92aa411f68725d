//! The rules on what may be sent of an application.

use url::{Origin, Url};
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;

use super::ClientInput;
use crate::Broker;
use crate::admin::problems::Problems;
use crate::admin::{check_name, check_redirect_uri, check_redirect_uris, check_server_url, claims, lifetimes, relay};
use crate::handle::SecretHash;
use crate::model::client::Relay;
use crate::model::is_id;

/// The rules that need nothing but the input.
pub(super) fn check(broker: &Broker, problems: &mut Problems, input: &ClientInput) -> Option<Relay> {
    check_name(problems, &input.name);
    for (index, tenant) in input.tenants.iter().flatten().enumerate() {
        if !is_id(tenant) {
            problems.add(format!("/tenants/{index}"), "must be 1 to 40 of a-z, 0-9 and -");
        }
    }
    if input.redirect_uris.is_empty() {
        problems.add("/redirect_uris", "has no address");
    }
    check_redirect_uris(problems, "/redirect_uris", &input.redirect_uris);
    check_redirect_uris(problems, "/post_logout_redirect_uris", &input.post_logout_redirect_uris);
    if let Some(uri) = &input.initiate_login_uri {
        problems.take("/initiate_login_uri", check_redirect_uri(uri));
    }
    if let Some(uri) = &input.backchannel_logout_uri {
        problems.take("/backchannel_logout_uri", check_server_url(broker, uri));
    }
    if let Some(uri) = &input.frontchannel_logout_uri {
        problems.take("/frontchannel_logout_uri", check_frame(uri, &input.redirect_uris));
    }
    lifetimes::check_client(problems, input.access_token_life, input.refresh_token_life);
    claims::check_client(problems, input);
    let relay = input.relay.as_ref()?;
    relay::check(problems, relay, &input.redirect_uris, input.client_auth)
}

/// What our page loads in a frame belongs to the application: it is where one of its redirect URIs is (OpenID Connect
/// Front-Channel Logout 1.0 §2).
fn check_frame(text: &str, redirect_uris: &[String]) -> Result<(), &'static str> {
    check_redirect_uri(text)?;
    let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin()).filter(Origin::is_tuple);
    let ours = origin(text).ok_or("must be https, or http on loopback")?;
    if redirect_uris.iter().any(|uri| origin(uri).as_ref() == Some(&ours)) {
        Ok(())
    } else {
        Err("must have the scheme, host and port of one of redirect_uris")
    }
}

/// The secret that counts from now on, hashed.
pub(super) fn secret_hash(
    method: ClientAuthMethod,
    sent: Option<&str>,
    kept: Option<SecretHash>,
) -> Result<Option<SecretHash>, &'static str> {
    match (method, sent) {
        (ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt, None) => Ok(None),
        (ClientAuthMethod::None, Some(_)) => Err("must be left out: a public client has no secret"),
        (ClientAuthMethod::PrivateKeyJwt, Some(_)) => Err("must be left out: the client proves itself by its keys"),
        (_, Some(secret)) if secret.len() < 32 => Err("must be random, at least 32 characters"),
        (_, Some(secret)) => Ok(Some(SecretHash::of(secret.as_bytes()))),
        (_, None) if kept.is_some() => Ok(kept),
        (_, None) => Err("is missing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LO-6
    #[test]
    fn a_frame_is_where_the_application_is() {
        let ours =
            ["https://app.example/callback", "http://localhost:3000/cb", "com.example.app:/cb"].map(str::to_owned);
        for good in ["https://app.example/", "https://app.example:443/out?x=1", "http://localhost:3000/out"] {
            assert_eq!(check_frame(good, &ours), Ok(()), "{good}");
        }
        for bad in [
            "http://app.example/callback",
            "https://app.example:8443/callback",
            "https://sub.app.example/callback",
            "https://app.example.evil.example/",
            "https://app.example/#out",
            "https://user@app.example/",
            "http://localhost:3001/out",
            "com.example.app:/cb",
            "javascript:alert(1)",
            "/out",
            "",
        ] {
            assert!(check_frame(bad, &ours).is_err(), "{bad}");
        }
    }
}
