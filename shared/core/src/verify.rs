//! Forward authentication: a proxy asks for each request whether its bearer may pass, and who they are. Answered from what
//! this process remembers for at most [`crate::cache::COPY_LIFE`]: a session that has ended is refused within that time.

use std::sync::Arc;

use vestibule_protocol::oauth::{self, ErrorCode};
use vestibule_protocol::params::Params;

use crate::Broker;
use crate::error::Error;
use crate::model::client::{Client, RelayCookies};
use crate::model::session::Subject;
use crate::token::family::live_claims;
use crate::token::role;
use crate::userinfo::live_grant;

/// What a proxy asks for.
pub struct Question {
    client_id: String,
    client: Arc<Client>,
    role: Option<String>,
}

/// Who may pass. Nothing here is anybody's unverified word.
pub struct Verified {
    /// The person.
    pub user: String,
    /// Whose customer they are.
    pub tenant: String,
    /// Their session.
    pub session: String,
    /// Their address, where the token's scope reveals it and their provider verified it.
    pub email: Option<String>,
    /// The role that counts, where one is asked for.
    pub role: Option<String>,
}

impl Question {
    /// Reads what the proxy is set up to ask: whose tokens count (`client_id`), and which role is needed (`role`), if any.
    /// Without an application any token of this issuer would do.
    pub async fn read(broker: &Broker, params: &Params<'_>) -> Result<Self, Error> {
        let get = |name| params.get(name).map_err(oauth::Error::from);
        let client_id = get("client_id")?.ok_or(oauth::Error::invalid_request("client_id is missing"))?;
        let role = get("role")?.map(str::to_owned);
        let client = broker.client(client_id).await?;
        let client = client.ok_or(oauth::Error::invalid_request("client_id names no application"))?;
        Ok(Self { client_id: client_id.to_owned(), client, role })
    }

    /// What the cookies with the application's tokens are called, where the relay keeps them.
    pub fn cookies(&self) -> Option<RelayCookies> {
        self.client.relay.as_ref().map(|relay| relay.cookies)
    }

    /// Whether the bearer of this access token may pass.
    pub async fn ask(&self, broker: &Broker, token: &str) -> Result<Verified, Error> {
        let refused = || Error::from(oauth::Error::new(ErrorCode::InvalidToken, "the access token is not valid"));
        let claims = live_claims(broker, token).await?.ok_or_else(refused)?;
        if claims.aud != self.client_id || !self.client.serves(&claims.tenant) {
            return Err(refused());
        }
        let live = live_grant(broker, &claims).await?.ok_or_else(refused)?;
        let role = self.role(broker, &live.subject).await?;
        let profile = live.subject.profile.visible_to(&claims.scope);
        let email = profile.email.filter(|_| profile.email_verified == Some(true));
        Ok(Verified { user: claims.sub, tenant: claims.tenant, session: claims.sid, email, role })
    }

    async fn role(&self, broker: &Broker, subject: &Subject) -> Result<Option<String>, Error> {
        let Some(needed) = &self.role else { return Ok(None) };
        let (now, name) = (broker.platform.clock.now(), format!("{}/{}", subject.tenant, subject.user));
        let has = match broker.copies.roles.get(&name, now) {
            Some(copy) => copy,
            None => broker.copies.roles.keep(name, role(broker, subject).await?, now),
        };
        if has.as_ref() == &self.role {
            Ok(Some(needed.clone()))
        } else {
            Err(oauth::Error::new(ErrorCode::AccessDenied, "the person does not have the role").into())
        }
    }
}
