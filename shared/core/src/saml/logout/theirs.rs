//! The provider says that somebody signs out (saml-profiles §4.4.3.3, §4.4.3.4): their sessions through the connection end,
//! and the provider gets our answer.

use vestibule_protocol::saml::{LogoutAnswer, LogoutRequest, LogoutStatus, Refused};
use vestibule_protocol::time::{Seconds, Timestamp};

use super::{Message, Outcome, Target, endpoint};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::handle::new_id;
use crate::model::connection::ClaimNames;
use crate::model::effect::{Effect, Over};
use crate::outbox;
use crate::saml::names::Names;
use crate::saml::parties::parties;
use crate::saml::sending::{Outgoing, Sending};
use crate::saml::start::request_id;
use crate::sessions;
use crate::store::key::{self, SessionShard};
use crate::store::{Expect, StoreError};

/// How long a request counts that does not say.
const LIFE: Seconds = Seconds(300);
/// How long one counts at most, whatever it says: so long its name is remembered.
const MAX_LIFE: Seconds = Seconds(3_600);
/// Most sessions that one request names.
const MAX_SESSIONS: usize = 16;

/// Ends what the request in `message` is about: the sessions that it names, or all of the person through this connection.
/// That there are none is no error.
pub(super) async fn ended(
    broker: &Broker,
    target: &Target<'_>,
    message: Message,
    session: Option<&str>,
) -> Result<Outcome, Error> {
    let content = message.verified(broker, target).await?;
    let (now, skew) = (broker.platform.clock.now(), target.settings.skew);
    let names = Names::of(broker, target);
    let request = LogoutRequest::read(&content, &names.slo, &target.settings.idp_entity_id, now, skew);
    let request = request.map_err(LoginError::Saml)?;
    let until = request.ends.unwrap_or(request.issued_at + LIFE).min(request.issued_at + MAX_LIFE) + skew;
    if until.has_passed(now) {
        return Err(LoginError::Saml(Refused::Expired).into());
    }
    if request.name_id.sp_name_qualifier.as_ref().is_some_and(|named| *named != names.entity_id) {
        return Err(LoginError::Saml(Refused::NameId).into());
    }
    end(broker, target, &request, until).await?;
    let answer = answer(broker, target, &message, &names, request.id).await?;
    let forget_cookie = session.is_some() && sessions::of_cookie(broker, session).await?.is_none();
    Ok(Outcome::Ended { answer, forget_cookie })
}

/// One commit spends the request's id and owes what follows, which is done before the answer.
async fn end(broker: &Broker, target: &Target<'_>, request: &LogoutRequest, until: Timestamp) -> Result<(), Error> {
    let store = &*broker.platform.store;
    if request.session_indexes.len() > MAX_SESSIONS {
        return Err(LoginError::Saml(Refused::Shape("at most 16 SessionIndex")).into());
    }
    let tenant = key::tenant(target.tenant).get(store).await?.ok_or(LoginError::ConnectionUnavailable)?;
    let shards = tenant.value.session_shards;
    let (shard, used) = SessionShard::of_notice(target.tenant, target.connection, &request.id, shards);
    let over = |sid: Option<String>| Effect::EndProviderSessions {
        tenant: target.tenant.to_owned(),
        connection: target.connection.to_owned(),
        over: Over {
            issuer: target.settings.idp_entity_id.clone(),
            subject: Some(request.name_id.value.clone()),
            is_identity: target.settings.claims.unique_id == ClaimNames::default().unique_id,
            sid,
        },
        shard: 0,
    };
    let named = request.session_indexes.iter().map(|sid| over(Some(sid.clone())));
    let effects: Vec<_> = if request.session_indexes.is_empty() { vec![over(None)] } else { named.collect() };
    let owed = effects.iter().map(|effect| outbox::owe(broker, shard.partition(), effect));
    let owed = owed.collect::<Result<Vec<_>, _>>()?;
    let mut writes = vec![used.put_until(&(), until, Expect::Absent)?];
    writes.extend(owed.iter().map(|owed| owed.write.clone()));
    match store.commit(used.partition(), writes).await {
        Ok(_) => {}
        Err(StoreError::Conflict) => return Err(LoginError::Saml(Refused::Replayed).into()),
        Err(error) => return Err(error.into()),
    }
    for owed in &owed {
        outbox::settle(broker, owed).await?;
    }
    Ok(())
}

/// Our answer, by the binding of the question if the provider takes answers by that. `RelayState` goes back as it came.
async fn answer(
    broker: &Broker,
    target: &Target<'_>,
    message: &Message,
    names: &Names,
    request: String,
) -> Result<Option<Sending>, Error> {
    let parties = parties(broker, target).await?;
    let Some(endpoint) = endpoint(&parties, message.binding) else { return Ok(None) };
    let destination = endpoint.response_location.as_ref().unwrap_or(&endpoint.location);
    let answer = LogoutAnswer {
        id: request_id(&new_id(&*broker.platform.random)),
        in_response_to: request,
        issued_at: broker.platform.clock.now(),
        destination: destination.clone(),
        issuer: names.entity_id.clone(),
        status: LogoutStatus::Success,
    };
    let message = Outgoing {
        binding: endpoint.binding,
        location: destination,
        xml: answer.to_xml(),
        id: &answer.id,
        is_response: true,
        relay_state: message.relay_state.as_deref(),
    };
    message.send(broker, Some(&parties.signer)).await.map(Some)
}
