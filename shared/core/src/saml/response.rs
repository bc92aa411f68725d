//! From a response as it arrived to what its assertion says, once.

use vestibule_protocol::saml::{Assertion, Expected, Refused, Verified};
use vestibule_protocol::time::Timestamp;

use super::Target;
use super::names::Names;
use super::parties::{parties, renewed};
use super::verify::VerifyError;
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError};

/// What the response `text` says, verified, as the answer to `request`, or to no request at all.
pub(crate) async fn assertion(
    broker: &Broker,
    target: &Target<'_>,
    text: &str,
    request: Option<&str>,
) -> Result<Assertion, Error> {
    let verified = Box::pin(verified(broker, target, text)).await?;
    let names = Names::of(broker, target);
    let now = broker.platform.clock.now();
    let expected = Expected {
        issuer: &target.settings.idp_entity_id,
        audience: &names.entity_id,
        acs: &names.acs,
        request,
        unsolicited: request.is_none(),
        now,
        skew: target.settings.skew,
    };
    let assertion = verified.read(&expected).map_err(LoginError::Saml)?;
    // Within the leeway, where no session could begin any more.
    if assertion.session_ends.is_some_and(|end| end.has_passed(now)) {
        return Err(LoginError::Saml(Refused::Expired).into());
    }
    Ok(assertion)
}

/// What signatures vouch for. A signature of none of the keys that are known is looked at again, once, with those that the
/// provider's metadata names now.
async fn verified(broker: &Broker, target: &Target<'_>, text: &str) -> Result<Verified, Error> {
    let known = parties(broker, target).await?;
    let refused = match known.keys(broker).verified(text).await {
        Err(error @ VerifyError::Refused(Refused::Signature)) => error,
        outcome => return Ok(outcome?),
    };
    let Some(renewed) = renewed(broker, target, &known).await? else { return Err(refused.into()) };
    Ok(renewed.keys(broker).verified(text).await?)
}

/// A request of ours that is answered, and until when an answer could come.
#[derive(Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub(crate) request: &'a str,
    pub(crate) until: Timestamp,
}

/// Spends an assertion, and the request that it answers: neither counts again (saml-profiles §4.1.4.5). Both are written
/// where the request leads. An assertion answers one request or none, so it always meets itself there.
pub(crate) async fn spend(
    broker: &Broker,
    target: &Target<'_>,
    assertion: &Assertion,
    answered: Option<Answered<'_>>,
) -> Result<(), Error> {
    let tenant = broker.tenant(target.tenant).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let meeting = answered.map_or(assertion.id.as_str(), |answered| answered.request);
    let shard = SessionShard::of_exchange(target.tenant, target.connection, meeting, tenant.session_shards);
    let spent = shard.spent(target.connection, "assertion", &assertion.id);
    let mut writes = vec![spent.put_until(&(), assertion.ends + target.settings.skew, Expect::Absent)?];
    if let Some(Answered { request, until }) = answered {
        writes.push(shard.spent(target.connection, "request", request).put_until(&(), until, Expect::Absent)?);
    }
    match broker.platform.store.commit(spent.partition(), writes).await {
        Ok(_) => Ok(()),
        Err(StoreError::Conflict) => Err(LoginError::Saml(Refused::Replayed).into()),
        Err(error) => Err(error.into()),
    }
}
