//! A response that an administrator pasted, explained: every mistake in it at once, with what it says beside what the
//! connection expects. That it is old, and whose request it answers, is no mistake. It is not kept, and what it says of a
//! person is not repeated.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::mapping::path::ClaimPath;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::saml::{Certificate, Expected, NameId, Outline, Refused, Verified, failure, pasted};

use super::saml::quoted;
use super::{Look, Severity};
use crate::error::Error;
use crate::model::connection::{ClaimNames, IdpFacts};
use crate::model::saml::KeyUsage;
use crate::saml::claims::{claims_of, is_transient};
use crate::saml::facts::fingerprint;
use crate::saml::names::Names;
use crate::saml::start::request_id;
use crate::saml::verify::{Keys, VerifyError};
use crate::saml::{Target, keys};
use crate::store::key;
use crate::upstream::person::unique_id;

/// Most attributes that are told.
const ATTRIBUTES: usize = 100;

/// What a response holds, without what it says of anybody.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResponseView {
    /// Whether a certificate of the connection's signed it.
    pub verified: bool,
    /// The attributes that came: how many values each has.
    pub attributes: BTreeMap<String, usize>,
    /// The claims of the connection, and whether something was found where it looks for them.
    pub claims: BTreeMap<String, bool>,
}

/// Explains the response `sent` of a provider of which `facts` are known.
pub(super) async fn check(
    look: &mut Look<'_>,
    target: &Target<'_>,
    facts: Option<&IdpFacts>,
    sent: &str,
) -> Result<Option<ResponseView>, Error> {
    let read = pasted(sent).and_then(|text| Outline::of(&text, None).map(|outline| (text, outline)));
    let (text, seen) = match read {
        Ok(read) => read,
        Err(refused) => {
            let message = format!(
                "What was sent is no response: {refused}. Paste the value of the form field SAMLResponse, or the XML."
            );
            look.find(Severity::Error, refused.name(), message);
            return Ok(None);
        }
    };
    if let Some(failure) = failure(&text) {
        let message = format!("The provider did not sign the person in. It reports {}.", failure.status);
        look.find(Severity::Error, "status", message);
        return Ok(None);
    }
    let names = Names::of(look.broker, target);
    let mut response = Pasted { look, target, facts, names, seen };
    let verified = response.verify(&text).await?;
    if let Some(verified) = &verified {
        // What was encrypted is seen now.
        let opened = Outline::of(&verified.response, verified.assertion.as_deref());
        response.seen = Outline { signatures: response.seen.signatures, ..opened.unwrap_or_default() };
    }
    response.addressed();
    response.clock();
    response.answered();
    let found = response.person();
    if let Some(verified) = &verified {
        response.rest(verified);
    }
    let counts = response.seen.attributes.iter().take(ATTRIBUTES);
    let attributes = counts.map(|found| (found.name.chars().take(200).collect(), found.values.len())).collect();
    Ok(Some(ResponseView { verified: verified.is_some(), attributes, claims: found }))
}

struct Pasted<'l, 'a> {
    look: &'l mut Look<'a>,
    target: &'l Target<'l>,
    facts: Option<&'l IdpFacts>,
    names: Names,
    seen: Outline,
}

impl Pasted<'_, '_> {
    fn wrong(&mut self, refused: Refused, message: String) {
        self.look.find(Severity::Error, refused.name(), message);
    }

