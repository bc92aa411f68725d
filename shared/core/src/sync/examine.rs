//! One session's examination. What is found is written down first, resting on the lease, and then carried out.

use vestibule_protocol::time::{Seconds, Timestamp};

use super::lease::Leased;
use super::verdict::{INTERVAL, Verdict, Word, after_refusal, next_try};
use super::{Ready, keep};
use crate::Broker;
use crate::directory::{self, Arrival, Because};
use crate::error::Error;
use crate::model::audit::{AuditKind, Cause};
use crate::model::probe::Reading;
use crate::model::session::EndReason;
use crate::model::sync::RefusedTokens;
use crate::model::watch::{Decided, Decision, Delay, Evidence, ProviderTokens, Trouble, Watch};
use crate::sessions::end::{Ending, end};
use crate::store::key::SessionShard;
use crate::store::{Expect, StoreError};
use crate::upstream::Target;
use crate::upstream::again::{Heard, Provider, Renewed};
use crate::upstream::oidc::Identity;

/// How often a write is tried.
const TRIES: usize = 3;

/// What was found.
pub(super) enum Seen {
    /// The provider vouches for the person.
    Vouched,
    /// It told nothing.
    Deferred(Delay),
    /// This is to be carried out.
    Decided {
        /// Of whom.
        leased: Box<Leased>,
        /// What.
        decision: Decision,
    },
    /// The session ended meanwhile, or somebody else examines it.
    Overtaken,
}

pub(super) struct Examination<'a> {
    pub(super) broker: &'a Broker,
    pub(super) shard: &'a SessionShard,
    /// The session's connection, or why it cannot be asked.
    pub(super) ready: Result<&'a Ready, Trouble>,
    /// How long a session stays for which nobody vouches any more.
    pub(super) unwatched: Seconds,
    /// What was found until then is found anew.
    pub(super) discarded_at: Option<Timestamp>,
    pub(super) leased: Leased,
}

