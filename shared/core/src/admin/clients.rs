//! Applications. The rules on what may be sent are in [`rules`].

mod rules;

use std::collections::BTreeMap;

use jsonwebtoken::jwk::JwkSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vestibule_protocol::oauth::client_auth::ClientAuthMethod;
use vestibule_protocol::time::Seconds;

use self::rules::{check, secret_hash};
use super::change::{self, Change, Done, Tagged};
use super::keys::{KeysInput, public_keys};
use super::paging::{self, Page, Paging};
use super::relay::{self, RelayInput};
use super::{Checked, Put, check_id};
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::model::audit::{ChangeKind, DEPLOYMENT};
use crate::model::client::{Client, Relay, access_token_life, refresh_token_life, session_required};
use crate::store::key;

/// What an administrator sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientInput {
    /// What people read.
    pub name: String,
    /// The tenants that it serves; left out or null for all.
    #[serde(default)]
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it begins a login that an identity provider asks for (OpenID Connect Core §4).
    #[serde(default)]
    pub initiate_login_uri: Option<String>,
    /// Where it is told that a session is over (OpenID Connect Back-Channel Logout 1.0 §2.2).
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// What our sign-out page loads in a frame, to end its session in the browser (OpenID Connect Front-Channel Logout
    /// 1.0 §2). Of the same scheme, host and port as one of `redirect_uris`.
    #[serde(default)]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether `iss` and `sid` are added, which say which session is over; `true` when left out.
    #[serde(default = "session_required")]
    pub frontchannel_logout_session_required: bool,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Its secret, at least 32 characters, random. Kept as it was when left out of a replacement.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Lets the relay sign people in for its control plane. Only for a public client.
    #[serde(default)]
    pub relay: Option<RelayInput>,
    /// Its public keys, for `private_key_jwt`: 1 to 10, in full. There is no `jwks_uri`.
    #[serde(default)]
    pub jwks: Option<KeysInput>,
    /// Whether it must send its authorization requests ahead (RFC 9126 §6).
    #[serde(default)]
    pub require_pushed_requests: bool,
    /// How long its access tokens live, in seconds: a minute to a day; a day when left out.
    #[serde(default = "access_token_life")]
    pub access_token_life: Seconds,
    /// How long its refresh families live, in seconds: ten minutes to a session's seven days, which is what it is when
    /// left out.
    #[serde(default = "refresh_token_life")]
    pub refresh_token_life: Seconds,
    /// Names of the claims about the person in its ID tokens, whatever the scope; left out or null for those that the
    /// scope reveals and those that a webhook added.
    #[serde(default)]
    pub id_token_claims: Option<Vec<String>>,
    /// Names of those in its access tokens.
    #[serde(default)]
    pub access_token_claims: Vec<String>,
    /// Names of those in userinfo, beside the ones of the scope and those that a webhook added.
    #[serde(default)]
    pub userinfo_claims: Vec<String>,
    /// What it calls the claims that it names in the three lists, from our names to its own.
    #[serde(default)]
    pub claim_names: BTreeMap<String, String>,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ClientView {
    /// The application.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The tenants that it serves; null for all.
    pub tenants: Option<Vec<String>>,
    /// Where answers may go.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a sign-out.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it begins a login that an identity provider asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// Where it is told that a session is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// What our sign-out page loads in a frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether `iss` and `sid` are added.
    pub frontchannel_logout_session_required: bool,
    /// How it proves who it is.
    pub client_auth: ClientAuthMethod,
    /// Whether it has a secret. Nobody can read it back.
    pub has_client_secret: bool,
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<KeysInput>")]
    pub jwks: Option<JwkSet>,
    /// Whether it must send its authorization requests ahead.
    pub require_pushed_requests: bool,
    /// How long its access tokens live, in seconds.
    pub access_token_life: Seconds,
    /// How long its refresh families live, in seconds.
    pub refresh_token_life: Seconds,
    /// Names of the claims about the person in its ID tokens; null for those of the scope and those that were added.
    pub id_token_claims: Option<Vec<String>>,
    /// Names of those in its access tokens.
    pub access_token_claims: Vec<String>,
    /// Names of those in userinfo.
    pub userinfo_claims: Vec<String>,
    /// What it calls them.
    pub claim_names: BTreeMap<String, String>,
    /// What the relay does for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Relay>,
}