    /// What signatures vouch for, if they do.
    async fn verify(&mut self, text: &str) -> Result<Option<Verified>, Error> {
        let Target { tenant, connection, .. } = *self.target;
        let platform = &self.look.broker.platform;
        let ours = key::saml_keys(tenant, connection).get(&*platform.store).await?;
        let ours = ours.iter().flat_map(|found| found.value.of(KeyUsage::Encryption));
        let open = |key| keys::open(self.look.broker, (tenant, connection), key);
        let encryption = ours.map(open).collect::<Result<Vec<_>, _>>()?;
        let known = self.facts.map(|facts| facts.certificates.as_slice()).unwrap_or_default();
        let signing: Vec<_> =
            known.iter().filter_map(|text| Certificate::read(text).ok()).map(|certificate| certificate.key).collect();
        let keys = Keys { crypto: &*platform.crypto, signing: &signing, encryption: &encryption };
        let problems: Vec<Refused> = self.seen.signatures.iter().filter_map(|signature| signature.problem).collect();
        for problem in problems {
            self.wrong(problem, format!("The response is refused: {problem}."));
        }
        match Box::pin(keys.verified(text)).await {
            Ok(verified) => Ok(Some(verified)),
            Err(VerifyError::Crypto(error)) => Err(error.into()),
            Err(VerifyError::Refused(refused)) => {
                let message = self.unverified(refused, !encryption.is_empty());
                self.wrong(refused, message);
                Ok(None)
            }
        }
    }

    fn unverified(&self, refused: Refused, has_key: bool) -> String {
        match refused {
            Refused::Signature => {
                let named = self.seen.signatures.iter().filter_map(|signature| signature.certificate.as_deref());
                let named: Vec<String> = named.map(fingerprint).collect();
                let known = self.facts.map(|facts| facts.certificates.as_slice()).unwrap_or_default();
                let known: Vec<String> =
                    known.iter().filter_map(|text| STANDARD.decode(text).ok()).map(|der| fingerprint(&der)).collect();
                format!(
                    "No certificate of this connection made the signature. It names the one whose SHA-256 is {}; the connection \
                     knows {}. Take the provider's present metadata or certificate over.",
                    if named.is_empty() { "not told".to_owned() } else { named.join(", ") },
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") },
                )
            }
            Refused::Digest => {
                "The response was changed after it was signed. If you copied XML that a tool had formatted, copy \
                                the form field SAMLResponse instead."
                    .to_owned()
            }
            Refused::Decryption if has_key => {
                "The assertion is encrypted, and for none of our keys: give the provider the \
                                               encryption certificate that is in our metadata now."
                    .to_owned()
            }
            Refused::Decryption => {
                "The assertion is encrypted, and this connection has no key for that: set wants_encryption and \
                                    give the provider our metadata anew, or switch encryption off there."
                    .to_owned()
            }
            refused => format!("The response is refused: {refused}."),
        }
    }

    /// Who made it, and for whom: what is configured on both sides.
    fn addressed(&mut self) {
        let ours = [
            (Refused::Issuer, self.seen.issuers.clone(), self.target.settings.idp_entity_id.clone()),
            (Refused::Destination, self.seen.addresses.clone(), self.names.acs.clone()),
        ];
        for (refused, named, expected) in ours {
            let Some(other) = named.iter().find(|named| **named != expected) else { continue };
            let (other, expected) = (quoted(other), quoted(&expected));
            let message = if refused == Refused::Issuer {
                format!(
                    "The response is from {other}, the connection's idp_entity_id is {expected}. They must be equal to the letter."
                )
            } else {
                format!(
                    "The response is for the address {other}; our assertion consumer service for this connection is {expected}."
                )
            };
            self.wrong(refused, message);
        }
        let audiences = &self.seen.audiences;
        if self.seen.has_assertion && !audiences.contains(&self.names.entity_id) {
            let named: Vec<String> = audiences.iter().take(5).map(|name| quoted(name)).collect();
            let named = if named.is_empty() { "nobody in particular".to_owned() } else { named.join(", ") };
            let message = format!(
                "The assertion is for {named}. Our entity id for this connection is {}: set it at the provider, where it asks for \
                 an entity id, identifier or audience of ours.",
                quoted(&self.names.entity_id)
            );
            self.wrong(Refused::Audience, message);
        }
    }

    /// Whether the provider's clock is ahead. That it is behind cannot be told from a response, which is old.
    fn clock(&mut self) {
        let now = self.look.broker.platform.clock.now().seconds();
        let latest = self.seen.issued_at.max(self.seen.starts);
        let ahead = latest.map_or(0, |at| at.seconds() - now);
        if ahead > self.look.skew.0 {
            let message = format!(
                "The response is from {ahead} s in the future; {} s are tolerated. Set the provider's clock.",
                self.look.skew.0
            );
            self.wrong(Refused::NotYet, message);
        }
    }

