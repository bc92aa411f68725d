//! A login that begins at the identity provider (OpenID Connect Core §4): a tile of its portal leads here, and from here
//! the browser goes to the application's own address for that. The application starts a login like any other, with its
//! `state` and PKCE; nothing that an identity provider sends unasked signs anybody in.
//!
//! The address that is registered at the provider names tenant, connection and application. What comes with it only
//! hints; and it leads nowhere but to the address in the application's registration.

use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use crate::Broker;
use crate::error::Error;

/// Longest hint or target that is passed on, in bytes.
const MAX_PASSED_ON: usize = 1024;

/// Who goes together, as the address says.
pub struct Parties<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// Its connection.
    pub connection: &'a str,
    /// The application.
    pub client: &'a str,
}

/// Where the browser goes: the application's `initiate_login_uri` with our `iss`, and what it needs to ask for a login
/// of this tenant through this connection.
pub async fn initiate(broker: &Broker, parties: &Parties<'_>, params: &Params<'_>) -> Result<Url, Error> {
    let Parties { tenant, connection, client } = *parties;
    let unknown =
        oauth::Error::invalid_request("this address names no application, tenant and connection that go together");
    let application = broker.client(client).await?.filter(|found| found.serves(tenant)).ok_or(unknown)?;
    broker.tenant(tenant).await?.ok_or(unknown)?;
    let found = broker.connection(tenant, connection).await?.filter(|found| found.enabled).ok_or(unknown)?;
    let start = application.initiate_login_uri.as_deref();
    let start = start.ok_or(oauth::Error::invalid_request("the application has no initiate_login_uri"))?;
    let mut start = beginning(broker, start, tenant, Some(connection))?;

    let issuer = params.get("iss").map_err(oauth::Error::from)?;
    let issuer = issuer.ok_or(oauth::Error::invalid_request("iss is required"))?;
    if !found.upstream.is(issuer) {
        return Err(oauth::Error::invalid_request("iss is not the connection's identity provider").into());
    }
    let hint = params.get("login_hint").map_err(oauth::Error::from)?;
    if hint.is_some_and(|hint| hint.len() > MAX_PASSED_ON) {
        return Err(oauth::Error::invalid_request("login_hint is longer than 1024 bytes").into());
    }
    let target = params.get("target_link_uri").map_err(oauth::Error::from)?;
    let target = target.map(|target| place_in(&start, target)).transpose()?;

    let mut query = start.query_pairs_mut();
    query.extend_pairs(hint.map(|hint| ("login_hint", hint)));
    query.extend_pairs(target.map(|target| ("target_link_uri", String::from(target))));
    drop(query);
    Ok(start)
}

/// An application's `initiate_login_uri` with our `iss`, and what it needs to ask for a login of this tenant.
pub(crate) fn beginning(
    broker: &Broker,
    initiate_login_uri: &str,
    tenant: &str,
    connection: Option<&str>,
) -> Result<Url, Error> {
    let mut start = Url::parse(initiate_login_uri).map_err(|_| Error::bug("a registered address is not a URL"))?;
    let mut query = start.query_pairs_mut();
    query.append_pair("iss", &broker.config.issuer).append_pair("tenant", tenant);
    query.extend_pairs(connection.map(|connection| ("connection", connection)));
    drop(query);
    Ok(start)
}

/// A target within the application, as a browser would read it. Whatever is elsewhere would make the application an
/// open redirector, unless it looks itself (Core §4, RFC 9700 §4.11).
pub(super) fn place_in(application: &Url, target: &str) -> Result<Url, oauth::Error> {
    let elsewhere = oauth::Error::invalid_request("target_link_uri is not an address of the application");
    let url = Url::parse(target).map_err(|_| elsewhere)?;
    let named = url.username().is_empty() && url.password().is_none();
    if named && url.origin() == application.origin() && target.len() <= MAX_PASSED_ON {
        Ok(url)
    } else {
        Err(elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RP-10, AZ-14
    #[test]
    fn a_target_is_at_the_application() {
        let application = Url::parse("https://app.example/login/start").unwrap();
        let read = |target: &str| place_in(&application, target).map(String::from).ok();
        assert_eq!(read("https://app.example/a?b=c#d").as_deref(), Some("https://app.example/a?b=c#d"));
        assert_eq!(read("https://APP.example:443/").as_deref(), Some("https://app.example/"));
        // Passed on as it was read, so that nobody reads it differently.
        assert_eq!(read("https:app.example\\@evil.example").as_deref(), Some("https://app.example/@evil.example"));
        for elsewhere in [
            "https://evil.example/",
            "https://app.example.evil.example/",
            "https://app.example@evil.example/",
            "https://user@app.example/",
            "https://app.example:8443/",
            "http://app.example/",
            "//app.example/",
            "/a",
            "javascript:alert(1)//app.example",
            "",
            &format!("https://app.example/{}", "x".repeat(MAX_PASSED_ON)),
        ] {
            assert_eq!(read(elsewhere), None, "{elsewhere}");
        }
        // Of an application with a scheme of its own nothing can be said to be a part.
        let native = Url::parse("com.example.app:/start").unwrap();
        assert!(place_in(&native, "com.example.app:/start").is_err());
    }
}
