//! What stands in tokens beside what the protocols need: which claims about the person, for which application.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::oauth::scope::Scope;
use vestibule_protocol::oidc::groups::Groups;
use vestibule_protocol::time::Timestamp;

use crate::Broker;
use crate::error::Error;
use crate::model::client::Client;
use crate::model::session::{AuthenticationMethod, Subject};
use crate::model::user::Profile;
use crate::store::key;

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
    let mut wanted = client.id_token_claims.iter().flatten().chain(&client.access_token_claims);
    // Read only where they are wanted: there may be many.
    let groups = if wanted.any(|name| name == "groups") {
        let user = key::user(&subject.tenant, &subject.user).get(&*broker.platform.store).await?;
        user.map(|found| found.value.groups).unwrap_or_default()
    } else {
        Groups::NotSent
    };
    let everything = Everything { profile: members(&subject.profile), groups, subject };
    let id_token = if let Some(names) = &client.id_token_claims {
        everything.only(names)
    } else {
        let added = subject.claims.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        members(&subject.profile.visible_to(scope)).into_iter().chain(added).collect()
    };
    Ok(Chosen { id_token, access_token: everything.only(&client.access_token_claims) })
}

fn members(profile: &Profile) -> Map<String, Value> {
    match serde_json::to_value(profile) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// All that is known of a person here.
struct Everything<'a> {
    profile: Map<String, Value>,
    groups: Groups,
    subject: &'a Subject,
}

impl Everything<'_> {
    /// The claims of these names, as far as there are any.
    fn only(&self, names: &[String]) -> Map<String, Value> {
        let mut chosen = Map::new();
        for name in names {
            let (name, value) = match name.as_str() {
                "groups" => match &self.groups {
                    Groups::Known(names) => ("groups", Some(names.clone().into())),
                    // Never as if there were none.
                    Groups::Overage => ("groups_overage", Some(true.into())),
                    Groups::NotSent => ("groups", None),
                },
                "connection" => ("connection", self.subject.connection.clone().map(Value::from)),
                name => (name, self.profile.get(name).or_else(|| self.subject.claims.get(name)).cloned()),
            };
            chosen.extend(value.map(|value| (name.to_owned(), value)));
        }
        chosen
    }
}
