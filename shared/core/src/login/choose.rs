//! Whose customer signs in, and through which identity provider. In this order: what the request names; the only tenant
//! of the application; the e-mail domain of `login_hint`; the host that the browser came by; otherwise the person is
//! asked ([`Question`]).
//!
//! Nothing here is a secret or a permission: whoever is sent to a provider still has to sign in there, and
//! [`crate::directory`] looks at who comes back. All reads go through copies.

use url::Url;
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::authorize::AuthorizationRequest;
use vestibule_protocol::params::Params;

use super::{Look, Refusal, look};
use crate::Broker;
use crate::broker::Offered;
use crate::error::Error;
use crate::model::client::Client;
use crate::model::routing;

/// A tenant and one of its connections. Whether the connection exists and is enabled is still to be seen.
pub(super) struct Chosen {
    pub(super) tenant: String,
    pub(super) connection: String,
}

/// What the person is asked. Their answer comes with the same authorization request again, and is read like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The application's name.
    pub application: String,
    /// Whose page it is, where that is known.
    pub look: Look,
    /// The request's own parameters, to be sent again with the answer.
    pub carried: Vec<(String, String)>,
    /// What there is to answer.
    pub ask: Ask,
}

/// What there is to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// An e-mail address, sent as `login_hint`.
    Email {
        /// The address that leads nowhere, if one was given. Nothing tells why it does not.
        unknown: Option<String>,
    },
    /// One of several connections, sent as `connection`.
    Connection(Vec<Button>),
}

/// The way to one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    /// The connection.
    pub connection: String,
    /// What it says.
    pub text: String,
    /// A picture: an https address.
    pub image_url: Option<String>,
}

/// What the choice rests on.
struct Chooser<'a> {
    broker: &'a Broker,
    client: &'a Client,
    params: &'a Params<'a>,
    request: &'a AuthorizationRequest,
    /// The host that the person came by.
    host: Option<String>,
    /// The domain of their address.
    domain: Option<String>,
}

/// Chooses for a request of `client` that came by `host`; the inner error is the application's.
pub(super) async fn choose(
    broker: &Broker,
    client: &Client,
    params: &Params<'_>,
    request: &AuthorizationRequest,
    host: Option<&str>,
) -> Result<Result<Chosen, oauth::Error>, Refusal> {
    let host = by_issuer(broker, params, host).await?;
    let domain = request.login_hint.as_deref().and_then(routing::domain_of);
    Chooser { broker, client, params, request, host, domain }.choose().await
}

