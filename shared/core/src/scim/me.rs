//! `/Me` (RFC 7644 §3.11): a person's own resource, for whoever holds an access token of theirs.

use vestibule_protocol::scim;
use vestibule_protocol::scim::schema::Kind;

use super::access::ScimCaller;
use super::{Answer, Asked, One, get};
use crate::Broker;
use crate::error::Error;
use crate::model::provisioning::Provisioning;
use crate::userinfo;

/// The scopes that reveal of somebody what their resource shows.
const SCOPES: [&str; 2] = ["profile", "email"];

/// The resource of the person whose access token it is. `None` for what is no such token. 403 where the token's scope
/// reveals less than the resource would.
pub async fn me(broker: &Broker, token: &str, asked: &Asked) -> Result<Option<Answer>, Error> {
    let (claims, _) = match userinfo::bearer(broker, token).await {
        Ok(found) => found,
        Err(Error::OAuth(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if SCOPES.iter().any(|scope| !claims.scope.has(scope)) {
        return Err(scim::Error::status(403, "the access token needs the scopes profile and email").into());
    }
    let provisioning = Provisioning::default();
    let caller =
        ScimCaller { tenant: claims.tenant, id: claims.sub, name: String::new(), connection: None, provisioning };
    get(broker, &caller, One { kind: Kind::User, id: &caller.id }, asked).await.map(Some)
}

/// That a directory's token is nobody's.
pub fn nobody() -> Error {
    scim::Error::status(404, "this token is a directory's: there is no person behind it").into()
}

/// That a person changes nothing about themselves.
pub fn read_only() -> Error {
    scim::Error::status(403, "/Me can only be read: a person's directory changes who they are").into()
}
