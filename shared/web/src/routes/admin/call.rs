//! A request to the admin API, taken apart.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::RawPathParams;
use bytes::Bytes;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, Request};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vestibule_core::admin::audit::{self, EventQuery};
use vestibule_core::admin::caller::Caller;
use vestibule_core::admin::change::{Change, Condition};
use vestibule_core::admin::days::Days;
use vestibule_core::admin::paging::Paging;
use vestibule_core::admin::{self, Checked};
use vestibule_core::error::AdminError;
use vestibule_core::{Broker, Error};
use vestibule_protocol::oauth;
use vestibule_protocol::params::Params;

use super::table::Operation;
use crate::request;

/// A request that was let in.
pub(crate) struct Call {
    pub(crate) broker: Arc<Broker>,
    /// Who asks, and under which condition.
    pub(crate) change: Change,
    /// The tenant in the path; empty where there is none.
    pub(crate) tenant: String,
    /// The connection in the path; empty where there is none.
    pub(crate) connection: String,
    /// The person in the path; empty where there is none.
    pub(crate) user: String,
    /// The last name in the path; empty where there is none.
    pub(crate) id: String,
    query: String,
    pub(crate) body: Bytes,
}

impl Call {
    /// Everything but the body.
    pub(super) fn new(
        broker: &Arc<Broker>,
        operation: Operation,
        path: &RawPathParams,
        request: &Request<Body>,
    ) -> Result<Self, Error> {
        let by = request.extensions().get::<Caller>().ok_or(Error::bug("a request that nobody let in"))?;
        let named = |wanted| path.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
        let tenant = named("tenant").unwrap_or_default();
        by.may(operation.area, &tenant, operation.kind.is_change())?;
        let conditional = operation.kind.is_conditional();
        let condition = if conditional { condition(request.headers())? } else { Condition::default() };
        Ok(Self {
            broker: Arc::clone(broker),
            change: Change { by: by.clone(), condition },
            tenant,
            connection: named("connection").unwrap_or_default(),
            user: named("user").unwrap_or_default(),
            id: path.iter().last().map(|(_, value)| value.to_owned()).unwrap_or_default(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            body: Bytes::new(),
        })
    }

    /// Which page of a list is asked for.
    pub(crate) fn paging(&self) -> Result<Paging, Error> {
        let params = self.query()?;
        let get = |name| params.get(name).map_err(oauth::Error::from);
        Ok(Paging::new(get("limit")?, get("cursor")?)?)
    }

    /// Which events are asked for.
    pub(crate) fn events(&self) -> Result<EventQuery, Error> {
        let params = self.query()?;
        let get = |name| params.get(name).map(|value| value.map(str::to_owned)).map_err(oauth::Error::from);
        Ok(EventQuery {
            days: self.days()?,
            kind: get("kind")?,
            user: get("user")?,
            actor: get("actor")?,
            connection: get("connection")?,
            client: get("client")?,
            session: get("session")?,
            request: get("request")?,
            limit: get("limit")?,
            cursor: get("cursor")?,
        })
    }

    /// Which days are asked for.
    pub(crate) fn days(&self) -> Result<Days, Error> {
        let params = self.query()?;
        let get = |name| params.get(name).map(|value| value.map(str::to_owned)).map_err(oauth::Error::from);
        Ok(Days { from: get("from")?, until: get("until")? })
    }

    /// The same question, from another place on: a reference relative to this request's address.
    pub(crate) fn with_cursor(&self, cursor: &str) -> Result<String, Error> {
        Ok(audit::with_cursor(&self.query()?, cursor))
    }

    fn query(&self) -> Result<Params<'_>, Error> {
        Ok(Params::parse(&self.query).map_err(oauth::Error::from)?)
    }
}

fn condition(headers: &HeaderMap) -> Result<Condition, AdminError> {
    let read = |name: HeaderName, field| {
        let problem = "must be * or a list of entity tags such as \"abc\"";
        request::tags(headers, &name).map_err(|_| AdminError::Invalid { field, problem })
    };
    Ok(Condition { if_match: read(IF_MATCH, "If-Match")?, if_none_match: read(IF_NONE_MATCH, "If-None-Match")? })
}

/// What an operation takes in its body.
pub(crate) trait Input: Sized + Send + 'static {
    /// Whether there must be one.
    const REQUIRED: bool = true;

    /// Reads it.
    fn read(body: &[u8]) -> Result<Self, Error>;

    /// Its form, and what it is called, if there is a body.
    fn schema(generator: &mut SchemaGenerator) -> Option<(String, Schema)>;
}

/// A JSON body, with what is wrong with it so far.
pub(crate) struct Sent<T>(pub(crate) Checked<T>);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for Sent<T> {
    fn read(body: &[u8]) -> Result<Self, Error> {
        Ok(Self(admin::read(body)?))
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<(String, Schema)> {
        Some((T::schema_name().into_owned(), T::json_schema(generator)))
    }
}

/// The same, where nothing has to be sent.
pub(crate) struct MaybeSent<T>(pub(crate) Checked<T>);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for MaybeSent<T> {
    const REQUIRED: bool = false;

    fn read(body: &[u8]) -> Result<Self, Error> {
        let nothing = matches!(body.trim_ascii(), b"" | b"null");
        Ok(Self(admin::read(if nothing { b"{}" } else { body })?))
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<(String, Schema)> {
        Sent::<T>::schema(generator)
    }
}

/// No body; one that comes is not looked at.
impl Input for () {
    fn read(_: &[u8]) -> Result<Self, Error> {
        Ok(())
    }

    fn schema(_: &mut SchemaGenerator) -> Option<(String, Schema)> {
        None
    }
}

/// What an operation shows.
pub(crate) trait Output: Serialize + JsonSchema + Send + 'static {}

impl<T: Serialize + JsonSchema + Send + 'static> Output for T {}
