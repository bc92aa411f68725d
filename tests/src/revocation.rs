//! Global Token Revocation, as a world's identity provider sends it.

use http::Method;
use serde_json::json;

use crate::platform::unique;
use crate::reply::Reply;
use crate::world::{ALICE, World};

/// Where the provider sends it, below the broker's address.
fn path(world: &World) -> String {
    format!("/oauth2/global-token-revocation/{}/corp", world.tenant)
}

impl World {
    /// A token for one revocation.
    pub async fn revocation_token(&self) -> String {
        let mut claims = self.idp.logout_claims(&self.broker.at(&path(self)), &unique("jti"));
        claims.as_object_mut().expect("claims").remove("events");
        self.idp.notice(Some("global-token-revocation+jwt"), &claims).await.expect("the provider signs")
    }

    /// Revokes alice with a token.
    pub async fn revoke_alice(&self, token: &str) -> Reply {
        let subject = self.idp.subject_of(ALICE).expect("an account");
        let body = json!({ "sub_id": { "format": "iss_sub", "iss": self.idp.issuer(), "sub": subject } });
        let request = self.broker.request(Method::POST, &path(self)).bearer_auth(token);
        Reply::of(request.header("content-type", "application/json").body(body.to_string())).await
    }
}
