//! What a sign-in with these claims would come to. Nothing is stored, and nothing of the claims is logged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vestibule_protocol::mapping::attribute::Reading;
use vestibule_protocol::mapping::rule::{Granted, Kind, Outcome, Unmet};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::oidc::groups::Groups;

use super::{check, drafted};
use crate::Broker;
use crate::admin::{Checked, check_id, tenants, test_logins};
use crate::error::{AdminError, Error};
use crate::mapping::{self, Evidence};
use crate::model::connection::ClaimNames;
use crate::model::mapping::Mapping;
use crate::model::test_login::TestClaims;
use crate::model::user::Profile;
use crate::saml::claims::complete;
use crate::store::key;
use crate::upstream::person::{self, Said};

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewInput {
    /// The connection through which the claims come. It may be disabled.
    pub connection: String,
    /// The claims of the ID token.
    #[serde(default)]
    pub id_token: Map<String, Value>,
    /// The claims of userinfo.
    #[serde(default)]
    pub userinfo: Map<String, Value>,
    /// With protocol `saml`, in place of both: an assertion as a test login shows it. `sub` is its `NameID`; attributes have their
    /// own names, and short names that follow from long ones need not be there.
    #[serde(default)]
    pub assertion: Option<Map<String, Value>>,
    /// A test login of the connection that is done: its claims, in place of sent ones.
    #[serde(default)]
    pub test_login: Option<String>,
    /// A mapping that is not saved yet; the one that is set when left out.
    #[serde(default)]
    pub mapping: Option<Mapping>,
}

/// What the claims come to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Preview {
    /// What names the person for good; null where nothing does, and the sign-in is refused.
    pub unique_id: Option<String>,
    /// Who the person is.
    pub profile: Profile,
    /// Which groups they are in.
    pub groups: Groups,
    /// The attributes that the connection keeps besides.
    pub attributes: Vec<AttributeReading>,
    /// The role that counts.
    pub role: Option<String>,
    /// All roles that are granted, and why.
    pub roles: Vec<Granted>,
    /// The teams.
    pub teams: Vec<Granted>,
    /// The business units, to which all of these teams belong.
    pub business_units: Vec<Granted>,
    /// The rules that granted nothing, or not all that they would.
    pub unmet: Vec<Unmet>,
    /// Whether the sign-in is refused because there is no role, unless an administrator or a directory granted one.
    pub refused: bool,
}

/// An attribute, and where it comes from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AttributeReading {
    /// Its name here.
    pub name: String,
    /// Where it was looked for.
    pub path: String,
    /// Its value; null where there is none.
    pub value: Option<Value>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
}

/// Shows what would come of these claims.
pub async fn preview(
    broker: &Broker,
    tenant: &str,
    Checked { input, mut problems }: Checked<PreviewInput>,
) -> Result<Preview, Error> {
    tenants::exists(broker, tenant).await?;
    if let Some(draft) = &input.mapping {
        check(&mut problems, "/mapping", draft);
    }
    let sent_tokens = !(input.id_token.is_empty() && input.userinfo.is_empty());
    if input.test_login.is_some() && (sent_tokens || input.assertion.is_some()) {
        problems.add("/test_login", "is in place of claims that are sent: send one or the other");
    }
    if input.assertion.is_some() && sent_tokens {
        problems.add("/assertion", "is in place of id_token and userinfo: send one or the other");
    }
    problems.none()?;
    check_id("connection", &input.connection)?;
    let found = key::connection(tenant, &input.connection).get(&*broker.platform.store).await?;
    let connection = found.ok_or_else(|| AdminError::problem("/connection", "is none of the tenant's"))?.value;
    let mapping = drafted(broker, tenant, input.mapping).await?;
    let names = connection.upstream.claims();
    if input.assertion.is_some() && connection.upstream.saml().is_none() {
        return Err(AdminError::problem("/assertion", "belongs to a connection with protocol saml").into());
    }
    let (id_token, userinfo) = match (&input.test_login, input.assertion) {
        (None, None) => (Claims::from(input.id_token), Claims::from(input.userinfo)),
        (None, Some(assertion)) => (complete(assertion), Claims::from(Map::new())),
        (Some(id), _) => tested(broker, (tenant, &input.connection), id).await?,
    };
    let said = Said::new(&id_token, Some(&userinfo), names);
    let evidence = Evidence::Claims { connection: &input.connection, claims: &said.claims };
    let outcome = mapping::ask(&mapping, None, evidence);
    let roles = mapping.role_names();
    let role = mapping.role_choice.choose(&roles, outcome.names(Kind::Role)).map(str::to_owned);
    Ok(Preview {
        unique_id: person::unique_id(&names.unique_id, &id_token, Some(&userinfo)),
        attributes: readings(&said.claims, names),
        profile: said.profile,
        groups: said.groups,
        refused: mapping.requires_role() && role.is_none(),
        role,
        roles: granted(&outcome, Kind::Role),
        teams: granted(&outcome, Kind::Team),
        business_units: granted(&outcome, Kind::BusinessUnit),
        unmet: outcome.unmet,
    })
}

/// What a test login brought, from ID token and userinfo, or from an assertion alone.
async fn tested(broker: &Broker, connection: (&str, &str), id: &str) -> Result<(Claims, Claims), Error> {
    let claims = test_logins::claims(broker, connection, id).await?;
    let not_done = || AdminError::problem("/test_login", "is no test login of the connection that is done");
    let TestClaims { id_token, userinfo, assertion } = claims.ok_or_else(not_done)?;
    Ok((Claims::from(assertion.unwrap_or(id_token)), Claims::from(userinfo.unwrap_or_default())))
}

fn granted(outcome: &Outcome, kind: Kind) -> Vec<Granted> {
    outcome.granted.iter().filter(|granted| granted.grants == kind).cloned().collect()
}

fn readings(claims: &Claims, names: &ClaimNames) -> Vec<AttributeReading> {
    let read = names.attributes.iter().map(|(name, mapping)| {
        let (value, problem) = match mapping.read(claims) {
            Reading::Value(value) => (Some(value), None),
            Reading::Nothing => (None, Some("the claims say nothing of it")),
            Reading::TooLong => (None, Some("it has more than 2048 bytes: it is left out whole")),
        };
        AttributeReading { name: name.clone(), path: mapping.path.to_string(), value, problem }
    });
    read.collect()
}
