//! A look at a provider that speaks SAML: what it publishes now beside what the connection knows, and what would keep people
//! from signing in.

use vestibule_protocol::saml::{Certificate, Refused, described};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Look, Severity};
use crate::error::Error;
use crate::model::connection::{Connection, IdpFacts, IdpInitiated, IdpInitiatedMode};
use crate::saml::Target;
use crate::saml::facts::{self, FactsError, fingerprint};
use crate::store::key;

/// How long before its end something is told to end.
const SOON: Seconds = Seconds(30 * 86_400);
const ACCEPTED: &str = "application/samlmetadata+xml, application/xml, text/xml";

/// Looks at the provider. What is known of it now is the answer, if anything is.
pub(super) async fn check(
    look: &mut Look<'_>,
    connection: &Connection,
    target: &Target<'_>,
) -> Result<Option<IdpFacts>, Error> {
    let settings = target.settings;
    let facts = match &settings.metadata_url {
        Some(url) => {
            let published = published(look, url.as_str(), &settings.idp_entity_id).await;
            let stored = key::saml_provider(target.tenant, target.connection).get(&*look.broker.platform.store).await?;
            let stored = stored.map(|stored| stored.value).filter(|stored| stored.is_of(target, url));
            let stored = stored.and_then(|stored| stored.fetched).map(|fetched| fetched.facts);
            if let (Some(published), Some(stored)) = (&published, &stored) {
                compare(look, published, stored);
            }
            published.or(stored)
        }
        None => settings.idp.clone(),
    };
    if let Some(facts) = &facts {
        certificates(look, facts);
        let ends = facts.valid_until.filter(|_| settings.metadata_url.is_none());
        if let Some(ends) = ends {
            ending(look, ends);
        }
        if connection.logout.at_provider && facts.single_logout.is_empty() {
            let message = "Whoever signs out here is to sign out at the provider too, and it has no single logout service. \
                           Switch logout.at_provider off.";
            look.find(Severity::Warning, "logout_unsupported", message.to_owned());
        }
    }
    if connection.status_probe.is_none() {
        let message = "Nobody watches this connection's sessions, because SAML has no refresh tokens: they are shorter. Set a \
                       status_probe, or let the provider's directory push by SCIM who has left.";
        look.find(Severity::Warning, "sessions_unwatched", message.to_owned());
    }
    if let Some(initiated) = &settings.idp_initiated {
        application(look, initiated).await?;
    }
    Ok(facts)
}

/// What the provider publishes, if it can be used.
async fn published(look: &mut Look<'_>, address: &str, entity_id: &str) -> Option<IdpFacts> {
    let document = look.fetch("metadata", address, ACCEPTED).await?;
    let text = String::from_utf8_lossy(&document);
    match facts::read(look.broker, &text, Some(entity_id)) {
        Ok((_, facts)) => return Some(facts),
        Err(FactsError::Refused(Refused::Entity)) => {
            let named: Vec<String> = described(&text).iter().take(5).map(|name| quoted(name)).collect();
            let found = if named.is_empty() { "no identity provider".to_owned() } else { named.join(", ") };
            let message = format!(
                "The metadata at {address} describes {found}, the connection says {}. Set idp_entity_id to what the provider \
                 says, if that is the provider you mean.",
                quoted(entity_id)
            );
            look.find(Severity::Error, "entity", message);
        }
        Err(FactsError::Refused(Refused::MetadataExpired)) => {
            let message =
                format!("The metadata at {address} says itself that it is over. The provider must publish it anew.");
            look.find(Severity::Error, "metadata_expired", message);
        }
        Err(problem) => {
            let message = format!("The metadata at {address} {problem}.");
            look.find(Severity::Error, "metadata_unusable", message);
        }
    }
    None
}

/// What the provider publishes now beside what was fetched last.
fn compare(look: &mut Look<'_>, published: &IdpFacts, stored: &IdpFacts) {
    let sorted = |facts: &IdpFacts| {
        let mut all = facts.certificates.clone();
        all.sort_unstable();
        all
    };
    let is_same = sorted(published) == sorted(stored)
        && published.single_sign_on == stored.single_sign_on
        && published.single_logout == stored.single_logout;
    if !is_same {
        let message = "The provider publishes other certificates or addresses than those in use. They are taken over when its \
                       metadata is fetched next.";
        look.find(Severity::Warning, "metadata_changed", message.to_owned());
    }
}

/// What is told of certificates; responses are not refused for it, because providers forget to exchange them.
fn certificates(look: &mut Look<'_>, facts: &IdpFacts) {
    let now = look.broker.platform.clock.now();
    let all: Vec<Certificate> = facts.certificates.iter().filter_map(|text| Certificate::read(text).ok()).collect();
    let told = |is_told: &dyn Fn(Timestamp) -> bool| {
        let of = all.iter().filter(|certificate| is_told(certificate.ends));
        of.map(|certificate| format!("{} ({})", fingerprint(&certificate.der), certificate.ends.day()))
            .collect::<Vec<_>>()
    };
    let over = told(&|ends| ends.has_passed(now));
    if !over.is_empty() {
        let message = format!(
            "Certificates of the provider have ended: {}. What they sign is still accepted. Remove those that are not used, and \
             have the provider exchange the others.",
            over.join(", ")
        );
        look.find(Severity::Warning, "certificate_expired", message);
    }
    let soon = told(&|ends| !ends.has_passed(now) && ends.has_passed(now + SOON));
    if !soon.is_empty() {
        let message = format!(
            "Certificates of the provider end within 30 days: {}. The next ones must be known here before they are used.",
            soon.join(", ")
        );
        look.find(Severity::Warning, "certificate_expires", message);
    }
}

/// The end of metadata that was uploaded.
fn ending(look: &mut Look<'_>, ends: Timestamp) {
    let now = look.broker.platform.clock.now();
    if ends.has_passed(now + SOON) {
        let word = if ends.has_passed(now) { "was" } else { "is" };
        let message = format!(
            "The metadata that was uploaded {word} valid until {}: upload the provider's present metadata, or set metadata_url.",
            ends.day()
        );
        look.find(Severity::Warning, "metadata_expires", message);
    }
}

/// Where a response leads that nobody asked for.
async fn application(look: &mut Look<'_>, initiated: &IdpInitiated) -> Result<(), Error> {
    let found = key::client(&initiated.client).get(&*look.broker.platform.store).await?;
    let begins = found.as_ref().is_some_and(|found| found.value.initiate_login_uri.is_some());
    if found.is_none() || (initiated.mode == IdpInitiatedMode::Restart && !begins) {
        let message = format!(
            "idp_initiated leads to the application {}, which is not there or has no initiate_login_uri.",
            quoted(&initiated.client)
        );
        look.find(Severity::Error, "idp_initiated_client", message);
    }
    Ok(())
}

/// A name in words, of one that nobody would use the beginning.
pub(super) fn quoted(name: &str) -> String {
    let name: String = name.chars().filter(|char| !char.is_control()).take(200).collect();
    format!("\"{name}\"")
}
