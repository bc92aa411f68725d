//! Test logins of a connection, as administrators make and read them.

use schemars::JsonSchema;
use serde::Serialize;
use vestibule_protocol::time::Timestamp;

use super::change::{self, Change, Done, Tagged};
use super::check_id;
use crate::Broker;
use crate::error::{AdminError, Error};
use crate::handle::{SecretHash, TenantHandle, TenantHandleKind, new_id, new_secret};
use crate::login::test_login;
use crate::model::audit::ChangeKind;
use crate::model::test_login::{Outcome, TEST_LIFE, TestClaims, TestLogin};
use crate::store::{Expect, key};

/// A test login that was just made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewTestLogin {
    /// Its id.
    pub id: String,
    /// Where a browser begins it: once, and within a quarter of an hour.
    pub url: String,
    /// When the link is over.
    pub expires_at: Timestamp,
}

/// What an administrator sees.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestLoginView {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: TestLoginState,
    /// Why it failed, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the provider said, when it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<TestClaims>,
    /// When it is gone.
    pub expires_at: Timestamp,
}

/// How far a test login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestLoginState {
    /// Nobody has come back from the provider.
    Waiting,
    /// Somebody has, and the provider's word counts.
    Done,
    /// It did not work.
    Failed,
}

/// Makes a test login of a connection, which may be disabled.
pub async fn create(
    broker: &Broker,
    change: &Change,
    (tenant, connection): (&str, &str),
) -> Result<Tagged<NewTestLogin>, Error> {
    check_id("tenant", tenant)?;
    check_id("connection", connection)?;
    let store = &*broker.platform.store;
    key::tenant(tenant).get(store).await?.ok_or(AdminError::NotFound)?;
    key::connection(tenant, connection).get(store).await?.ok_or(AdminError::NotFound)?;
    let random = &*broker.platform.random;
    let handle = TenantHandle {
        kind: TenantHandleKind::TestLogin,
        tenant: tenant.to_owned(),
        id: new_id(random),
        secret: new_secret(random),
    };
    let test = TestLogin {
        connection: connection.to_owned(),
        secret: SecretHash::of(handle.secret.expose()),
        expires_at: broker.platform.clock.now() + TEST_LIFE,
        outcome: Outcome::Waiting,
    };
    let record = key::test_login(tenant, &handle.id);
    let writes = vec![record.put_until(&test, test.expires_at, Expect::Absent)?];
    let object = format!("/tenants/{tenant}/connections/{connection}/test-logins/{}", handle.id);
    change.commit(broker, record.partition(), writes, Done::new(tenant, object, ChangeKind::Created)).await?;
    let url = test_login::link(broker, &handle);
    let tag = change::tag(broker, &test)?;
    Ok(Tagged { object: NewTestLogin { id: handle.id, url, expires_at: test.expires_at }, tag })
}

/// A test login of the connection.
async fn find(broker: &Broker, (tenant, connection): (&str, &str), id: &str) -> Result<Option<TestLogin>, Error> {
    check_id("tenant", tenant)?;
    let found =
        if TenantHandle::is_id(id) { key::test_login(tenant, id).get(&*broker.platform.store).await? } else { None };
    Ok(found.map(|found| found.value).filter(|test| test.connection == connection))
}

/// What a test login of the connection brought; `None` if it brought nothing, or is not there.
pub(super) async fn claims(broker: &Broker, connection: (&str, &str), id: &str) -> Result<Option<TestClaims>, Error> {
    let Some(test) = find(broker, connection, id).await? else { return Ok(None) };
    test_login::claims(broker, (connection.0, id), &test)
}

/// How far a test login of the connection is, and what it brought.
pub async fn get(broker: &Broker, connection: (&str, &str), id: &str) -> Result<Tagged<TestLoginView>, Error> {
    let test = find(broker, connection, id).await?.ok_or(AdminError::NotFound)?;
    let claims = test_login::claims(broker, (connection.0, id), &test)?;
    let tag = change::tag(broker, &test)?;
    let (state, reason) = match test.outcome {
        Outcome::Waiting | Outcome::Started => (TestLoginState::Waiting, None),
        Outcome::Done { .. } => (TestLoginState::Done, None),
        Outcome::Failed { reason } => (TestLoginState::Failed, Some(reason)),
    };
    let object = TestLoginView { id: id.to_owned(), state, reason, claims, expires_at: test.expires_at };
    Ok(Tagged { object, tag })
}
