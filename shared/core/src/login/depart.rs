//! To the identity provider: what a login, or a test of one, asks there, in the protocol of the connection.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_protocol::oauth::acr::Classes;
use vestibule_protocol::oauth::prompt::Prompt;
use vestibule_protocol::time::Seconds;

use super::state::Proof;
use crate::Broker;
use crate::error::Error;
use crate::handle::{new_id, new_secret};
use crate::model::connection::Upstream;
use crate::saml;
use crate::saml::sending::Sending;
use crate::upstream::Target;
use crate::upstream::request::{Asked, authorization_url};

/// What the application wishes of the sign-in.
#[derive(Clone, Copy)]
pub(super) struct Wishes<'a> {
    /// Who is probably signing in.
    pub(super) login_hint: Option<&'a str>,
    /// Whether the person is asked in any case.
    pub(super) prompt: &'a Prompt,
    /// How long ago they may have proved who they are.
    pub(super) max_age: Option<Seconds>,
    /// How strongly.
    pub(super) classes: &'a Classes,
}

impl Wishes<'_> {
    /// Whether the person must prove anew who they are.
    fn sign_in_anew(&self) -> bool {
        let asked = matches!(self.prompt, Prompt::Ask(ways) if ways.split(' ').any(|way| way == "login"));
        asked || self.max_age == Some(Seconds(0))
    }
}

/// A login on its way to the provider.
pub(super) struct Departure {
    /// Its new id.
    pub(super) id: String,
    /// What the answer will be held against.
    pub(super) proof: Proof,
    pub(super) sending: Sending,
}

/// Sends somebody to the provider of this connection.
pub(super) async fn depart(
    broker: &Broker,
    (tenant, connection): (&str, &str),
    upstream: &Upstream,
    wishes: Wishes<'_>,
) -> Result<Departure, Error> {
    let random = &*broker.platform.random;
    let id = new_id(random);
    match upstream {
        Upstream::Oidc(settings) => {
            let verifier = URL_SAFE_NO_PAD.encode(new_secret(random).expose());
            let nonce = new_id(random);
            let asked = Asked {
                state: &id,
                nonce: &nonce,
                verifier: &verifier,
                login_hint: wishes.login_hint,
                prompt: wishes.prompt,
                max_age: wishes.max_age,
                classes: wishes.classes,
            };
            let target = Target { tenant, connection, settings };
            let sending = Sending::Redirect(authorization_url(broker, &target, &asked).await?);
            let proof = Proof::Oidc { verifier, nonce, response_mode: settings.request.response_mode };
            Ok(Departure { id, proof, sending })
        }
        Upstream::Saml(settings) => {
            let target = saml::Target { tenant, connection, settings };
            let sending = saml::start::request(broker, &target, &id, wishes.sign_in_anew()).await?;
            Ok(Departure { id, proof: Proof::Saml, sending })
        }
    }
}
