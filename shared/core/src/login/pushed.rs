//! Authorization requests that an application sends ahead, over its own connection (RFC 9126). The browser carries
//! only a name for what is asked. Each start takes the request away; only one that ends with a question to the person
//! puts it back, so a name is good for one login.

use url::form_urlencoded;
use vestibule_protocol::oauth;
use vestibule_protocol::oauth::authorize::{AuthorizationRequest, ReplyTo};
use vestibule_protocol::oauth::client_auth::ClientCredentials;
use vestibule_protocol::oauth::pushed::{parameters, request_uri, secret_of};
use vestibule_protocol::params::Params;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::Refusal;
use super::state::LOGIN_LIFE;
use crate::Broker;
use crate::client_auth::authenticate;
use crate::error::Error;
use crate::handle::{SecretHash, new_secret};
use crate::model::pushed::PushedRequest;
use crate::store::record::RecordKey;
use crate::store::{Expect, key};

/// How long the browser may take to arrive: RFC 9126 §2.2 wants it short.
pub const PUSHED_LIFE: Seconds = Seconds(90);

/// What the application gets.
#[derive(Debug)]
pub struct Pushed {
    /// The name for the request.
    pub request_uri: String,
    /// How long it is good.
    pub expires_in: Seconds,
}

/// Takes a request from its client, after the checks that the authorization endpoint would make (§2.1).
pub async fn push(broker: &Broker, credentials: &ClientCredentials, params: &Params<'_>) -> Result<Pushed, Error> {
    let client = authenticate(broker, credentials).await?;
    if params.get("request_uri").map_err(oauth::Error::from)?.is_some() {
        return Err(oauth::Error::invalid_request("request_uri cannot be pushed").into());
    }
    let parameters = parameters(&credentials.client_id, params)?;
    let read = Params::parse(&parameters).map_err(oauth::Error::from)?;
    if !ReplyTo::parse(&read)?.is_registered(&client.redirect_uris) {
        return Err(oauth::Error::invalid_request("redirect_uri is not registered for this application").into());
    }
    AuthorizationRequest::state(&read)?;
    AuthorizationRequest::parse(&read)?;

    let request_uri = keep(broker, &credentials.client_id, parameters).await?;
    Ok(Pushed { request_uri, expires_in: PUSHED_LIFE })
}

/// Keeps a client's request, and names it.
async fn keep(broker: &Broker, client: &str, parameters: String) -> Result<String, Error> {
    let secret = new_secret(&*broker.platform.random);
    let until = broker.platform.clock.now() + PUSHED_LIFE;
    let request = PushedRequest { parameters, ends_at: Some(until), asked: false };
    let record = key::pushed_request(client, SecretHash::of(secret.expose()).as_str());
    write(broker, &record, &request, until).await?;
    Ok(request_uri(secret.expose()))
}

async fn write(
    broker: &Broker,
    record: &RecordKey<PushedRequest>,
    request: &PushedRequest,
    until: Timestamp,
) -> Result<(), Error> {
    let write = record.put_until(request, until, Expect::Absent)?;
    broker.platform.store.commit(record.partition(), vec![write]).await?;
    Ok(())
}

/// A request that a start took.
pub(super) struct Taken {
    name: String,
    client: String,
    record: RecordKey<PushedRequest>,
    request: PushedRequest,
}

/// The request behind `request_uri`, if the browser brings one. It is taken: of two starts, one gets it.
pub(super) async fn take(broker: &Broker, params: &Params<'_>) -> Result<Option<Taken>, Error> {
    let Some(name) = params.get("request_uri").map_err(oauth::Error::from)? else { return Ok(None) };
    let refused = oauth::Error::invalid_request("request_uri is unknown, used, too old, or of another application");
    let client = params.get("client_id").map_err(oauth::Error::from)?;
    let client = client.ok_or(oauth::Error::invalid_request("client_id is required"))?;
    if broker.client(client).await?.is_none() {
        return Err(refused.into());
    }
    let secret = secret_of(name).ok_or(refused)?;
    let record = key::pushed_request(client, SecretHash::of(&secret).as_str());
    let request = record.take(&*broker.platform.store).await?.ok_or(refused)?;
    Ok(Some(Taken { name: name.to_owned(), client: client.to_owned(), record, request }))
}

/// With what a question is answered. Nothing of it is a permission.
const ANSWERS: [&str; 3] = ["tenant", "connection", "login_hint"];

impl Taken {
    /// What is asked, as a query string. Parameters beside the name do not count (RFC 9101 §5), but for the host that
    /// the person came by, and the answer where they were asked: it fills in what the request leaves open, and an
    /// address goes before a hint that led nowhere.
    pub(super) fn parameters(&self, beside: &Params<'_>) -> Result<String, Error> {
        let unreadable = |_| Error::bug("a pushed request is not readable");
        let pushed = Params::parse(&self.request.parameters).map_err(unreadable)?;
        let answers = if self.request.asked { ANSWERS.as_slice() } else { &[] };
        let mut added = Vec::new();
        for name in answers.iter().chain(&["host"]) {
            let open = *name == "login_hint" || pushed.get(name).map_err(unreadable)?.is_none();
            added.extend(beside.get(name).map_err(oauth::Error::from)?.filter(|_| open).map(|value| (*name, value)));
        }
        let kept = pushed.iter().filter(|(name, _)| !added.iter().any(|(answered, _)| answered == name));
        Ok(form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).extend_pairs(&added).finish())
    }

    /// Puts the request back, because the person is asked something first. From the first question on there is as much
    /// time as a login may take, and no more for further ones.
    pub(super) async fn wait(mut self, broker: &Broker, refusal: Refusal) -> Result<Refusal, Error> {
        let now = broker.platform.clock.now();
        let mut until = self.request.ends_at.unwrap_or(now + PUSHED_LIFE);
        let carried = [("client_id", self.client.as_str()), ("request_uri", self.name.as_str())];
        let refusal = match refusal {
            Refusal::Ask(mut question) => {
                if !self.request.asked {
                    until = now + LOGIN_LIFE;
                }
                self.request.asked = true;
                // What was pushed stays here; only what may count beside it travels.
                question.carried.retain(|(name, _)| ANSWERS.contains(&name.as_str()) || name == "host");
                question.carried.extend(carried.map(|(name, value)| (name.to_owned(), value.to_owned())));
                Refusal::Ask(question)
            }
            Refusal::ByIssuer(mut location) => {
                let host = location.query_pairs().find(|(name, _)| name == "host").map(|(_, host)| host.into_owned());
                location.query_pairs_mut().clear().extend_pairs(carried).extend_pairs(host.map(|host| ("host", host)));
                Refusal::ByIssuer(location)
            }
            other => return Ok(other),
        };
        self.request.ends_at = Some(until);
        write(broker, &self.record, &self.request, until).await?;
        Ok(refusal)
    }
}
