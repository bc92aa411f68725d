//! Messages of ours on their way through the browser: in a query, or in a form that a page posts (saml-bindings §3.4, §3.5).

use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;
use vestibule_protocol::saml::{Binding, RedirectMessage, ToSign};

use crate::Broker;
use crate::error::Error;
use crate::platform::PrivateKey;

/// How the browser takes a message along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// In the address that it is redirected to.
    Redirect(Url),
    /// In a form.
    Post(PostForm),
}

/// A form that a page of ours posts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForm {
    /// Where to.
    pub to: Url,
    /// Names and values.
    pub fields: Vec<(&'static str, String)>,
}

/// A message that is to be sent.
pub(crate) struct Outgoing<'a> {
    pub(crate) binding: Binding,
    /// The provider's address.
    pub(crate) location: &'a str,
    /// The message, in canonical form.
    pub(crate) xml: String,
    /// Its id.
    pub(crate) id: &'a str,
    pub(crate) is_response: bool,
    pub(crate) relay_state: Option<&'a str>,
}

impl Outgoing<'_> {
    /// The message as its binding has it, signed if there is a key.
    pub(crate) async fn send(self, broker: &Broker, signer: Option<&PrivateKey>) -> Result<Sending, Error> {
        let mut to = Url::parse(self.location).map_err(|_| Error::bug("a provider's address is not a URL"))?;
        match self.binding {
            Binding::Redirect => {
                let query = self.query(broker, signer).await?;
                let query = to.query().map_or_else(|| query.clone(), |own| format!("{own}&{query}"));
                to.set_query(Some(&query));
                to.set_fragment(None);
                Ok(Sending::Redirect(to))
            }
            Binding::Post => {
                let kind = if self.is_response { "SAMLResponse" } else { "SAMLRequest" };
                let relay_state = self.relay_state.map(|value| ("RelayState", value.to_owned()));
                let message = STANDARD.encode(self.enveloped(broker, signer).await?);
                Ok(Sending::Post(PostForm {
                    to,
                    fields: std::iter::once((kind, message)).chain(relay_state).collect(),
                }))
            }
        }
    }

    async fn query(&self, broker: &Broker, signer: Option<&PrivateKey>) -> Result<String, Error> {
        let algorithm = signer.map(|key| key.algorithm);
        let query = RedirectMessage::write(&self.xml, self.is_response, self.relay_state, algorithm);
        let Some(key) = signer else { return Ok(query) };
        let signature = broker.platform.crypto.sign(key, query.as_bytes()).await?;
        Ok(RedirectMessage::with_signature(&query, &signature))
    }

    async fn enveloped(self, broker: &Broker, signer: Option<&PrivateKey>) -> Result<String, Error> {
        let Some(key) = signer else { return Ok(self.xml) };
        let message = ToSign::new(self.xml, self.id, key.algorithm);
        let message = message.ok_or(Error::bug("a key that SAML messages are not signed with"))?;
        let signature = broker.platform.crypto.sign(key, message.input()).await?;
        Ok(message.signed(&signature))
    }
}
