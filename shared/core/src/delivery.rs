//! What we send to other people's servers of our own accord: logout tokens to applications, events to webhooks.
//!
//! An effect moves a message into the tenant's partition of deliveries, as due. There it is tried until it is taken, with
//! longer and longer pauses, and at last kept as dead: an administrator sees it, and sends it again or removes it. Before a
//! try the message is put off to the time of the next one: of two that take it one sends it, and a process that dies
//! loses a try, not the message. A receiver may get it twice.

mod event;
mod logout_token;

use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use vestibule_protocol::time::Seconds;

pub(crate) use self::event::{forget, of_audit, subscriptions};
use crate::Broker;
use crate::error::Error;
use crate::model::delivery::{DEAD_LIFE, Delivery, Failure, Message};
use crate::outbox;
use crate::platform::HttpError;
use crate::store::record::{self, Stored};
use crate::store::{Expect, Partition, StoreError, key};

/// How long after a try the next one comes, in minutes: two days in all.
const PAUSES: [i64; 9] = [15, 30, 60, 120, 240, 480, 720, 720, 720];
/// Messages that one step of a task takes, with three calls each.
const IN_A_STEP: usize = 2;
/// How many of them are sent at the same time. A receiver that does not answer costs five seconds.
const AT_ONCE: usize = 6;

/// What came of a try.
enum Outcome {
    /// The receiver has it.
    Taken,
    /// Nobody wants it: the application or the webhook is gone, or has no address.
    Unwanted,
    /// It is worth another try; why it failed.
    Failed(String),
}

/// Writes messages down as due now. `name` is what owes them: done twice, they are there once, unless they have been
/// delivered in between.
pub(crate) async fn owe(broker: &Broker, tenant: &str, name: &str, messages: Vec<Message>) -> Result<(), Error> {
    let now = broker.platform.clock.now();
    if messages.is_empty() {
        return Ok(());
    }
    register(broker, tenant).await?;
    let due = messages.into_iter().enumerate().map(|(at, message)| {
        let delivery = Delivery { message, owed_at: now, tries: 0, failure: None };
        key::delivery(tenant, key::DUE, now, &format!("{name}.{at}")).put(&delivery, Expect::Any)
    });
    let due = due.collect::<Result<Vec<_>, _>>()?;
    let partition = key::deliveries(tenant);
    broker.platform.store.commit(&partition, due).await?;
    outbox::wake(broker, &partition).await;
    Ok(())
}

/// What the end of a session owes to the applications that held tokens in it.
pub(crate) async fn of_session(
    broker: &Broker,
    user: &str,
    session: &str,
    clients: Vec<String>,
) -> Result<Vec<Message>, Error> {
    let mut messages = Vec::new();
    for client in clients {
        if broker.client(&client).await?.is_some_and(|found| found.backchannel_logout_uri.is_some()) {
            let (user, session) = (user.to_owned(), session.to_owned());
            messages.push(Message::BackchannelLogout { client, user, session });
        }
    }
    Ok(messages)
}

/// Tenants from before there were deliveries have theirs in no slot.
async fn register(broker: &Broker, tenant: &str) -> Result<(), Error> {
    let now = broker.platform.clock.now();
    if broker.copies.registered.get(tenant, now).is_none() {
        outbox::register(broker, &key::deliveries(tenant)).await?;
        broker.copies.registered.keep(tenant.to_owned(), (), now);
    }
    Ok(())
}

/// Tries what is due in a partition of deliveries. How many were tried, and whether more are due.
pub(crate) async fn work(broker: &Broker, tenant: &str, partition: &Partition) -> Result<(u32, bool), Error> {
    let now = broker.platform.clock.now();
    let round = broker.platform.queue.steps() * IN_A_STEP;
    let page = broker.platform.store.list(partition, key::DUE, None, round).await?;
    let mut due = Vec::with_capacity(page.records.len());
    for found in &page.records {
        if key::time_and_name(&found.id).is_some_and(|(time, _)| time.has_passed(now)) {
            due.push((found.id.as_str(), record::parse::<Delivery>(found)?));
        }
    }
    let all_due = due.len() == page.records.len();
    let tried = u32::try_from(due.len()).unwrap_or(u32::MAX);
    let sending: Vec<BoxFuture<'_, Result<bool, Error>>> =
        due.into_iter().map(|(id, found)| Box::pin(attempt(broker, tenant, id, found)) as _).collect();
    let outcomes: Vec<Result<bool, Error>> = stream::iter(sending).buffer_unordered(AT_ONCE).collect().await;
    outcomes.into_iter().collect::<Result<Vec<_>, Error>>()?;
    Ok((tried, all_due && page.next.is_some()))
}

/// Tries a message that is due: puts it off, sends it, and writes down what came of it. True when nothing is owed any
/// more.
pub(crate) async fn attempt(broker: &Broker, tenant: &str, id: &str, found: Stored<Delivery>) -> Result<bool, Error> {
    let store = &*broker.platform.store;
    let (_, name) = key::time_and_name(id).ok_or(Error::bug("a delivery without a time"))?;
    let now = broker.platform.clock.now();
    let mut delivery = found.value;
    let pause = PAUSES.get(delivery.tries).map(|minutes| Seconds(minutes * 60));
    delivery.tries += 1;
    let later = key::delivery(tenant, key::DUE, now + pause.unwrap_or(Seconds(60)), name);
    let taken = key::delivery_at(tenant, id).delete(Expect::Version(found.version));
    match store.commit(later.partition(), vec![taken, later.put(&delivery, Expect::Any)?]).await {
        Ok(_) => {}
        // Somebody else sends it, or removed it.
        Err(StoreError::Conflict) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let Outcome::Failed(problem) = send(broker, tenant, name, &delivery.message).await? else {
        store.commit(later.partition(), vec![later.delete(Expect::Any)]).await?;
        return Ok(true);
    };
    tracing::warn!(tenant.id = tenant, delivery = name, tries = delivery.tries, problem, "delivery.failed");
    delivery.failure = Some(Failure { at: now, problem });
    let writes = if pause.is_some() {
        vec![later.put(&delivery, Expect::Present)?]
    } else {
        let dead = key::delivery(tenant, key::DEAD, now, name);
        vec![later.delete(Expect::Present), dead.put_until(&delivery, now + DEAD_LIFE, Expect::Any)?]
    };
    match store.commit(later.partition(), writes).await {
        // It was taken again meanwhile, by somebody whose clock is ahead.
        Ok(_) | Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Sends a message once.
async fn send(broker: &Broker, tenant: &str, name: &str, message: &Message) -> Result<Outcome, Error> {
    let request = match message {
        Message::BackchannelLogout { client, user, session } => {
            logout_token::request(broker, client, user, session).await?
        }
        Message::Event { webhook, event } => event::request(broker, tenant, name, (webhook, event)).await?,
    };
    let request = match request {
        Ok(request) => request,
        Err(outcome) => return Ok(outcome),
    };
    Ok(match broker.platform.http.send(request).await {
        Ok(reply) if reply.status().is_success() => Outcome::Taken,
        Ok(reply) => Outcome::Failed(answered(reply.status())),
        Err(error) => Outcome::Failed(failed(&error)),
    })
}

fn answered(status: StatusCode) -> String {
    format!("it answered {}", status.as_u16())
}

/// In words that hold nothing of what the network said.
fn failed(error: &HttpError) -> String {
    match error {
        HttpError::Network(_) => "the connection failed".to_owned(),
        known => known.to_string(),
    }
}