fn view(id: &str, client: Client) -> ClientView {
    ClientView {
        id: id.to_owned(),
        name: client.name,
        tenants: client.tenants,
        redirect_uris: client.redirect_uris,
        post_logout_redirect_uris: client.post_logout_redirect_uris,
        initiate_login_uri: client.initiate_login_uri,
        backchannel_logout_uri: client.backchannel_logout_uri,
        frontchannel_logout_uri: client.frontchannel_logout_uri,
        frontchannel_logout_session_required: client.frontchannel_logout_session_required,
        client_auth: client.client_auth,
        has_client_secret: client.secret_hash.is_some(),
        jwks: (!client.keys.is_empty()).then_some(JwkSet { keys: client.keys }),
        require_pushed_requests: client.require_pushed_requests,
        access_token_life: client.access_token_life,
        refresh_token_life: client.refresh_token_life,
        id_token_claims: client.id_token_claims,
        access_token_claims: client.access_token_claims,
        userinfo_claims: client.userinfo_claims,
        claim_names: client.claim_names,
        relay: client.relay,
    }
}

/// An application.
pub async fn get(broker: &Broker, id: &str) -> Result<Tagged<ClientView>, Error> {
    check_id("client", id)?;
    let found = key::client(id).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    show(broker, id, found.value)
}

/// All applications.
pub async fn list(broker: &Broker, paging: &Paging) -> Result<Page<ClientView>, Error> {
    let find = async |id: String| {
        let found = key::client(&id).get(&*broker.platform.store).await?;
        Ok(found.map(|found| view(&id, found.value)))
    };
    paging::list_indexed(broker, key::index(), key::INDEX_CLIENT, paging, find).await
}

fn show(broker: &Broker, id: &str, client: Client) -> Result<Tagged<ClientView>, Error> {
    let tag = change::tag(broker, &client)?;
    Ok(Tagged { object: view(id, client), tag })
}

fn done(id: &str, change: ChangeKind) -> Done<'static> {
    Done::new(DEPLOYMENT, format!("/clients/{id}"), change)
}

/// Creates or replaces an application. Other processes follow within a minute.
pub async fn put(
    broker: &Broker,
    change: &Change,
    id: &str,
    Checked { input, mut problems }: Checked<ClientInput>,
) -> Result<(Put, Tagged<ClientView>), Error> {
    check_id("client", id)?;
    let relay = check(broker, &mut problems, &input);
    let record = key::client(id);
    let found = record.get(&*broker.platform.store).await?;
    let kept = found.as_ref().and_then(|found| found.value.secret_hash.clone());
    let secret_hash = secret_hash(input.client_auth, input.client_secret.as_deref(), kept);
    let keys = public_keys(&mut problems, input.client_auth == ClientAuthMethod::PrivateKeyJwt, input.jwks);
    let secret_hash =
        if problems.is_read("/client_auth") { problems.take("/client_secret", secret_hash) } else { None };
    problems.none()?;
    let client = Client {
        secret_hash: secret_hash.flatten(),
        keys,
        name: input.name,
        tenants: input.tenants,
        redirect_uris: input.redirect_uris,
        post_logout_redirect_uris: input.post_logout_redirect_uris,
        initiate_login_uri: input.initiate_login_uri,
        backchannel_logout_uri: input.backchannel_logout_uri,
        frontchannel_logout_uri: input.frontchannel_logout_uri,
        frontchannel_logout_session_required: input.frontchannel_logout_session_required,
        client_auth: input.client_auth,
        require_pushed_requests: input.require_pushed_requests,
        access_token_life: input.access_token_life,
        refresh_token_life: input.refresh_token_life,
        id_token_claims: input.id_token_claims,
        access_token_claims: input.access_token_claims,
        userinfo_claims: input.userinfo_claims,
        claim_names: input.claim_names,
        relay,
    };
    let (outcome, expect) = change.expect(broker, found.as_ref())?;
    let earlier = found.as_ref().and_then(|found| found.value.relay.clone());
    // The route first: an application that names an origin always holds it.
    if let Some(relay) = &client.relay {
        relay::claim(broker, change, id, &relay.control_plane_url).await?;
    }
    paging::enter(broker, &key::index_client(id)).await?;
    let writes = vec![record.put(&client, expect)?];
    let before = found.map(|found| view(id, found.value));
    let done = done(id, outcome.kind()).between(before.as_ref(), &view(id, client.clone()));
    change.commit(broker, record.partition(), writes, done).await?;
    broker.copies.clients.forget(id);
    if let Some(earlier) = earlier.filter(|earlier| client.relay_at(&earlier.control_plane_url).is_none()) {
        relay::release(broker, id, &earlier.control_plane_url).await?;
    }
    Ok((outcome, show(broker, id, client)?))
}

/// Removes an application.
pub async fn delete(broker: &Broker, change: &Change, id: &str) -> Result<(), Error> {
    check_id("client", id)?;
    let entry = key::index_client(id);
    let seen = entry.get(&*broker.platform.store).await?;
    let client = change.remove(broker, &key::client(id), done(id, ChangeKind::Deleted)).await?;
    broker.copies.clients.forget(id);
    if let Some(relay) = client.relay {
        relay::release(broker, id, &relay.control_plane_url).await?;
    }
    paging::leave(broker, &entry, seen).await
}
