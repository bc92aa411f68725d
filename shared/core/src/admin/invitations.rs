//! Invitations: made, listed, sent again, taken back. The link is shown once, when it is made; sending it is the
//! administrator's.

mod input;

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::mapping::rule::Kind;
use vestibule_protocol::time::Timestamp;

pub use self::input::{InvitationInput, ResendInput};
use self::input::{check_client, check_life};
use super::access::{AccessInput, by_hand};
use super::change::{self, Change, Done, Tagged};
use super::paging::{self, Page, Paging};
use super::{Checked, check_id, tenants};
use crate::Broker;
use crate::directory::plain_address;
use crate::error::{AdminError, Error};
use crate::handle::{HandleSecret, SecretHash, TenantHandle, TenantHandleKind, new_id, new_secret};
use crate::model::audit::ChangeKind;
use crate::model::invitation::{Invitation, InvitationState, KEPT, Outcome};
use crate::model::provisioning::Mode;
use crate::model::routing::domain_of;
use crate::model::user::Owner;
use crate::store::record::Stored;
use crate::store::{Expect, Write, key};

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InvitationView {
    /// The invitation's id, which is no secret.
    pub id: String,
    /// Whom it is for.
    pub email: String,
    /// The application where they begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Roles that they get.
    pub roles: Vec<String>,
    /// Teams that they get into.
    pub teams: Vec<String>,
    /// Business units that they get into.
    pub business_units: Vec<String>,
    /// How it stands.
    pub state: InvitationState,
    /// Who accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when its link is good.
    pub expires_at: Timestamp,
}

/// An invitation with the link that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewInvitation {
    /// What is seen of it later, too.
    #[serde(flatten)]
    pub view: InvitationView,
    /// Where the person accepts it. Nobody can read it again.
    pub link: String,
}

fn view(broker: &Broker, id: &str, invitation: Invitation) -> InvitationView {
    let state = invitation.state(broker.platform.clock.now());
    let Invitation { email, client, access, created_at, expires_at, outcome, secret: _ } = invitation;
    let user = match outcome {
        Some(Outcome::Accepted { user, .. }) => Some(user),
        Some(Outcome::Revoked { .. }) | None => None,
    };
    InvitationView {
        id: id.to_owned(),
        email,
        client,
        roles: access.names(Kind::Role),
        teams: access.names(Kind::Team),
        business_units: access.names(Kind::BusinessUnit),
        state,
        user,
        created_at,
        expires_at,
    }
}

fn show(broker: &Broker, id: &str, invitation: Invitation) -> Result<Tagged<InvitationView>, Error> {
    let tag = change::tag(broker, &invitation)?;
    Ok(Tagged { object: view(broker, id, invitation), tag })
}

/// The same, with the link of a new secret.
fn show_new(
    broker: &Broker,
    tenant: &str,
    id: &str,
    invitation: Invitation,
    secret: HandleSecret,
) -> Result<Tagged<NewInvitation>, Error> {
    let Tagged { object: view, tag } = show(broker, id, invitation)?;
    let handle =
        TenantHandle { kind: TenantHandleKind::Invitation, tenant: tenant.to_owned(), id: id.to_owned(), secret };
    let link = format!("{}/oauth2/invitation?token={}", broker.config.issuer, handle.to_text());
    Ok(Tagged { object: NewInvitation { view, link }, tag })
}

fn done<'a>(tenant: &'a str, id: &str, change: ChangeKind) -> Done<'a> {
    Done::new(tenant, format!("/tenants/{tenant}/invitations/{id}"), change)
}

/// The tenant is there, and invites people.
async fn invites(broker: &Broker, tenant: &str) -> Result<(), Error> {
    check_id("tenant", tenant)?;
    let found = key::tenant(tenant).get(&*broker.platform.store).await?.ok_or(AdminError::NotFound)?;
    if found.value.provisioning.mode == Mode::InviteOnly {
        return Ok(());
    }
    let problem = "does not invite people: its provisioning.mode is not invite_only";
    Err(AdminError::Invalid { field: "tenant", problem }.into())
}

/// Makes an invitation. One at a time waits for the holder of an address.
pub async fn create(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    Checked { input, mut problems }: Checked<InvitationInput>,
) -> Result<Tagged<NewInvitation>, Error> {
    invites(broker, tenant).await?;
    let address = plain_address(&input.email).filter(|address| domain_of(address).is_some());
    if address.is_none() {
        problems.add("/email", "must be an e-mail address in ASCII, such as ada@corp.example");
    }
    let life = check_life(&mut problems, input.expires_in);
    check_client(broker, &mut problems, tenant, input.client.as_deref()).await?;
    let mapping = key::mapping(tenant).get(&*broker.platform.store).await?.map(|found| found.value).unwrap_or_default();
    let InvitationInput { email, client, roles, teams, business_units, .. } = input;
    let access = by_hand(&mut problems, &mapping, AccessInput { roles, teams, business_units });
    let waiting = match &address {
        Some(address) => key::invited(tenant, address).get(&*broker.platform.store).await?,
        None => None,
    };
    if waiting.is_some() {
        problems.add("/email", "has an invitation already, which waits: send it again or revoke it");
    }
    problems.none()?;
    let address = address.ok_or(Error::bug("an address that was checked"))?;
    let (now, random) = (broker.platform.clock.now(), &*broker.platform.random);
    let (id, secret) = (new_id(random), new_secret(random));
    let invitation = Invitation {
        email,
        client,
        access,
        secret: SecretHash::of(secret.expose()),
        created_at: now,
        expires_at: now + life,
        outcome: None,
    };
    let record = key::invitation(tenant, &id);
    let owner = Owner { id: id.clone() };
    let writes = vec![
        record.put_until(&invitation, invitation.expires_at + KEPT, Expect::Absent)?,
        key::invited(tenant, &address).put_until(&owner, invitation.expires_at, Expect::Absent)?,
    ];
    change.commit(broker, record.partition(), writes, done(tenant, &id, ChangeKind::Created)).await?;
    show_new(broker, tenant, &id, invitation, secret)
}

