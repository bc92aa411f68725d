//! The people of a tenant: found by identity at a login, let in at their first by the tenant's road, switched on and
//! off, removed.

mod activation;
pub(crate) mod group;
pub(crate) mod import;
mod invited;
mod join;
mod known;
mod link;
pub(crate) mod person;
pub(crate) mod profile;
mod pushed;
mod removal;
pub(crate) mod tally;

pub(crate) use self::activation::{Because, Switch, decommission, set_active};
use self::known::Sighting;
pub(crate) use self::link::{plain_address, release_address};
pub(crate) use self::removal::remove;
use crate::Broker;
use crate::audit;
use crate::error::{Error, Internal, LoginError};
use crate::mapping::{Evidence, Standing, reevaluate};
use crate::model::audit::{AuditEvent, AuditKind};
use crate::model::sign_in::SignIn;
use crate::model::user::User;
use crate::store::{StoreError, Write, key};
use crate::upstream::oidc::Identity;

/// How often a commit that lost a race is tried anew.
const TRIES: usize = 5;

/// Who came, or is still vouched for, through a connection that is offered how.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) connection: &'a str,
    /// The application that they are signing in to; none where nobody is signing in.
    pub(crate) client: Option<&'a str>,
    /// The handle of an invitation that was opened in their browser.
    pub(crate) invitation: Option<&'a str>,
    pub(crate) sign_in: &'a SignIn,
    pub(crate) identity: &'a Identity,
}

/// The person behind an identity, with what the provider says of them now. Identity is (connection, issuer, subject).
/// One that was never seen becomes somebody who is there, by the rules of [`pushed`] and [`link`] only, or somebody new
/// where the tenant's road allows that. Whoever is inactive is refused.
pub(crate) async fn admit(broker: &Broker, arrival: Arrival<'_>) -> Result<User, Error> {
    if !link::may_use(arrival.sign_in, &arrival.identity.profile) {
        return Err(LoginError::OtherDomain.into());
    }
    for _ in 0..TRIES {
        let attempt = match known::find(broker, arrival).await? {
            Sighting::Known(found) => known::refresh(broker, arrival, *found).await,
            Sighting::New(unseen) => join::join(broker, arrival, unseen).await,
        };
        match attempt {
            // Two first logins at once, or two that bring news: whoever lost looks again.
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {}
            done => return done,
        }
    }
    Err(StoreError::Busy("the person's record keeps changing".to_owned()).into())
}

/// What a provider says of somebody who signed in before, written down as a sign-in does. Whether they would still be let
/// in; `None` when they are gone or inactive already.
pub(crate) async fn revisit(broker: &Broker, arrival: Arrival<'_>, user: &str) -> Result<Option<bool>, Error> {
    for _ in 0..TRIES {
        let found = key::user(arrival.tenant, user).get(&*broker.platform.store).await?;
        let Some(found) = found.filter(|found| found.value.active) else { return Ok(None) };
        match known::update(broker, arrival, found).await {
            Err(Error::Internal(Internal::Store(StoreError::Conflict))) => {}
            Ok((_, standing)) => {
                let is_theirs = link::may_use(arrival.sign_in, &arrival.identity.profile);
                return Ok(Some(is_theirs && standing == Standing::Admitted));
            }
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Busy("the person's record keeps changing".to_owned()).into())
}

impl Arrival<'_> {
    /// An event of this sign-in or visit; to be part of a commit in the directory.
    fn owe(&self, broker: &Broker, kind: AuditKind, user: Option<&str>) -> Result<Write, Error> {
        let event = audit::event(broker, kind).through(Some(self.connection));
        let client = self.client.map(str::to_owned);
        let event = AuditEvent { user: user.map(str::to_owned), client, ..event };
        audit::owe(broker, key::directory(self.tenant), self.tenant, event)
    }

    /// Asks the tenant's rules of what was said of a person.
    async fn reevaluate(&self, broker: &Broker, user: &mut User) -> Result<Standing, Error> {
        let evidence = Evidence::Claims { connection: self.connection, claims: &self.identity.claims };
        reevaluate(broker, self.tenant, user, evidence).await
    }

    /// Turns somebody away for whom the rules have no role. Who was never seen stays so.
    async fn refuse_without_role(&self, broker: &Broker, user: Option<&str>) -> Result<User, Error> {
        self.refuse(broker, AuditKind::SignInRefusedWithoutRole, user, LoginError::NoRole).await
    }

    /// Turns somebody away, and writes down why.
    async fn refuse(
        &self,
        broker: &Broker,
        kind: AuditKind,
        user: Option<&str>,
        told: LoginError,
    ) -> Result<User, Error> {
        let owed = self.owe(broker, kind, user)?;
        broker.platform.store.commit(&key::directory(self.tenant), vec![owed]).await?;
        Err(told.into())
    }
}