    /// Whether it answers a request such as ours are.
    fn answered(&mut self) {
        let is_taken = self.target.settings.idp_initiated.is_some();
        match &self.seen.in_response_to {
            None if !is_taken => {
                let message = "The response answers no request: the sign-in began at the provider, which this connection does not \
                               accept. Set idp_initiated, or begin at the application.";
                self.wrong(Refused::Unsolicited, message.to_owned());
            }
            Some(named) if named.len() != request_id("0123456789abcdefghijkl").len() || !named.starts_with('_') => {
                let message = "The response names a request that cannot be ours. Where sign-ins begin at the provider, it must name \
                               none: at Rippling, tick \"Disable InResponseTo field\".";
                self.wrong(Refused::DummyInResponseTo, message.to_owned());
            }
            _ => {}
        }
    }

    /// Whom it is about, as the connection looks for them; says which claims were found.
    fn person(&mut self) -> BTreeMap<String, bool> {
        if !self.seen.has_assertion {
            return BTreeMap::new();
        }
        let nobody = NameId { value: String::new(), format: None, name_qualifier: None, sp_name_qualifier: None };
        let name = self.seen.name_id.clone();
        let Outline { attributes, session_index, context, .. } = &self.seen;
        let claims = claims_of(name.as_ref().unwrap_or(&nobody), attributes, session_index.as_ref(), context.as_ref());
        let names = &self.target.settings.claims;
        let id = unique_id(&names.unique_id, &claims, None).filter(|id| !id.is_empty());
        let is_name = id.is_some() && id.as_ref() == name.as_ref().map(|name| &name.value);
        if name.is_none() {
            self.wrong(Refused::NameId, "The assertion names nobody: have the provider send a NameID.".to_owned());
        } else if is_name && name.as_ref().is_some_and(is_transient) {
            self.wrong(Refused::Transient, format!("{}.", capitalized(&Refused::Transient.to_string())));
        } else if id.is_none() {
            let message = format!(
                "Nothing is found at the connection's unique_id_claim, {}: see which attributes came, or take the claim out for the NameID.",
                quoted(names.unique_id.as_str())
            );
            self.look.find(Severity::Error, "unique_id", message);
        }
        let found = found(names, &claims, id.is_some());
        if found.get("email") == Some(&false) {
            let message = format!(
                "No e-mail address is found at the connection's email_claim, {}.",
                quoted(names.email.as_str())
            );
            self.look.find(Severity::Warning, "email", message);
        }
        found
    }

    /// Whatever else a sign-in would be refused for, at the time of the response.
    fn rest(&mut self, verified: &Verified) {
        let expected = Expected {
            issuer: &self.target.settings.idp_entity_id,
            audience: &self.names.entity_id,
            acs: &self.names.acs,
            request: self.seen.in_response_to.as_deref(),
            unsolicited: self.seen.in_response_to.is_none(),
            now: self.seen.issued_at.max(self.seen.starts).unwrap_or_else(|| self.look.broker.platform.clock.now()),
            skew: self.look.skew,
        };
        if let Err(refused) = verified.read(&expected) {
            self.wrong(refused, format!("The response is refused: {refused}."));
        }
    }
}

/// Where the connection looks for claims, and whether anything is there.
fn found(names: &ClaimNames, claims: &Claims, has_id: bool) -> BTreeMap<String, bool> {
    let usual: [(&str, &ClaimPath); 6] = [
        ("email", &names.email),
        ("groups", &names.groups),
        ("preferred_username", &names.preferred_username),
        ("name", &names.name),
        ("given_name", &names.given_name),
        ("family_name", &names.family_name),
    ];
    let usual = usual.into_iter().map(|(name, path)| (name.to_owned(), path));
    let more = names.attributes.iter().map(|(name, mapping)| (format!("attributes.{name}"), &mapping.path));
    let mut found: BTreeMap<String, bool> =
        usual.chain(more).map(|(name, path)| (name, !path.find(claims).is_empty())).collect();
    found.insert("unique_id".to_owned(), has_id);
    found
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
