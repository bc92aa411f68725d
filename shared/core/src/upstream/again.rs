//! Asking a provider again, long after a sign-in: for new tokens (RFC 6749 §6), for what it says of the person now, and
//! whether a token of theirs is still good.

mod reply;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use openidconnect::AccessToken;
use serde_json::Value;
use url::Url;
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::Seconds;

pub(crate) use self::reply::trouble_of;
pub(super) use self::reply::{delayed, refused, unreachable};
use super::form::{self, OurName};
use super::kept::{Kept, kept_tokens, outline};
use super::oidc::{Identity, identity_of};
use super::token::{Expected, UpstreamIdToken, verify_id_token};
use super::{Target, UpstreamCopy, userinfo};
use crate::Broker;
use crate::error::{Error, LoginError};
use crate::model::watch::{Delay, ProviderTokens, Trouble, Watch};
use crate::platform::HttpError;

/// What came of a question.
pub(crate) enum Heard<T> {
    /// The answer.
    Said(T),
    /// A clear no: the refresh token is not good (`invalid_grant`), or userinfo refuses the access token (401).
    Denied,
    /// Nothing that says anything about the person.
    Untold(Delay),
}

/// New tokens.
pub(crate) struct Renewed {
    /// To be kept from now on.
    pub(crate) tokens: ProviderTokens,
    access_token: AccessToken,
    id_token: Option<String>,
}

/// A connection's provider, with its documents at hand.
pub(crate) struct Provider<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) copy: Arc<UpstreamCopy>,
}

