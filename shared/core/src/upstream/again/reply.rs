//! What replies mean: which of them say something about a person, which only that the provider is in trouble.

use bytes::Bytes;
use chrono::DateTime;
use http::header::RETRY_AFTER;
use http::{Response, StatusCode};
use vestibule_protocol::oidc::claims::Claims;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::Heard;
use crate::error::{Error, LoginError};
use crate::model::watch::{Delay, Trouble};
use crate::platform::HttpError;

/// Longest that a provider's `Retry-After` is obeyed.
const MAX_PAUSE: Seconds = Seconds(6 * 3_600);

/// A token endpoint's refusal (RFC 6749 §5.2): `invalid_grant` is about the refresh token, nothing else is.
pub(in crate::upstream) fn refused<T>(reply: &Response<Bytes>, now: Timestamp) -> Heard<T> {
    let client_error = matches!(reply.status(), StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED);
    let said = Claims::parse(reply.body()).filter(|_| client_error);
    let code = said.as_ref().and_then(|said| said.text("error"));
    match code {
        Some("invalid_grant") => Heard::Denied,
        Some("invalid_client" | "unauthorized_client") => Heard::Untold(Trouble::ClientRefused.into()),
        None if reply.status() == StatusCode::UNAUTHORIZED => Heard::Untold(Trouble::ClientRefused.into()),
        _ => Heard::Untold(delayed(reply, now)),
    }
}

/// Why a reply says nothing, and when to ask again (RFC 9110 §10.2.3).
pub(in crate::upstream) fn delayed(reply: &Response<Bytes>, now: Timestamp) -> Delay {
    let trouble = match reply.status() {
        StatusCode::TOO_MANY_REQUESTS => Trouble::Busy,
        StatusCode::OK => Trouble::Unusable,
        _ => Trouble::Failing,
    };
    let text = reply.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = |text: &str| match text.trim().parse::<i64>() {
        Ok(seconds) => Some(seconds),
        Err(_) => Some(DateTime::parse_from_rfc2822(text).ok()?.timestamp() - now.seconds()),
    };
    let retry_after = text.and_then(seconds).map(|seconds| Seconds(seconds.clamp(0, MAX_PAUSE.0)));
    Delay { trouble, retry_after }
}

pub(in crate::upstream) fn unreachable(error: &HttpError) -> Delay {
    match error {
        HttpError::TooLarge => Trouble::Unusable.into(),
        HttpError::Timeout | HttpError::Refused(_) | HttpError::Network(_) => Trouble::Unreachable.into(),
    }
}

/// Which trouble with the provider an error is. Whatever else it is stays ours.
pub(crate) fn trouble_of(error: Error) -> Result<Trouble, Error> {
    match error {
        Error::Login(LoginError::UpstreamInvalid(_)) => Ok(Trouble::Unusable),
        Error::Login(LoginError::UpstreamUnavailable(_)) => Ok(Trouble::Unreachable),
        Error::Login(LoginError::ConnectionUnavailable) => Ok(Trouble::Disconnected),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);

    fn reply(status: u16, retry_after: Option<&str>, body: &str) -> Response<Bytes> {
        let mut builder = Response::builder().status(status);
        if let Some(text) = retry_after {
            builder = builder.header(RETRY_AFTER, text);
        }
        builder.body(Bytes::from(body.to_owned())).unwrap()
    }

    fn heard(status: u16, body: &str) -> Option<Trouble> {
        match refused::<()>(&reply(status, None, body), NOW) {
            Heard::Said(()) => unreachable!(),
            Heard::Denied => None,
            Heard::Untold(delay) => Some(delay.trouble),
        }
    }

    /// ED-6: only `invalid_grant`, said as RFC 6749 §5.2 says it, is about the refresh token.
    #[test]
    fn one_answer_alone_refuses_a_token() {
        let invalid_grant = r#"{"error":"invalid_grant"}"#;
        assert_eq!((heard(400, invalid_grant), heard(401, invalid_grant)), (None, None));
        for (status, body, trouble) in [
            (500, invalid_grant, Trouble::Failing),
            (503, "", Trouble::Failing),
            (403, invalid_grant, Trouble::Failing),
            (302, "", Trouble::Failing),
            (429, invalid_grant, Trouble::Busy),
            (400, "", Trouble::Failing),
            (400, r#"{"error":["invalid_grant"]}"#, Trouble::Failing),
            (400, r#"{"error":"temporarily_unavailable"}"#, Trouble::Failing),
            (400, r#"{"error":"invalid_client"}"#, Trouble::ClientRefused),
            (401, r#"{"error":"unauthorized_client"}"#, Trouble::ClientRefused),
            (401, "", Trouble::ClientRefused),
        ] {
            assert_eq!(heard(status, body), Some(trouble), "{status} {body}");
        }
    }

    #[test]
    fn a_provider_says_when_to_come_again() {
        let after = |text: &str| delayed(&reply(429, Some(text), ""), NOW).retry_after;
        assert_eq!(after("120"), Some(Seconds(120)));
        assert_eq!(after("Sun, 15 Jun 2025 15:08:40 GMT"), Some(Seconds(2 * 60)));
        assert_eq!(after("Sun, 15 Jun 2025 15:00:00 GMT"), Some(Seconds(0)));
        assert_eq!(after("99999999"), Some(MAX_PAUSE));
        for odd in ["", "soon", "1.5"] {
            assert_eq!(after(odd), None, "{odd}");
        }
    }
}
