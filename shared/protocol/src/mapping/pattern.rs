//! Which values a rule is for, and what it takes from them.

use std::str::FromStr;

use super::{fold, fold_char, text_form};

/// Longest pattern, in bytes.
const MAX_BYTES: usize = 255;
/// Where a part of the value stands.
const PART: &str = "${*}";

/// Which values a rule is for. Case does not matter.
///
/// - `*` is for every value, and takes it as it is.
/// - A text with `${*}` in it is for values with something in that place, and takes that.
/// - Any other text is for that value, and takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Any,
    /// Without case.
    Exact(String),
    /// Without case.
    Part {
        before: String,
        after: String,
    },
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is empty, too long, or nobody could read it.
    #[error("it needs 1 to 255 bytes, without control characters and without a space at its ends")]
    Form,
    /// There is a star that means nothing.
    #[error("a star is alone, or in ${{*}}, which is there once")]
    Star,
}

impl Pattern {
    /// What it takes from a value, trimmed; `None` for a value that it is not for.
    pub fn take<'v>(&self, value: &'v str) -> Option<&'v str> {
        match &self.form {
            Form::Any => Some(value),
            Form::Exact(folded) => value.chars().flat_map(fold_char).eq(folded.chars()).then_some(value),
            Form::Part { before, after } => {
                let rest = value.get(leading(value, before)?..)?;
                let end = trailing(rest, after)?;
                let part = rest.get(..rest.len() - end)?.trim();
                (!part.is_empty()).then_some(part)
            }
        }
    }

    /// Whether every value that it is for is the same.
    pub fn is_exact(&self) -> bool {
        matches!(self.form, Form::Exact(_))
    }
}

/// How many bytes of the text its beginning takes, which is `wanted` without case.
fn leading(text: &str, wanted: &str) -> Option<usize> {
    let mut wanted = wanted.chars();
    let mut bytes = 0;
    for letter in text.chars() {
        if wanted.as_str().is_empty() {
            break;
        }
        if fold_char(letter).any(|lower| wanted.next() != Some(lower)) {
            return None;
        }
        bytes += letter.len_utf8();
    }
    wanted.as_str().is_empty().then_some(bytes)
}

/// How many bytes of the text its end takes.
fn trailing(text: &str, wanted: &str) -> Option<usize> {
    let mut wanted = wanted.chars();
    let mut bytes = 0;
    for letter in text.chars().rev() {
        if wanted.as_str().is_empty() {
            break;
        }
        if fold_char(letter).rev().any(|lower| wanted.next_back() != Some(lower)) {
            return None;
        }
        bytes += letter.len_utf8();
    }
    wanted.as_str().is_empty().then_some(bytes)
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let readable = !text.is_empty() && text.len() <= MAX_BYTES && !text.chars().any(char::is_control);
        if !readable || text.trim() != text {
            return Err(PatternError::Form);
        }
        let form = match text.split_once(PART) {
            _ if text == "*" => Form::Any,
            Some((before, after)) => Form::Part { before: fold(before), after: fold(after) },
            None => Form::Exact(fold(text)),
        };
        let star = |text: &str| text.contains('*');
        match &form {
            Form::Exact(text) if star(text) => Err(PatternError::Star),
            Form::Part { before, after } if star(before) || star(after) => Err(PatternError::Star),
            _ => Ok(Self { text: text.to_owned(), form }),
        }
    }
}

text_form!(Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pattern: &str, value: &str) -> Option<String> {
        pattern.parse::<Pattern>().unwrap().take(value).map(str::to_owned)
    }

    #[test]
    fn a_text_is_for_itself_in_any_case() {
        assert_eq!(take("Admins", "ADMINS").as_deref(), Some("ADMINS"));
        assert_eq!(take("ΟΔΟΣ", "οδος").as_deref(), Some("οδος"), "both forms of the Greek sigma are one letter");
        for other in ["admin", "admins2", " admins", "", "Ａdmins"] {
            assert_eq!(take("Admins", other), None, "{other}");
        }
    }

    #[test]
    fn a_star_is_for_everything() {
        assert_eq!(take("*", "/Any Thing").as_deref(), Some("/Any Thing"));
    }

    #[test]
    fn a_part_is_taken_from_its_place() {
        for (pattern, value, part) in [
            ("/${*}", "/Engineering", Some("Engineering")),
            ("/${*}", "/a/b", Some("a/b")),
            ("/${*}", "Engineering", None),
            ("/${*}", "/", None),
            ("/${*}", "/ ", None),
            ("cn=${*},ou=groups", "CN=Ops Team,OU=Groups", Some("Ops Team")),
            ("cn=${*},ou=groups", "cn=,ou=groups", None),
            ("cn=${*},ou=groups", "cn=ou=groups", None),
            ("aa${*}aa", "aaa", None),
            ("aa${*}aa", "aaaaa", Some("a")),
            ("${*}", "x", Some("x")),
            ("${*}-team", "ops-TEAM", Some("ops")),
            ("İ${*}", "i\u{307}x", Some("x")),
            ("i\u{307}${*}", "İx", Some("x")),
            ("${*}İ", "xİ", Some("x")),
            ("i${*}", "İx", None),
        ] {
            assert_eq!(take(pattern, value).as_deref(), part, "{pattern} {value}");
        }
    }

    #[test]
    fn a_star_elsewhere_is_refused() {
        for wrong in ["eng-*", "**", "${*}${*}", "${*}*", "*/${*}", "$*"] {
            assert_eq!(wrong.parse::<Pattern>(), Err(PatternError::Star), "{wrong}");
        }
        for wrong in ["", " ", "a ", "a\n", &"x".repeat(256)] {
            assert_eq!(wrong.parse::<Pattern>(), Err(PatternError::Form), "{wrong}");
        }
        assert!("${x}".parse::<Pattern>().unwrap().is_exact() && !"*".parse::<Pattern>().unwrap().is_exact());
    }
}
