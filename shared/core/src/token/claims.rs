//! What stands in tokens beside what the protocols need: which claims about the person, for which application.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::mapping::rule::Kind;
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::added_claims::{is_protocols, is_providers};
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::time::Timestamp;

use crate::Broker;
use crate::error::Error;
use crate::mapping;
use crate::model::client::Client;
use crate::model::session::{AuthenticationMethod, Subject};
use crate::model::user::{Profile, User};
use crate::status_list::StatusClaim;
use crate::store::key;
use crate::store::record::Stored;

/// The claims of an access token (RFC 9068 §2.2), with `tenant` and `sid` beside them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) client_id: String,
    pub(crate) iat: Timestamp,
    pub(crate) exp: Timestamp,
    /// `grant.random`: the grant that it came from can be found again.
    pub(crate) jti: String,
    pub(crate) scope: Scope,
    pub(crate) tenant: String,
    pub(crate) sid: String,
    /// Where its revocation would be seen. Missing in the tokens of a family that began before there was a status list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<StatusClaim>,
    /// Those that the client wants. None of them has the name of one above.
    #[serde(flatten, skip_deserializing)]
    pub(crate) chosen: Map<String, Value>,
}

/// The claims of an ID token (OpenID Connect Core §2).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IdClaims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) iat: Timestamp,
    pub(crate) exp: Timestamp,
    pub(crate) auth_time: Timestamp,
    #[serde(flatten)]
    pub(crate) method: AuthenticationMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    pub(crate) at_hash: String,
    pub(crate) tenant: String,
    pub(crate) sid: String,
    /// Those about the person. None of them has the name of one above.
    #[serde(flatten, skip_deserializing)]
    pub(crate) chosen: Map<String, Value>,
}

/// The claims about a person that an application's tokens hold.
pub(super) struct Chosen {
    pub(super) id_token: Map<String, Value>,
    pub(super) access_token: Map<String, Value>,
}

/// Chooses by the client's settings. One that has none gets in its ID tokens what the scope reveals and what was added.
pub(super) async fn choose(
    broker: &Broker,
    client: &Client,
    subject: &Subject,
    scope: &Scope,
) -> Result<Chosen, Error> {
    let known = Known::of(broker, subject, client.id_token_claims.iter().flatten().chain(&client.access_token_claims));
    let known = known.await?;
    let id_token =
        if let Some(names) = &client.id_token_claims { known.only(names, client) } else { visible(subject, scope) };
    Ok(Chosen { id_token, access_token: known.only(&client.access_token_claims, client) })
}

/// Those that userinfo holds beside what the scope reveals.
pub(crate) async fn for_userinfo(
    broker: &Broker,
    client: &Client,
    subject: &Subject,
) -> Result<Map<String, Value>, Error> {
    let known = Known::of(broker, subject, client.userinfo_claims.iter()).await?;
    Ok(known.only(&client.userinfo_claims, client))
}

/// What the scope reveals, and what a webhook added.
pub(crate) fn visible(subject: &Subject, scope: &Scope) -> Map<String, Value> {
    let added = subject.claims.iter().map(|(name, value)| (name.to_owned(), value.clone()));
    members(&subject.profile.visible_to(scope)).into_iter().chain(added).collect()
}

/// The role of a person that counts, as their record says now.
pub(crate) async fn role(broker: &Broker, subject: &Subject) -> Result<Option<String>, Error> {
    Ok(Person::read(broker, subject).await?.and_then(|person| person.role))
}

/// Whether a claim says what the tenant's rules, or an administrator, made of a person.
pub(crate) fn is_access(name: &str) -> bool {
    ["roles", "teams", "business_units"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn members(profile: &Profile) -> Map<String, Value> {
    match serde_json::to_value(profile) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// All that is known of a person here.
struct Known<'a> {
    profile: Map<String, Value>,
    subject: &'a Subject,
    /// Read only where it is wanted: there may be much.
    person: Option<Person>,
}

/// What is in the person's own record, as it is now.
struct Person {
    user: User,
    /// The role that counts.
    role: Option<String>,
}

impl<'a> Known<'a> {
    /// As much as is needed for claims of these names.
    async fn of(broker: &Broker, subject: &'a Subject, names: impl Iterator<Item = &String>) -> Result<Self, Error> {
        let mut known = Self { profile: members(&subject.profile), subject, person: None };
        // What nobody said at the login may be in the record.
        let mut open = names.filter(|name| *name == "groups" || (known.said(name).is_none() && !is_providers(name)));
        if open.next().is_some() {
            known.person = Person::read(broker, subject).await?;
        }
        Ok(known)
    }

    /// The claims of these names, as far as there are any, under the names that the client has for them.
    fn only(&self, names: &[String], client: &Client) -> Map<String, Value> {
        let mut chosen = Map::new();
        for name in names {
            let groups = self.person.as_ref().map_or(&Groups::NotSent, |person| &person.user.groups);
            let (name, value) = match (name.as_str(), groups) {
                // Never as if there were none.
                ("groups", Groups::Overage) => ("groups_overage", Some(true.into())),
                (name, _) => (name, self.said(name).or_else(|| self.person.as_ref()?.claim(name))),
            };
            let theirs = client.claim_names.get(name).map_or(name, String::as_str);
            // A name that got its meaning after it was set.
            if is_protocols(theirs) {
                continue;
            }
            chosen.extend(value.map(|value| (theirs.to_owned(), value)));
        }
        chosen
    }

    /// What the provider said at the login, and what a webhook added to it, which goes before what the rules made.
    fn said(&self, name: &str) -> Option<Value> {
        match name {
            "connection" => self.subject.connection.clone().map(Value::from),
            name => self.profile.get(name).or_else(|| self.subject.claims.get(name)).cloned(),
        }
    }
}

impl Person {
    async fn read(broker: &Broker, subject: &Subject) -> Result<Option<Self>, Error> {
        let found = key::user(&subject.tenant, &subject.user).get(&*broker.platform.store).await?;
        let Some(Stored { value: user, .. }) = found else { return Ok(None) };
        let mapping = broker.mapping(&subject.tenant).await?;
        let role = mapping::role(&mapping, &user.access).map(str::to_owned);
        Ok(Some(Self { user, role }))
    }

    fn claim(&self, name: &str) -> Option<Value> {
        match name {
            "groups" => match &self.user.groups {
                Groups::Known(names) => Some(names.clone().into()),
                Groups::NotSent | Groups::Overage => None,
            },
            // Others that were granted do not count: whoever reads the token must not add them up.
            "roles" => Some(self.role.iter().cloned().collect()),
            "teams" => Some(self.user.access.names(Kind::Team).into()),
            "business_units" => Some(self.user.access.names(Kind::BusinessUnit).into()),
            name => self.user.mapped_attributes.get(name).cloned(),
        }
    }
}