impl Chooser<'_> {
    async fn choose(&self) -> Result<Result<Chosen, oauth::Error>, Refusal> {
        let only_tenant = self.client.tenants.as_deref().and_then(|tenants| match tenants {
            [only] => Some(only.as_str()),
            _ => None,
        });
        if let Some(tenant) = self.request.tenant.as_deref().or(only_tenant) {
            if !self.serves(tenant).await? {
                return Ok(Err(oauth::Error::invalid_request("tenant is not one that this application serves")));
            }
            if let Some(connection) = &self.request.connection {
                return Ok(Ok(Chosen { tenant: tenant.to_owned(), connection: connection.clone() }));
            }
            if self.broker.enabled_connections(tenant).await?.is_empty() {
                return Ok(Err(oauth::Error::invalid_request("the tenant has no identity provider")));
            }
            return self.connection_of(tenant, true).await;
        }
        if self.request.connection.is_some() {
            return Ok(Err(oauth::Error::invalid_request("connection needs its tenant")));
        }
        match self.routed().await? {
            Some((tenant, by_host)) => self.connection_of(&tenant, by_host).await,
            None => self.ask_for_email(Look::default()),
        }
    }

    /// The tenant that the address or the host leads to, if the application serves it, and whether it was the host.
    async fn routed(&self) -> Result<Option<(String, bool)>, Error> {
        if let Some(domain) = &self.domain
            && let Some(route) = self.broker.domain_route(domain).await?
            && self.serves(&route.tenant).await?
        {
            return Ok(Some((route.tenant, false)));
        }
        if let Some(host) = &self.host
            && let Some(route) = self.broker.host_route(host).await?
            && self.serves(&route.tenant).await?
        {
            return Ok(Some((route.tenant, true)));
        }
        Ok(None)
    }

    async fn serves(&self, tenant: &str) -> Result<bool, Error> {
        Ok(self.client.serves(tenant) && self.broker.tenant(tenant).await?.is_some())
    }

    /// The tenant's connection for this host and this domain: the only one, or the person is asked. Those that name the
    /// domain go before those that are for everybody.
    ///
    /// `known` says that the tenant shows already. One that was found through an address is not shown with a question
    /// that a stranger's address brings too: it would tell whose customer the address is.
    async fn connection_of(&self, tenant: &str, known: bool) -> Result<Result<Chosen, oauth::Error>, Refusal> {
        let domain = self.domain.as_deref();
        let enabled = self.broker.enabled_connections(tenant).await?;
        let here = |offered: &&Offered| offered.sign_in.is_for_host(self.host.as_deref());
        let mut open: Vec<&Offered> =
            enabled.iter().filter(here).filter(|offered| offered.sign_in.is_for_domain(domain)).collect();
        if let Some(domain) = domain
            && open.iter().any(|offered| offered.sign_in.names_domain(domain))
        {
            open.retain(|offered| offered.sign_in.names_domain(domain));
        }
        match open.as_slice() {
            [only] => Ok(Ok(Chosen { tenant: tenant.to_owned(), connection: only.id.clone() })),
            [] if known => self.ask_for_email(look(self.broker, tenant).await?),
            [] => self.ask_for_email(Look::default()),
            several => {
                let buttons = several.iter().map(|offered| button(offered)).collect();
                let look = look(self.broker, tenant).await?;
                let tenant = ("tenant".to_owned(), tenant.to_owned());
                let carried = self.carried(&["tenant", "connection"]).chain([tenant]).collect();
                Err(self.question(look, carried, Ask::Connection(buttons)))
            }
        }
    }

    /// The same page for every address that leads nowhere: one of nobody's domain, of a tenant that the application
    /// does not serve, of one without a connection for it.
    fn ask_for_email(&self, look: Look) -> Result<Result<Chosen, oauth::Error>, Refusal> {
        let unknown = self.request.login_hint.clone();
        let carried = self.carried(&["login_hint"]).collect();
        Err(self.question(look, carried, Ask::Email { unknown }))
    }

    fn question(&self, look: Look, carried: Vec<(String, String)>, ask: Ask) -> Refusal {
        let application = self.client.name.clone();
        Refusal::Ask(Box::new(Question { application, look, carried, ask }))
    }

    /// The request's parameters but these.
    fn carried<'a>(&'a self, without: &'a [&str]) -> impl Iterator<Item = (String, String)> + 'a {
        let kept = self.params.iter().filter(|(name, _)| !without.contains(name));
        kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
    }
}

fn button(offered: &Offered) -> Button {
    let text = offered.sign_in.button_text.clone();
    Button {
        connection: offered.id.clone(),
        text: text.unwrap_or_else(|| format!("Continue with {}", offered.name)),
        image_url: offered.sign_in.button_image_url.clone(),
    }
}

/// The host that the person came by: named in `host`, or the request's own. A login begins and ends at the issuer's
/// address, where its cookie is; whoever came by a tenant's host goes there first, and takes the host's name along.
async fn by_issuer(broker: &Broker, params: &Params<'_>, came_by: Option<&str>) -> Result<Option<String>, Refusal> {
    let named = params.get("host").map_err(oauth::Error::from)?.and_then(routing::domain);
    let issuer = Url::parse(&broker.config.issuer).map_err(|_| Error::bug("our own issuer is not a URL"))?;
    let came_by = came_by.and_then(routing::domain).filter(|host| issuer.host_str() != Some(host));
    let Some(host) = came_by else {
        return Ok(named.or_else(|| issuer.host_str().map(str::to_owned)));
    };
    // A front that hides our address from us must not make a loop.
    if named.as_ref() == Some(&host) || broker.host_route(&host).await?.is_none() {
        return Ok(named);
    }
    let mut elsewhere = issuer;
    elsewhere.set_path("/oauth2/authorize");
    let kept = params.iter().filter(|(name, _)| *name != "host");
    elsewhere.query_pairs_mut().extend_pairs(kept).append_pair("host", &host);
    Err(Refusal::ByIssuer(elsewhere))
}
