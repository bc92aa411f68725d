//! A request to sign somebody in, as the provider reads it.

use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::Document;
use url::{Url, form_urlencoded};
use vestibule_protocol::saml::{RedirectMessage, Refused};

/// What is asked of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The request's id.
    pub id: String,
    /// Who asks.
    pub issuer: String,
    /// Where the answer goes.
    pub acs: String,
    /// To be given back.
    pub relay_state: Option<String>,
    /// The whole request.
    pub xml: String,
    /// Where it came to, without what was sent along.
    pub to: String,
}

impl Asked {
    /// Reads a request that came by redirect.
    pub fn by_redirect(location: &Url) -> Result<Self, Refused> {
        let message = RedirectMessage::read(location.query().unwrap_or_default())?;
        let mut to = location.clone();
        let own: Vec<(String, String)> = location
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| !["SAMLRequest", "RelayState", "SigAlg", "Signature"].contains(&name.as_str()))
            .collect();
        let own = form_urlencoded::Serializer::new(String::new()).extend_pairs(own).finish();
        to.set_query(Some(own.as_str()).filter(|own| !own.is_empty()));
        Self::read(message.xml, message.relay_state, to.as_str())
    }

    /// Reads a request that came in a form.
    pub fn by_post(to: &str, request: &str, relay_state: Option<&str>) -> Result<Self, Refused> {
        let bytes = STANDARD.decode(request).map_err(|_| Refused::Encoding)?;
        let xml = String::from_utf8(bytes).map_err(|_| Refused::Encoding)?;
        Self::read(xml, relay_state.map(str::to_owned), to)
    }

    fn read(xml: String, relay_state: Option<String>, to: &str) -> Result<Self, Refused> {
        let document = Document::parse(&xml).map_err(|_| Refused::Malformed)?;
        let root = document.root_element();
        let attribute = |name: &'static str| root.attribute(name).map(str::to_owned).ok_or(Refused::Shape(name));
        let issuer = root.first_element_child().and_then(|issuer| issuer.text()).ok_or(Refused::Issuer)?.to_owned();
        let (id, acs) = (attribute("ID")?, attribute("AssertionConsumerServiceURL")?);
        if root.tag_name().name() != "AuthnRequest" || root.attribute("Destination") != Some(to) {
            return Err(Refused::Destination);
        }
        Ok(Self { id, issuer, acs, relay_state, to: to.to_owned(), xml })
    }

    /// What somebody asks who asks nothing: the provider begins by itself.
    pub fn nothing(issuer: &str, acs: &str) -> Self {
        let (issuer, acs) = (issuer.to_owned(), acs.to_owned());
        Self { id: String::new(), issuer, acs, relay_state: None, xml: String::new(), to: String::new() }
    }
}
