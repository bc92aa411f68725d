//! Accepting an invitation: its link was opened in the browser that signs in, and the provider says that the address
//! that was invited is the person's. Either alone is nobody's way in.

use super::{Arrival, link};
use crate::Broker;
use crate::error::Error;
use crate::handle::{TenantHandle, TenantHandleKind};
use crate::model::access::Access;
use crate::model::audit::{AuditKind, WhyUnknown};
use crate::model::invitation::{KEPT, Outcome};
use crate::store::{Expect, Write, key};

/// What somebody new gets by their invitation.
pub(super) struct Accepted {
    pub(super) access: Access,
    /// That it is used up, to be part of the commit that creates them.
    pub(super) writes: Vec<Write>,
}

/// Accepts the invitation of this login for the person who is to have this id.
pub(super) async fn accept(
    broker: &Broker,
    arrival: Arrival<'_>,
    user: &str,
) -> Result<Result<Accepted, WhyUnknown>, Error> {
    let tenant = arrival.tenant;
    let handle = arrival.invitation.and_then(|text| TenantHandle::parse(TenantHandleKind::Invitation, text));
    let Some(handle) = handle.filter(|handle| handle.tenant == tenant) else {
        return Ok(Err(WhyUnknown::NoInvitation));
    };
    let (store, now) = (&*broker.platform.store, broker.platform.clock.now());
    let record = key::invitation(tenant, &handle.id);
    let found = record.get(store).await?;
    let found = found.filter(|found| found.value.is_open_to(handle.secret.expose(), now));
    let Some(found) = found else { return Ok(Err(WhyUnknown::InvitationOver)) };
    let Some(address) = link::verified(&arrival.identity.profile) else {
        return Ok(Err(WhyUnknown::AddressNotVerified));
    };
    if link::plain_address(&found.value.email).as_ref() != Some(&address) {
        return Ok(Err(WhyUnknown::OtherAddress));
    }
    let mut invitation = found.value;
    invitation.outcome = Some(Outcome::Accepted { user: user.to_owned(), at: now });
    let kept = invitation.expires_at + KEPT;
    let kind = AuditKind::InvitationAccepted { invitation: handle.id.clone() };
    let mut writes = vec![
        record.put_until(&invitation, kept, Expect::Version(found.version))?,
        arrival.owe(broker, kind, Some(user))?,
    ];
    // The address is free for another invitation, unless it has one already.
    let waiting = key::invited(tenant, &address);
    let own = waiting.get(store).await?.filter(|waiting| waiting.value.id == handle.id);
    writes.extend(own.map(|own| waiting.delete(Expect::Version(own.version))));
    Ok(Ok(Accepted { access: invitation.access, writes }))
}
