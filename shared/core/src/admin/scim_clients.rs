//! A tenant's OAuth clients for SCIM: made, listed, deleted. Their names are ours to give, so that none can be somebody
//! else's. One cannot be changed: another one is made.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::JwkSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::change::{self, Change, Done, Tagged};
use super::keys::{KeysInput, public_keys};
use super::paging::{self, Page, Paging};
use super::problems::Problems;
use super::scim_access::{check_connection, check_room};
use super::{Checked, check_id, check_name, connections, tenants};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::{SecretHash, new_secret};
use crate::model::audit::ChangeKind;
use crate::model::is_id;
use crate::model::scim_access::{MAX_SCIM_ACCESS_LIFE, MIN_SCIM_ACCESS_LIFE, Proof, ScimClient, TrustedIssuer};
use crate::platform::Random;
use crate::store::record::Stored;
use crate::store::{Expect, key};

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScimClientInput {
    /// What people call it.
    pub name: String,
    /// How it proves who it is.
    pub client_auth: ScimClientAuth,
    /// Its public keys, for `private_key_jwt`: 1 to 10.
    #[serde(default)]
    pub jwks: Option<KeysInput>,
    /// Who vouches for it, for `trusted_issuer`.
    #[serde(default)]
    pub trusted_issuer: Option<TrustedIssuer>,
    /// The connection that it belongs to: people whom it pushes sign in through no other. Through any when left out.
    #[serde(default)]
    pub connection: Option<String>,
    /// How long its access tokens live, in seconds: an hour, which it is when left out, to six.
    #[serde(default = "shortest")]
    pub access_token_life: Seconds,
}

const fn shortest() -> Seconds {
    MIN_SCIM_ACCESS_LIFE
}

