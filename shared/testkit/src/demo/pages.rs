//! What the demo application shows.

use serde_json::Value;
use vestibule_protocol::time::{Seconds, Timestamp};

use super::app::Session;
use crate::html::{escape, page};

/// How long the broker's refresh tokens live. The protocol has no field for it; this is the broker's documented
/// lifetime, counted from the sign-in.
const REFRESH_SECONDS: i64 = 604_800;

/// Nobody is signed in.
pub(super) fn signed_out() -> String {
    page(
        "Demo application",
        "<h1>Demo application</h1><p>You are signed out.</p><p class=\"soft\">Signing in leads through the broker to \
         the demo company's identity provider and back.</p><a class=\"button\" href=\"/sign-in\">Sign in</a>",
    )
}

/// Who is signed in, until when, and with which claims.
pub(super) fn signed_in(session: &Session) -> String {
    let claims = &session.tokens.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let name = [text("name"), text("email"), text("sub")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let rows: String = claims.iter().map(|(name, value)| row(name, &escape(&claim(name, value)))).collect();
    let renewed = match session.refreshes {
        0 => "not renewed yet".to_owned(),
        1 => "renewed once".to_owned(),
        times => format!("renewed {times} times"),
    };
    let tenant = match text("tenant") {
        "" => String::new(),
        tenant => format!(" of tenant <strong>{}</strong>", escape(tenant)),
    };
    let body = format!(
        "<h1>Hello, {}</h1><p>You are signed in as <strong>{}</strong>{tenant}.</p>\
         <h2>Tokens</h2><table><tbody>{}</tbody></table>\
         <p class=\"soft\">Signed in {}, {renewed}.</p>\
         <form method=\"post\" action=\"/refresh\"><button type=\"submit\">Renew the tokens</button></form>\
         <form method=\"post\" action=\"/sign-out\"><button class=\"second\" type=\"submit\">Sign out</button></form>\
         <h2>Claims of the ID token</h2><table><tbody>{rows}</tbody></table>",
        escape(name),
        escape(if text("email").is_empty() { text("sub") } else { text("email") }),
        lifetimes(session),
        utc(session.since),
    );
    page("Demo application", &body)
}

/// Something went wrong.
pub(super) fn failed(why: &str) -> String {
    let body = format!(
        "<h1>That did not work</h1><p class=\"bad\" role=\"alert\">{}</p>\
         <a class=\"button\" href=\"/\">Back to the start</a>",
        escape(why)
    );
    page("That did not work", &body)
}

fn lifetimes(session: &Session) -> String {
    let number = |name: &str| session.tokens.claims.get(name).and_then(Value::as_i64);
    let line = |life: i64, from: Timestamp| format!("{}, until {}", words(life), utc(from + Seconds(life)));
    let access =
        session.tokens.expires_in.map_or_else(|| "not stated".to_owned(), |life| line(life, session.refreshed));
    let id = match (number("iat"), number("exp")) {
        (Some(issued), Some(expires)) => line(expires - issued, Timestamp::from_seconds(issued)),
        _ => "not stated".to_owned(),
    };
    let refresh = match session.tokens.refresh_token {
        Some(_) => line(REFRESH_SECONDS, session.since),
        None => "there is none".to_owned(),
    };
    [row("Access token", &access), row("Refresh token", &refresh), row("ID token", &id)].concat()
}

/// `value` is HTML.
fn row(name: &str, value: &str) -> String {
    format!("<tr><th scope=\"row\">{}</th><td>{value}</td></tr>", escape(name))
}

fn claim(name: &str, value: &Value) -> String {
    match (name, value) {
        ("iat" | "exp" | "nbf" | "auth_time", Value::Number(number)) => {
            number.as_i64().map_or_else(|| number.to_string(), |at| utc(Timestamp::from_seconds(at)))
        }
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// `86400` is `1 day`: the largest units that fit, two at most.
fn words(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut rest = seconds.max(0);
    let mut parts = Vec::new();
    for (size, unit) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {unit}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { "no time".to_owned() } else { parts.join(" ") }
}

/// An instant as `2026-01-31 23:59:00 UTC`.
fn utc(at: Timestamp) -> String {
    let second = at.seconds().rem_euclid(86_400);
    format!("{} {:02}:{:02}:{:02} UTC", at.day(), second / 3_600, second % 3_600 / 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_read_as_words() {
        for (seconds, text) in
            [(86_400, "1 day"), (604_800, "7 days"), (300, "5 minutes"), (90_061, "1 day 1 hour"), (0, "no time")]
        {
            assert_eq!(words(seconds), text);
        }
    }

    #[test]
    fn instants_read_as_utc() {
        assert_eq!(utc(Timestamp::from_seconds(951_782_399)), "2000-02-28 23:59:59 UTC");
    }

    #[test]
    fn what_a_server_sends_is_text() {
        assert!(failed("<script>").contains("&lt;script&gt;"));
    }
}
