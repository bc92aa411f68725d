//! Single logout (saml-profiles §4.4), both ways, through the browser: what came to our single logout service is read here,
//! and its signature verified. What the provider asks of us is in [`theirs`], what we ask of it in [`ours`].

pub(crate) mod ours;
mod theirs;

use url::Url;
use vestibule_protocol::jose::Algorithm;
use vestibule_protocol::params::Params;
use vestibule_protocol::saml::{Binding, Endpoint, RedirectMessage, Refused, posted, signed_logout};
use vestibule_protocol::time::Seconds;

use super::Target;
use super::parties::{Parties, parties, renewed};
use super::sending::Sending;
use super::verify::{Keys, VerifyError};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::seal::Sealed;

/// How long a sign-out may take at the provider, whose page may ask the person.
pub const LOGOUT_LIFE: Seconds = Seconds(600);

/// A message as the browser brought it.
#[derive(Clone, Copy)]
pub enum Came<'a> {
    /// In the query of a GET, as it stands there.
    Redirect(&'a str),
    /// In a form.
    Post(&'a Params<'a>),
}

/// What becomes of it.
#[derive(Debug)]
pub enum Outcome {
    /// The provider said that somebody signs out, and gets our answer; none where it names no place for that.
    Ended {
        /// The answer.
        answer: Option<Sending>,
        /// The browser's cookie names a session that is over.
        forget_cookie: bool,
    },
    /// The provider answered: the browser goes on to where the sign-out here leads, if anywhere.
    Left {
        /// Where to.
        location: Option<Url>,
        /// The sign-out's handle, whose cookie has done its work.
        handle: String,
    },
}

/// Takes a message at the single logout service of a connection, enabled or not: whoever may not sign in through it may still
/// be signed out. `session` is the browser's session handle, `held` gives its cookie of a sign-out that is under way.
pub async fn received(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    came: Came<'_>,
    session: Option<&str>,
    held: impl Fn(&str) -> Option<Sealed>,
) -> Result<Outcome, Error> {
    let found = broker.connection(tenant, connection).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let settings = found.upstream.saml().ok_or(LoginError::ConnectionUnavailable)?;
    let target = Target { tenant, connection, settings };
    let outcome = async {
        let message = Message::read(came).map_err(LoginError::Saml)?;
        if !message.is_response {
            return theirs::ended(broker, &target, message, session).await;
        }
        let handle = message.relay_state.as_deref().unwrap_or_default();
        let held = held(handle);
        ours::answered(broker, &target, &message, held.as_ref()).await
    };
    outcome.await.map_err(|error| match error {
        Error::Login(LoginError::Saml(refused)) => LoginError::SamlLogout(refused).into(),
        error => error,
    })
}

/// A message of the provider's, as its binding has it.
struct Message {
    xml: String,
    is_response: bool,
    relay_state: Option<String>,
    binding: Binding,
    /// Of a query: how it is signed, over what, and the octets.
    signature: Option<(Algorithm, String, Vec<u8>)>,
}

impl Message {
    fn read(came: Came<'_>) -> Result<Self, Refused> {
        let params = match came {
            Came::Redirect(query) => {
                let RedirectMessage { xml, is_response, relay_state, signature } = RedirectMessage::read(query)?;
                return Ok(Self { xml, is_response, relay_state, binding: Binding::Redirect, signature });
            }
            Came::Post(params) => params,
        };
        let get = |name| params.get(name).map_err(|_| Refused::Shape("a parameter is repeated"));
        let (field, is_response) = match (get("SAMLRequest")?, get("SAMLResponse")?) {
            (Some(request), None) => (request, false),
            (None, Some(response)) => (response, true),
            _ => return Err(Refused::Shape("one SAMLRequest or SAMLResponse")),
        };
        let relay_state = get("RelayState")?.map(str::to_owned);
        Ok(Self { xml: posted(field)?, is_response, relay_state, binding: Binding::Post, signature: None })
    }

    /// The message, if the provider signed it. In a query it is the query that is signed: a signature in the message counts
    /// for nothing there (saml-bindings §3.4.4.1).
    async fn verified(&self, broker: &Broker, target: &Target<'_>) -> Result<String, Error> {
        let known = parties(broker, target).await?;
        let signed = match self.signed(&known.keys(broker)).await {
            Err(VerifyError::Refused(Refused::Signature)) => match renewed(broker, target, &known).await? {
                Some(renewed) => self.signed(&renewed.keys(broker)).await,
                None => Err(Refused::Signature.into()),
            },
            signed => signed,
        };
        Ok(known.keys(broker).opened(signed?).await?)
    }

    async fn signed(&self, keys: &Keys<'_>) -> Result<String, VerifyError> {
        match (self.binding, &self.signature) {
            (Binding::Post, _) => keys.content(signed_logout(&self.xml)?).await,
            (Binding::Redirect, None) => Err(Refused::Unsigned.into()),
            (Binding::Redirect, Some((algorithm, input, signature))) => {
                keys.signed(*algorithm, input.as_bytes(), signature).await.map(|()| self.xml.clone())
            }
        }
    }
}

/// Where the provider takes logout messages: by `favourite`, or as it likes.
fn endpoint(parties: &Parties, favourite: Binding) -> Option<&Endpoint> {
    let all = &parties.facts.single_logout;
    all.iter().find(|endpoint| endpoint.binding == favourite).or_else(|| all.first())
}