async fn find(broker: &Broker, tenant: &str, id: &str) -> Result<Stored<Invitation>, Error> {
    check_id("tenant", tenant)?;
    // An id that we never gave out names nothing.
    let found =
        if TenantHandle::is_id(id) { key::invitation(tenant, id).get(&*broker.platform.store).await? } else { None };
    Ok(found.ok_or(AdminError::NotFound)?)
}

/// An invitation, as far as it is shown.
pub async fn get(broker: &Broker, tenant: &str, id: &str) -> Result<Tagged<InvitationView>, Error> {
    show(broker, id, find(broker, tenant, id).await?.value)
}

/// The invitations of a tenant that exists, those that are over for ninety days more.
pub async fn list(broker: &Broker, tenant: &str, paging: &Paging) -> Result<Page<InvitationView>, Error> {
    tenants::exists(broker, tenant).await?;
    let view = |id: &str, invitation| view(broker, id, invitation);
    paging::list(broker, key::directory(tenant), key::INVITATION, paging, view).await
}

/// Takes an invitation back: its link is good for nothing any more. One that was accepted stays accepted.
pub async fn revoke(broker: &Broker, change: &Change, tenant: &str, id: &str) -> Result<(), Error> {
    let found = find(broker, tenant, id).await?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let mut invitation = found.value;
    match invitation.outcome {
        Some(Outcome::Revoked { .. }) => return Ok(()),
        Some(Outcome::Accepted { .. }) => return Err(ACCEPTED.into()),
        None => {}
    }
    invitation.outcome = Some(Outcome::Revoked { at: broker.platform.clock.now() });
    let record = key::invitation(tenant, id);
    let mut writes = vec![record.put_until(&invitation, invitation.expires_at + KEPT, expect)?];
    writes.extend(free(broker, tenant, id, &invitation).await?);
    change.commit(broker, record.partition(), writes, done(tenant, id, ChangeKind::Deleted)).await
}

const ACCEPTED: AdminError =
    AdminError::Invalid { field: "invitation", problem: "was accepted: the person is there, and can be deactivated" };

/// That nobody with the address waits any more, if it was for this invitation.
async fn free(broker: &Broker, tenant: &str, id: &str, invitation: &Invitation) -> Result<Option<Write>, Error> {
    let Some(address) = plain_address(&invitation.email) else { return Ok(None) };
    let record = key::invited(tenant, &address);
    let own = record.get(&*broker.platform.store).await?.filter(|found| found.value.id == id);
    Ok(own.map(|own| record.delete(Expect::Version(own.version))))
}

/// Makes another link, which is good anew. The one before is dead from here on.
pub async fn resend(
    broker: &Broker,
    change: &Change,
    tenant: &str,
    id: &str,
    Checked { input, mut problems }: Checked<ResendInput>,
) -> Result<Tagged<NewInvitation>, Error> {
    let found = find(broker, tenant, id).await?;
    invites(broker, tenant).await?;
    let life = check_life(&mut problems, input.expires_in);
    problems.none()?;
    let (_, expect) = change.expect(broker, Some(&found))?;
    let mut invitation = found.value;
    match invitation.outcome {
        Some(Outcome::Accepted { .. }) => return Err(ACCEPTED.into()),
        Some(Outcome::Revoked { .. }) => {
            let problem = "was revoked: make another one";
            return Err(AdminError::Invalid { field: "invitation", problem }.into());
        }
        None => {}
    }
    let secret = new_secret(&*broker.platform.random);
    invitation.secret = SecretHash::of(secret.expose());
    invitation.expires_at = broker.platform.clock.now() + life;
    let address = plain_address(&invitation.email).ok_or(Error::bug("an invitation without an address"))?;
    let waiting = key::invited(tenant, &address);
    let found = waiting.get(&*broker.platform.store).await?;
    if found.as_ref().is_some_and(|found| found.value.id != id) {
        let problem = "has expired, and another one waits for the same address";
        return Err(AdminError::Invalid { field: "invitation", problem }.into());
    }
    let was = found.map_or(Expect::Absent, |found| Expect::Version(found.version));
    let record = key::invitation(tenant, id);
    let writes = vec![
        record.put_until(&invitation, invitation.expires_at + KEPT, expect)?,
        waiting.put_until(&Owner { id: id.to_owned() }, invitation.expires_at, was)?,
    ];
    change.commit(broker, record.partition(), writes, done(tenant, id, ChangeKind::Replaced)).await?;
    show_new(broker, tenant, id, invitation, secret)
}