impl Examination<'_> {
    pub(super) async fn run(mut self) -> Result<Seen, Error> {
        let now = self.broker.platform.clock.now();
        let discarded_at = self.discarded_at;
        let stands = |decided: &Decided| discarded_at.is_none_or(|at| decided.at > at);
        self.leased.watch.decided = self.leased.watch.decided.filter(stands);
        if let Some(Decided { decision, .. }) = self.leased.watch.decided {
            return self.decide(decision).await;
        }
        if self.leased.watch.limit.is_some_and(|limit| limit.has_passed(now)) {
            return self.decide(Decision::End(EndReason::Unvouched)).await;
        }
        let ready = match self.ready {
            Ok(ready) => ready,
            Err(trouble) => return self.later(trouble.into()).await,
        };
        let place = keep::place(&self.shard.tenant, &self.leased.user, &self.leased.session);
        let tokens = self.leased.watch.tokens.as_ref().map(|sealed| keep::open(self.broker, &place, sealed));
        // Without its sealing key, what was kept is lost; that says nothing of the person.
        let tokens = tokens.and_then(Result::ok).unwrap_or_default();
        let Some(refresh_token) = &tokens.refresh_token else { return self.without_token().await };
        let spoken_to = ready.connection.upstream.oidc().zip(ready.copy.clone());
        let Some((settings, copy)) = spoken_to else { return self.without_token().await };
        let connection = self.leased.watch.connection.clone();
        let target = Target { tenant: &self.shard.tenant, connection: &connection, settings };
        let provider = Provider { target, copy };
        match provider.refresh(self.broker, refresh_token).await? {
            Heard::Said(renewed) => self.renewed(&provider, &renewed, &place).await,
            Heard::Denied => self.refused(&provider, &tokens).await,
            Heard::Untold(delay) => self.later(delay).await,
        }
    }

    /// The provider gave new tokens: they are kept before anything else.
    async fn renewed(mut self, provider: &Provider<'_>, renewed: &Renewed, place: &str) -> Result<Seen, Error> {
        let now = self.broker.platform.clock.now();
        let watch = Watch {
            tokens: Some(keep::seal(self.broker, place, &renewed.tokens)?),
            vouched_at: now,
            due_at: now + INTERVAL,
            lease: None,
            answer_lost: false,
            failures: 0,
            trouble: None,
            limit: None,
            ..self.leased.watch.clone()
        };
        if !self.save(watch).await? {
            return Ok(Seen::Overtaken);
        }
        match provider.reread(self.broker, &self.leased.watch, renewed).await? {
            Heard::Said(None) => Ok(Seen::Vouched),
            Heard::Said(Some(identity)) => self.visited(&identity).await,
            Heard::Denied => self.decide(Decision::Decommission(Evidence::FreshTokenRefused)).await,
            Heard::Untold(delay) => self.later(delay).await,
        }
    }

    /// What the provider says of the person is written down.
    async fn visited(mut self, identity: &Identity) -> Result<Seen, Error> {
        let watch = &self.leased.watch;
        if watch.outline != identity.kept.outline {
            let watch = Watch { outline: identity.kept.outline.clone(), ..watch.clone() };
            if !self.save(watch).await? {
                return Ok(Seen::Overtaken);
            }
        }
        let Ok(ready) = self.ready else { return Ok(Seen::Vouched) };
        let arrival = Arrival {
            tenant: &self.shard.tenant,
            connection: &self.leased.watch.connection,
            client: None,
            invitation: None,
            sign_in: &ready.connection.sign_in,
            identity,
        };
        match directory::revisit(self.broker, arrival, &self.leased.user).await? {
            Some(false) => self.decide(Decision::End(EndReason::NotAdmitted)).await,
            Some(true) | None => Ok(Seen::Vouched),
        }
    }

    /// The provider refused the refresh token: whether the person is active decides.
    async fn refused(mut self, provider: &Provider<'_>, tokens: &ProviderTokens) -> Result<Seen, Error> {
        let probed = self.probed().await?;
        let by_probe = matches!(probed, Some(Heard::Said(_)));
        let word = match probed {
            Some(Heard::Said(Reading::Inactive)) => Word::Inactive(Evidence::StatusProbe),
            Some(Heard::Said(_)) => Word::Active,
            _ => self.word(provider, tokens).await?,
        };
        match after_refusal(self.leased.watch.answer_lost, word) {
            Verdict::Decided(decision) => self.decide(decision).await,
            Verdict::Kept { vouched: true } if by_probe => self.watched_by_probe().await,
            Verdict::Kept { vouched } => {
                let now = self.broker.platform.clock.now();
                let watch = &mut self.leased.watch;
                if vouched {
                    watch.vouched_at = now;
                    watch.limit = None;
                }
                watch.limit = watch.limit.or(Some(now + self.unwatched));
                self.later(Trouble::Unvouched.into()).await
            }
        }
    }

    /// Whether the person is active, by the access token that should still be good.
    async fn word(&self, provider: &Provider<'_>, tokens: &ProviderTokens) -> Result<Word, Error> {
        let now = self.broker.platform.clock.now();
        let good = tokens.access_ends_at.is_some_and(|end| !end.has_passed(now));
        let Some(access_token) = tokens.access_token.as_ref().filter(|_| good) else { return Ok(Word::Unknown) };
        Ok(match provider.still_good(self.broker, &self.leased.watch, access_token).await? {
            Heard::Said(()) => Word::Active,
            Heard::Denied if self.ready.is_ok_and(ends_session) => Word::SignInOver,
            Heard::Denied => Word::Inactive(Evidence::TokensRefused),
            Heard::Untold(_) => Word::Unknown,
        })
    }

    /// It told nothing: the session stays, and is examined again.
    pub(super) async fn later(mut self, delay: Delay) -> Result<Seen, Error> {
        let now = self.broker.platform.clock.now();
        let mut watch = Watch { lease: None, trouble: Some(delay.trouble), ..self.leased.watch.clone() };
        watch.failures = watch.failures.saturating_add(1);
        watch.due_at = next_try(now, watch.failures, delay.retry_after);
        watch.due_at = watch.limit.map_or(watch.due_at, |limit| limit.min(watch.due_at));
        let (connection, trouble) = (watch.connection.clone(), delay.trouble.as_str());
        if !self.save(watch).await? {
            return Ok(Seen::Overtaken);
        }
        tracing::info!(tenant.id = self.shard.tenant, connection.id = connection, trouble, "sync.deferred");
        Ok(Seen::Deferred(delay))
    }

    pub(super) async fn decide(mut self, decision: Decision) -> Result<Seen, Error> {
        let decided = Decided { decision, at: self.broker.platform.clock.now() };
        let watch = Watch { lease: None, decided: Some(decided), ..self.leased.watch.clone() };
        let ours = self.save(watch).await?;
        Ok(if ours { Seen::Decided { leased: Box::new(self.leased), decision } } else { Seen::Overtaken })
    }

    /// Writes the record down if it is as we left it; false when it is not. New tokens are not lost to a store that is
    /// busy for a moment.
    pub(super) async fn save(&mut self, watch: Watch) -> Result<bool, Error> {
        let record = self.shard.watch(&self.leased.user, &self.leased.session);
        let store = &*self.broker.platform.store;
        let version = match self.leased.version.take() {
            Some(version) => version,
            None => match record.get(store).await?.filter(|found| found.value == self.leased.watch) {
                Some(found) => found.version,
                None => return Ok(false),
            },
        };
        let write = record.put_until(&watch, self.leased.ends_at, Expect::Version(version))?;
        let mut outcome = Err(StoreError::Conflict);
        for _ in 0..TRIES {
            outcome = store.commit(record.partition(), vec![write.clone()]).await;
            if !matches!(outcome, Err(StoreError::Busy(_) | StoreError::Unavailable(_))) {
                break;
            }
        }
        match outcome {
            Ok(_) => {}
            // Perhaps it is our own: of a call that failed it is not known whether it happened.
            Err(StoreError::Conflict) if record.get(store).await?.is_some_and(|found| found.value == watch) => {}
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.leased.watch = watch;
        Ok(true)
    }
}

/// Whether the provider of a connection means no more than that when it takes back all that it gave.
fn ends_session(ready: &Ready) -> bool {
    ready.connection.sync.refused_tokens == RefusedTokens::EndSession
}

/// Does what was found; what rests on it was written down.
pub(super) async fn carry_out(
    broker: &Broker,
    shard: &SessionShard,
    leased: &Leased,
    decision: Decision,
) -> Result<(), Error> {
    let Leased { user, session, watch, .. } = leased;
    let connection = Some(watch.connection.clone());
    match decision {
        Decision::End(reason) => {
            let kind = AuditKind::SessionEnded { reason };
            end(broker, Ending { shard, user, session, connection, kind }).await?;
        }
        Decision::Decommission(_) => {
            let because = Because { cause: Cause::Provider, administrator: None, connection };
            directory::decommission(broker, &shard.tenant, user, &because, |_| Ok(())).await?;
        }
    }
    Ok(())
}
