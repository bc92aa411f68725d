//! What a tenant wants between the proof of who somebody is and the application's code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A tenant's checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Checkpoint {
    /// Which sign-ins pass it.
    pub when: When,
    /// What the person has to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub justification: Option<Justification>,
    /// Who else decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Webhook>,
}

/// A program of the tenant's that decides about sign-ins. See [`crate::login`] for what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is: an address that the egress policy allows.
    pub url: String,
    /// What it means when it does not answer, or not as it should.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// What a webhook's failure means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nobody is let in without its word.
    #[default]
    Refuse,
    /// Everybody is, without added claims.
    Allow,
}

/// Which sign-ins pass a checkpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Those that begin a session, and the next of a session that began without.
    #[default]
    OncePerSession,
    /// Those that a session answers without the identity provider, too.
    EverySignIn,
}

/// A reason that a person gives for signing in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Justification {
    /// The question. 1 to 300 characters.
    pub prompt: String,
    /// Fewest characters of an answer in the person's own words; at least 1.
    pub min_length: usize,
    /// Most characters of it; at most [`MAX_JUSTIFICATION`].
    pub max_length: usize,
    /// Answers to choose from, up to twenty; with any, there are no others.
    pub reasons: Vec<String>,
}

/// Most characters that a justification can have.
pub const MAX_JUSTIFICATION: usize = 1_000;

impl Default for Justification {
    fn default() -> Self {
        Self { prompt: "Why are you signing in?".to_owned(), min_length: 10, max_length: 500, reasons: Vec::new() }
    }
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unacceptable {
    /// It is none of the reasons.
    NotAReason,
    /// It has fewer characters than this.
    TooShort(usize),
    /// It has more than this.
    TooLong(usize),
}

impl Justification {
    /// The answer as it is kept: without space around it, and without control characters other than line ends.
    pub fn accept(&self, answer: &str) -> Result<String, Unacceptable> {
        if !self.reasons.is_empty() {
            let chosen = self.reasons.iter().find(|reason| *reason == answer);
            return chosen.cloned().ok_or(Unacceptable::NotAReason);
        }
        let kept: String = answer.chars().filter(|letter| *letter == '\n' || !letter.is_control()).collect();
        let kept = kept.trim();
        match kept.chars().count() {
            length if length < self.min_length => Err(Unacceptable::TooShort(self.min_length)),
            length if length > self.max_length => Err(Unacceptable::TooLong(self.max_length)),
            _ => Ok(kept.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_are_counted_as_people_do() {
        let asks = Justification { min_length: 3, max_length: 5, ..Justification::default() };
        assert_eq!(asks.accept(" äöü\r\n"), Ok("äöü".to_owned()));
        assert_eq!(asks.accept("a\r\nb\u{7}c"), Ok("a\nbc".to_owned()));
        for short in ["", "  ", "ab", "a   ", "\u{0}\u{1}\u{2}", " \n\n\n "] {
            assert_eq!(asks.accept(short), Err(Unacceptable::TooShort(3)), "{short:?}");
        }
        assert_eq!(asks.accept("abcdef"), Err(Unacceptable::TooLong(5)));
    }

    #[test]
    fn of_fixed_reasons_one_is_chosen() {
        let asks =
            Justification { reasons: vec!["Support".to_owned(), "Audit".to_owned()], ..Justification::default() };
        assert_eq!(asks.accept("Audit"), Ok("Audit".to_owned()));
        for other in ["", "audit", " Audit", "because I want to", "Support\nAudit"] {
            assert_eq!(asks.accept(other), Err(Unacceptable::NotAReason), "{other}");
        }
    }
}
