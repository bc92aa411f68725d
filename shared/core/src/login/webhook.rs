//! A tenant's webhook at its checkpoint: it is told who is about to sign in where, and allows it, refuses it, or adds
//! claims.
//!
//! What we send is signed ([`crate::webhook_signature`]). It has the time that every request of ours has ([`crate::platform::HTTP_TIMEOUT_SECONDS`]), and is not asked twice. Whatever is not
//! an answer within the rules is a failure, and what a failure means is the tenant's to say.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use vestibule_protocol::oidc::added_claims::AddedClaims;

use crate::Broker;
use crate::error::Error;
use crate::handle::new_id;
use crate::model::checkpoint::{OnFailure, Webhook};
use crate::model::pending::PendingSignIn;
use crate::platform::HttpError;
use crate::store::key;
use crate::webhook_signature;

/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// Most characters of a message that are shown.
const MAX_MESSAGE: usize = 300;

/// What the webhook decided, or what its failure means.
pub(super) enum Verdict {
    /// The person is let in, with these claims.
    Allow(AddedClaims),
    /// They are not, perhaps with a message for them.
    Refuse(Option<String>),
    /// It failed, and the tenant lets nobody in without it.
    Unavailable,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("there is no secret to sign with")]
    NoSecret,
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("it answered {0}")]
    Status(u16),
    #[error("its answer breaks a rule: {0}")]
    Answer(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    decision: Decision,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Allow,
    Refuse,
}

/// Asks the webhook about a sign-in.
pub(super) async fn ask(broker: &Broker, webhook: &Webhook, pending: &PendingSignIn) -> Result<Verdict, Error> {
    let body = Bytes::from(question(broker, pending).await?.to_string());
    let tenant = &pending.code.subject.tenant;
    match send(broker, tenant, webhook, body).await? {
        Ok(verdict) => Ok(verdict),
        Err(failure) => {
            tracing::warn!(tenant.id = tenant, failure = %failure, mode = ?webhook.on_failure, "checkpoint.webhook_failed");
            Ok(match webhook.on_failure {
                OnFailure::Refuse => Verdict::Unavailable,
                OnFailure::Allow => Verdict::Allow(AddedClaims::default()),
            })
        }
    }
}

/// What the webhook is told.
async fn question(broker: &Broker, pending: &PendingSignIn) -> Result<Value, Error> {
    let subject = &pending.code.subject;
    let user = key::user(&subject.tenant, &subject.user).get(&*broker.platform.store).await?;
    let groups = user.map(|found| found.value.groups).unwrap_or_default();
    Ok(json!({
        "type": "sign_in.requested",
        "data": {
            "tenant": subject.tenant,
            "connection": pending.connection,
            "client": pending.code.client,
            "user": subject.user,
            "profile": subject.profile,
            "groups": groups,
            "auth_time": subject.auth_time,
            "acr": subject.method.acr,
            "amr": subject.method.amr,
            "session": subject.session,
            "session_continued": pending.continues,
            "justification": pending.justification,
        },
    }))
}

/// The inner error is the webhook's.
async fn send(
    broker: &Broker,
    tenant: &str,
    webhook: &Webhook,
    body: Bytes,
) -> Result<Result<Verdict, Failure>, Error> {
    let name = format!("msg_{}", new_id(&*broker.platform.random));
    let Some(request) = webhook_signature::request(broker, tenant, &webhook.url, &name, body).await? else {
        return Ok(Err(Failure::NoSecret));
    };
    Ok(match broker.platform.http.send(request).await {
        Ok(reply) if reply.status() == http::StatusCode::OK => read(reply.body()),
        Ok(reply) => Err(Failure::Status(reply.status().as_u16())),
        Err(error) => Err(error.into()),
    })
}

fn read(body: &[u8]) -> Result<Verdict, Failure> {
    if body.len() > MAX_ANSWER {
        return Err(Failure::Answer("it is longer than 16 KiB"));
    }
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| Failure::Answer("it is not the JSON that it must be"))?;
    match answer.decision {
        Decision::Allow => Ok(Verdict::Allow(AddedClaims::new(answer.claims).map_err(Failure::Answer)?)),
        Decision::Refuse => Ok(Verdict::Refuse(answer.message.as_deref().and_then(shown))),
    }
}

/// A message as it is shown: one line, without control characters, not too long.
fn shown(message: &str) -> Option<String> {
    let one_line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = one_line.chars().filter(|letter| !letter.is_control()).take(MAX_MESSAGE).collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> Option<String> {
        match read(json!({ "decision": "refuse", "message": message }).to_string().as_bytes()) {
            Ok(Verdict::Refuse(message)) => message,
            _ => panic!("it refuses"),
        }
    }

    #[test]
    fn an_answer_is_one_of_two() {
        assert!(matches!(read(br#"{"decision":"allow"}"#), Ok(Verdict::Allow(claims)) if claims.is_empty()));
        assert!(
            matches!(read(br#"{"decision":"allow","claims":{"a":1}}"#), Ok(Verdict::Allow(claims)) if !claims.is_empty())
        );
        assert!(matches!(read(br#"{"decision":"refuse"}"#), Ok(Verdict::Refuse(None))));
        let long = format!(r#"{{"decision":"allow"{}}}"#, " ".repeat(MAX_ANSWER));
        for wrong in [
            "",
            "{}",
            "allow",
            "null",
            r#"{"decision":"ALLOW"}"#,
            r#"{"decision":"maybe"}"#,
            r#"{"decision":"allow","claim":{}}"#,
            r#"{"decision":"allow","claims":[]}"#,
            r#"{"decision":"allow","claims":{"sub":"somebody"}}"#,
            r#"{"decision":"allow"}{"decision":"allow"}"#,
            long.as_str(),
        ] {
            assert!(matches!(read(wrong.as_bytes()), Err(Failure::Answer(_))), "{wrong}");
        }
    }

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(refused(" Not\n on\t Sundays.\u{7} ").as_deref(), Some("Not on Sundays."));
        assert_eq!(refused(" \n "), None);
        assert_eq!(refused(&"ä".repeat(301)).map(|shown| shown.chars().count()), Some(300));
    }
}
