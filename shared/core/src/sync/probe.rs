//! Examining by the connection's status probe: those whose provider gave no refresh token, and those whose refresh token
//! was refused.

use super::examine::{Examination, Seen};
use super::verdict::INTERVAL;
use crate::error::Error;
use crate::model::probe::Reading;
use crate::model::watch::{Decision, Evidence, Trouble, Watch};
use crate::store::key;
use crate::upstream::again::Heard;
use crate::upstream::probe::Probe;

impl Examination<'_> {
    /// What the status probe says of the person; none where there is no probe.
    pub(super) async fn probed(&self) -> Result<Option<Heard<Reading>>, Error> {
        let Ok(ready) = self.ready else { return Ok(None) };
        let Some(probe) = &ready.connection.status_probe else { return Ok(None) };
        let (tenant, watch) = (&self.shard.tenant, &self.leased.watch);
        let is_by_subject =
            !["{email}", "{user_name}", "{external_id}"].iter().any(|place| probe.settings.url.contains(place));
        let user = if is_by_subject {
            None
        } else {
            key::user(tenant, &self.leased.user).get(&*self.broker.platform.store).await?.map(|found| found.value)
        };
        let part = |place: &str| match (place, &user) {
            ("{subject}", _) => Some(watch.subject.clone()),
            ("{email}", Some(user)) => user.profile.email.clone(),
            ("{user_name}", Some(user)) => Some(user.user_name().to_owned()),
            ("{external_id}", Some(user)) => user.external_id().map(str::to_owned),
            _ => None,
        };
        let Some(address) = probe.settings.address(part) else {
            return Ok(Some(Heard::Untold(Trouble::Unusable.into())));
        };
        let probe = Probe { tenant, connection: &watch.connection, stored: probe };
        probe.ask(self.broker, &address).await.map(Some)
    }

    /// Of a session whose provider gave no refresh token, or none that is good, the probe alone can say something.
    pub(super) async fn without_token(mut self) -> Result<Seen, Error> {
        match self.probed().await? {
            Some(Heard::Said(Reading::Inactive)) => self.decide(Decision::Decommission(Evidence::StatusProbe)).await,
            Some(Heard::Said(_)) => self.watched_by_probe().await,
            Some(Heard::Untold(delay)) => self.later(delay).await,
            Some(Heard::Denied) => self.later(Trouble::Unusable.into()).await,
            None => {
                let now = self.broker.platform.clock.now();
                self.leased.watch.limit = self.leased.watch.limit.or(Some(now + self.unwatched));
                self.later(Trouble::Unvouched.into()).await
            }
        }
    }

    /// The probe vouches for the person; from now on it is asked in the place of the provider.
    pub(super) async fn watched_by_probe(mut self) -> Result<Seen, Error> {
        let now = self.broker.platform.clock.now();
        let watch = Watch {
            tokens: None,
            vouched_at: now,
            due_at: now + INTERVAL,
            lease: None,
            answer_lost: false,
            failures: 0,
            trouble: None,
            limit: None,
            ..self.leased.watch.clone()
        };
        Ok(if self.save(watch).await? { Seen::Vouched } else { Seen::Overtaken })
    }
}
