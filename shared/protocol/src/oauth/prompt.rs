//! `prompt` and `max_age` of an authorization request: whether the person must be asked (OpenID Connect Core §3.1.2.1).

use super::Error;
use crate::params::Params;
use crate::time::{Seconds, Timestamp};

/// How much the person is to be bothered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Prompt {
    /// As much as it takes.
    #[default]
    AsNeeded,
    /// Not at all: no page may be shown.
    None,
    /// In these ways in any case, space-delimited: one or more of `login`, `consent` and `select_account`.
    Ask(String),
}

impl Prompt {
    /// Every value that may be asked for, for the metadata document.
    pub const VALUES: [&str; 4] = ["none", "login", "consent", "select_account"];

    /// Reads the parameter. `none` stands alone.
    pub fn parse(params: &Params<'_>) -> Result<Self, Error> {
        let Some(text) = params.get("prompt")? else { return Ok(Self::AsNeeded) };
        if text == "none" {
            return Ok(Self::None);
        }
        for value in text.split(' ') {
            match value {
                "login" | "consent" | "select_account" => {}
                "none" => return Err(Error::invalid_request("prompt none cannot be combined with others")),
                _ => return Err(Error::invalid_request("prompt must be of none, login, consent, select_account")),
            }
        }
        Ok(Self::Ask(text.to_owned()))
    }
}

/// Reads `max_age`: whole seconds, not negative.
pub fn max_age(params: &Params<'_>) -> Result<Option<Seconds>, Error> {
    let Some(text) = params.get("max_age")? else { return Ok(None) };
    match text.parse::<u32>() {
        Ok(seconds) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(Seconds(seconds.into()))),
        _ => Err(Error::invalid_request("max_age must be a number of seconds")),
    }
}

/// Whether a login at `auth_time` is too old for `max_age` at `now`. With 0 every login is.
pub fn is_too_old(auth_time: Timestamp, max_age: Option<Seconds>, now: Timestamp) -> bool {
    max_age.is_some_and(|max_age| (auth_time + max_age).has_passed(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(query: &str) -> Result<Prompt, Error> {
        Prompt::parse(&Params::parse(query).unwrap())
    }

    /// AZ-12
    #[test]
    fn none_stands_alone() {
        assert_eq!(prompt(""), Ok(Prompt::AsNeeded));
        assert_eq!(prompt("prompt=none"), Ok(Prompt::None));
        assert_eq!(prompt("prompt=login+consent"), Ok(Prompt::Ask("login consent".to_owned())));
        for wrong in ["none+login", "login+none", "create", "LOGIN", "login++consent", "none+none", "+"] {
            assert!(prompt(&format!("prompt={wrong}")).is_err(), "{wrong}");
        }
    }

    /// AZ-12
    #[test]
    fn a_login_grows_too_old() {
        let at = Timestamp::from_seconds;
        for (max_age, now, old) in
            [(None, 999, false), (Some(10), 109, false), (Some(10), 110, true), (Some(0), 100, true)]
        {
            assert_eq!(is_too_old(at(100), max_age.map(Seconds), at(now)), old, "{max_age:?} {now}");
        }
    }

    #[test]
    fn an_age_is_a_number() {
        let parse = |text: &str| max_age(&Params::parse(&format!("max_age={text}")).unwrap());
        assert_eq!(parse("0"), Ok(Some(Seconds(0))));
        assert_eq!(parse("86400"), Ok(Some(Seconds(86_400))));
        assert_eq!(parse(""), Ok(None));
        for wrong in ["-1", "%2B1", "1.5", "1e3", "ten", "99999999999"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