/// How a client for SCIM proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScimClientAuth {
    /// By a secret in the `Authorization` header. It is made here.
    ClientSecretBasic,
    /// By a secret in the form. It is made here.
    ClientSecretPost,
    /// By a statement signed with a key of its own.
    PrivateKeyJwt,
    /// By a statement of an issuer that is trusted for it, such as Entra for its workload identities.
    TrustedIssuer,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScimClientView {
    /// Its name at the token endpoint.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// How it proves who it is.
    pub client_auth: ScimClientAuth,
    /// Its public keys, if it signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub jwks: Option<JwkSet>,
    /// Who vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_issuer: Option<TrustedIssuer>,
    /// The connection that it belongs to.
    pub connection: Option<String>,
    /// How long its access tokens live, in seconds.
    pub access_token_life: Seconds,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A client that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewScimClient {
    /// What is seen of it later, too.
    #[serde(flatten)]
    pub view: ScimClientView,
    /// Its secret, if it has one. Nobody can read it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

fn view(id: &str, client: ScimClient) -> ScimClientView {
    let ScimClient { name, proof, connection, access_token_life, created_at, tenant: _ } = client;
    let (client_auth, keys, trusted_issuer) = match proof {
        Proof::ClientSecretBasic { secret: _ } => (ScimClientAuth::ClientSecretBasic, None, None),
        Proof::ClientSecretPost { secret: _ } => (ScimClientAuth::ClientSecretPost, None, None),
        Proof::PrivateKeyJwt { keys } => (ScimClientAuth::PrivateKeyJwt, Some(keys), None),
        Proof::TrustedIssuer(trusted) => (ScimClientAuth::TrustedIssuer, None, Some(trusted)),
    };
    let (client_id, jwks) = (id.to_owned(), keys.map(|keys| JwkSet { keys }));
    ScimClientView { client_id, name, client_auth, jwks, trusted_issuer, connection, access_token_life, created_at }
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/scim-clients/{id}"), change)
}

fn show(broker: &Broker, id: &str, client: ScimClient) -> Result<Tagged<ScimClientView>, Error> {
    let tag = change::tag(broker, &client)?;
    Ok(Tagged { object: view(id, client), tag })
}

/// Makes a client.
pub async fn create(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    Checked { input, mut problems }: Checked<ScimClientInput>,
) -> Result<Tagged<NewScimClient>, Error> {
    tenants::exists(broker, tenant).await?;
    check_name(&mut problems, &input.name);
    if !(MIN_SCIM_ACCESS_LIFE..=MAX_SCIM_ACCESS_LIFE).contains(&input.access_token_life) {
        problems.add("/access_token_life", "must be 3600 to 21600");
    }
    check_connection(broker, &mut problems, tenant, input.connection.as_deref()).await?;
    let random = &*broker.platform.random;
    let secret = URL_SAFE_NO_PAD.encode(new_secret(random).expose());
    let keys = public_keys(&mut problems, input.client_auth == ScimClientAuth::PrivateKeyJwt, input.jwks);
    let trusted = trusted_issuer(broker, &mut problems, input.client_auth, input.trusted_issuer);
    problems.none()?;
    check_room(broker, tenant, key::INDEX_SCIM_CLIENT).await?;
    let hash = SecretHash::of(secret.as_bytes());
    let (proof, client_secret) = match (input.client_auth, trusted) {
        (ScimClientAuth::ClientSecretBasic, _) => (Proof::ClientSecretBasic { secret: hash }, Some(secret)),
        (ScimClientAuth::ClientSecretPost, _) => (Proof::ClientSecretPost { secret: hash }, Some(secret)),
        (ScimClientAuth::PrivateKeyJwt, _) => (Proof::PrivateKeyJwt { keys }, None),
        (ScimClientAuth::TrustedIssuer, Some(trusted)) => (Proof::TrustedIssuer(trusted), None),
        (ScimClientAuth::TrustedIssuer, None) => return Err(Error::bug("a trusted issuer that was not checked")),
    };
    let client = ScimClient {
        tenant: tenant.to_owned(),
        name: input.name,
        proof,
        connection: input.connection,
        access_token_life: input.access_token_life,
        created_at: broker.platform.clock.now(),
    };
    let id = new_client_id(random);
    let record = key::scim_client(&id);
    paging::enter(broker, &key::index_scim_client(tenant, &id)).await?;
    let writes = vec![record.put(&client, Expect::Absent)?];
    change.commit(broker, record.partition(), writes, done(tenant, &id, ChangeKind::Created)).await?;
    let Tagged { object: view, tag } = show(broker, &id, client)?;
    Ok(Tagged { object: NewScimClient { view, client_secret }, tag })
}

/// Names at the token endpoint are ids: 128 random bits in hexadecimal.
fn new_client_id(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    format!("scim-{:032x}", u128::from_be_bytes(bytes))
}

fn trusted_issuer(
    broker: &Broker,
    problems: &mut Problems,
    method: ScimClientAuth,
    sent: Option<TrustedIssuer>,
) -> Option<TrustedIssuer> {
    let Some(trusted) = sent else {
        if method == ScimClientAuth::TrustedIssuer {
            problems.add("/trusted_issuer", "is missing");
        }
        return None;
    };
    if method != ScimClientAuth::TrustedIssuer && problems.is_read("/client_auth") {
        problems.add("/trusted_issuer", "is for trusted_issuer only");
    }
    problems.take("/trusted_issuer/issuer", connections::check_issuer(broker, &trusted.issuer, false));
    if trusted.issuer == trusted.subject {
        problems.add("/trusted_issuer/subject", "must be another than the issuer");
    }
    let parts = [("subject", Some(&trusted.subject)), ("audience", trusted.audience.as_ref())];
    for (name, text) in parts {
        if text.is_some_and(|text| !(1..=255).contains(&text.len())) {
            problems.add(format!("/trusted_issuer/{name}"), "must have 1 to 255 bytes");
        }
    }
    Some(trusted)
}

/// A client of the tenant, as it is now.
async fn find(broker: &Broker, tenant: &str, id: &str) -> Result<Stored<ScimClient>, Error> {
    check_id("tenant", tenant)?;
    let found = if is_id(id) { key::scim_client(id).get(&*broker.platform.store).await? } else { None };
    Ok(found.filter(|found| found.value.tenant == tenant).ok_or(AdminError::NotFound)?)
}

/// A client, as far as it is shown.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<ScimClientView>, Error> {
    show(broker, id, find(broker, tenant, id).await?.value)
}

/// The clients of a tenant that exists.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<ScimClientView>, Error> {
    tenants::exists(broker, tenant).await?;
    let show = async |id: String| {
        let found = key::scim_client(&id).get(&*broker.platform.store).await?;
        Ok(found.map(|found| view(&id, found.value)))
    };
    paging::list_indexed(broker, key::tenant_partition(tenant), key::INDEX_SCIM_CLIENT, paging, show).await
}

/// Removes a client. Access tokens that it holds are worth nothing from then on.
pub async fn delete(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    find(broker, tenant, id).await?;
    let entry = key::index_scim_client(tenant, id);
    let seen = entry.get(&*broker.platform.store).await?;
    change.remove(broker, &key::scim_client(id), done(tenant, id, ChangeKind::Deleted)).await?;
    paging::leave(broker, &entry, seen).await
}