impl Provider<'_> {
    /// Asks for new tokens. A provider that gives no new refresh token means that the old one stays good.
    pub(crate) async fn refresh(&self, broker: &Broker, refresh_token: &str) -> Result<Heard<Renewed>, Error> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let endpoint = &self.copy.metadata.token_endpoint;
        let reply = match self.post(broker, endpoint, &form).await? {
            Ok(reply) => reply,
            Err(error) => return Ok(Heard::Untold(unreachable(&error))),
        };
        let now = broker.platform.clock.now();
        if reply.status() != StatusCode::OK {
            return Ok(refused(&reply, now));
        }
        let said = Claims::parse(reply.body()).unwrap_or_default();
        let Some(access_token) = said.text("access_token") else {
            return Ok(Heard::Untold(Trouble::Unusable.into()));
        };
        let text = |name: &str| said.text(name).map(str::to_owned);
        let expires_in = said.get("expires_in").and_then(Value::as_i64).map(Seconds);
        let mut tokens = kept_tokens(text("refresh_token"), access_token, expires_in, now);
        tokens.refresh_token = tokens.refresh_token.or_else(|| Some(refresh_token.to_owned()));
        Ok(Heard::Said(Renewed {
            tokens,
            access_token: AccessToken::new(access_token.to_owned()),
            id_token: text("id_token"),
        }))
    }

    /// What it says of the person now, by the new tokens: the ID token, and userinfo where that says more. `Said(None)`
    /// when the documents that it gives now are fewer than at the sign-in: then nothing is concluded from them.
    pub(crate) async fn reread(
        &self,
        broker: &Broker,
        watch: &Watch,
        renewed: &Renewed,
    ) -> Result<Heard<Option<Identity>>, Error> {
        match self.documents_of(broker, watch, renewed).await {
            Ok(Heard::Said((id_token, more))) => {
                let outline = outline(id_token.as_ref(), more.as_ref());
                let (first, second) = match (&id_token, &more) {
                    (Some(id_token), more) => (id_token, more.as_ref()),
                    // Without an ID token, userinfo counts where it says all by itself.
                    (None, Some(more)) if outline == watch.outline => (more, None),
                    _ => return Ok(Heard::Said(None)),
                };
                let kept = Kept { sub: watch.sub.clone(), outline, tokens: ProviderTokens::default() };
                let found = identity_of(&self.target.settings.claims, (first, second), &watch.issuer, kept);
                Ok(match found {
                    Some(identity) if identity.subject == watch.subject => Heard::Said(Some(identity)),
                    _ => Heard::Untold(Trouble::Unusable.into()),
                })
            }
            Ok(Heard::Denied) => Ok(Heard::Denied),
            Ok(Heard::Untold(delay)) => Ok(Heard::Untold(delay)),
            Err(error) => Ok(Heard::Untold(trouble_of(error)?.into())),
        }
    }

    async fn documents_of(
        &self,
        broker: &Broker,
        watch: &Watch,
        renewed: &Renewed,
    ) -> Result<Heard<(Option<Claims>, Option<Claims>)>, Error> {
        let id_token = match &renewed.id_token {
            Some(text) => Some(self.verified(broker, watch, text, &renewed.access_token).await?),
            None => None,
        };
        let says_all = id_token.is_some() && outline(id_token.as_ref(), None) == watch.outline;
        if says_all || self.copy.metadata.userinfo_endpoint.is_none() {
            return Ok(Heard::Said((id_token, None)));
        }
        Ok(match self.userinfo(broker, watch, &renewed.access_token).await? {
            Heard::Said(more) => Heard::Said((id_token, Some(more))),
            Heard::Denied => Heard::Denied,
            Heard::Untold(delay) => Heard::Untold(delay),
        })
    }

    /// An ID token that came with new tokens: of the same provider and person (OpenID Connect Core §12.2).
    async fn verified(
        &self,
        broker: &Broker,
        watch: &Watch,
        text: &str,
        access_token: &AccessToken,
    ) -> Result<Claims, Error> {
        let invalid = |rule| Error::from(LoginError::UpstreamInvalid(rule));
        let token: UpstreamIdToken = text.parse().map_err(|_| invalid("ID token"))?;
        let expected = Expected { target: self.target, nonce: None, max_age: None };
        let said = verify_id_token(broker, &expected, Arc::clone(&self.copy), &token, access_token).await?;
        let same = said.issuer == watch.issuer && said.subject == watch.sub;
        if same { Ok(said.claims) } else { Err(invalid("ID token of somebody else")) }
    }

    /// What userinfo says of the person.
    async fn userinfo(
        &self,
        broker: &Broker,
        watch: &Watch,
        access_token: &AccessToken,
    ) -> Result<Heard<Claims>, Error> {
        let Some(endpoint) = &self.copy.metadata.userinfo_endpoint else {
            return Ok(Heard::Untold(Trouble::Unvouched.into()));
        };
        let asked = userinfo::Asked { endpoint, access_token, subject: &watch.sub };
        let reply = match userinfo::send(broker, &self.target, &asked).await? {
            Ok(reply) => reply,
            Err(error) => return Ok(Heard::Untold(unreachable(&error))),
        };
        match reply.status() {
            StatusCode::OK => {
                userinfo::read(broker, &self.target, Arc::clone(&self.copy), &asked, &reply).await.map(Heard::Said)
            }
            StatusCode::UNAUTHORIZED => Ok(Heard::Denied),
            _ => Ok(Heard::Untold(delayed(&reply, broker.platform.clock.now()))),
        }
    }

    /// Whether an access token of the person's that should be good still is: by userinfo, and by introspection (RFC 7662)
    /// where that does not say. `Denied` when it is not.
    pub(crate) async fn still_good(
        &self,
        broker: &Broker,
        watch: &Watch,
        access_token: &str,
    ) -> Result<Heard<()>, Error> {
        let token = AccessToken::new(access_token.to_owned());
        let asked = self.userinfo(broker, watch, &token).await;
        let heard = match asked {
            Ok(Heard::Said(_)) => return Ok(Heard::Said(())),
            Ok(Heard::Denied) => return Ok(Heard::Denied),
            Ok(Heard::Untold(delay)) => delay,
            Err(error) => trouble_of(error)?.into(),
        };
        match &self.copy.metadata.introspection_endpoint {
            Some(endpoint) => {
                let form = [("token", access_token), ("token_type_hint", "access_token")];
                let reply = match self.post(broker, endpoint, &form).await? {
                    Ok(reply) => reply,
                    Err(error) => return Ok(Heard::Untold(unreachable(&error))),
                };
                let said = Claims::parse(reply.body()).filter(|_| reply.status() == StatusCode::OK);
                Ok(match said.and_then(|said| said.get("active").and_then(Value::as_bool)) {
                    Some(true) => Heard::Said(()),
                    Some(false) => Heard::Denied,
                    None => Heard::Untold(delayed(&reply, broker.platform.clock.now())),
                })
            }
            None => Ok(Heard::Untold(heard)),
        }
    }

    async fn post(
        &self,
        broker: &Broker,
        endpoint: &Url,
        form: &[(&str, &str)],
    ) -> Result<Result<Response<Bytes>, HttpError>, Error> {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let ours = OurName::of(broker, &self.target, &self.copy)?;
        form::post(broker, self.target.tenant, &ours, endpoint, form).await
    }
}
