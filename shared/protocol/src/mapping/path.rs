//! Where a claim is: its name, a dotted path to it, or JSONPath (RFC 9535).

use std::str::FromStr;

use serde_json::Value;
use serde_json_path::JsonPath;

use super::text_form;
use super::value::scalars;
use crate::oidc::claims::Claims;

/// Longest path, in bytes.
const MAX_BYTES: usize = 255;
/// Most brackets and parentheses of a JSONPath that are open at once.
const MAX_DEPTH: usize = 6;
/// Most commas of a JSONPath: each may double what is found.
const MAX_COMMAS: usize = 4;

/// Where a claim is. Read once, asked of every sign-in.
///
/// - The exact name of a claim goes first, whatever is in it: `groups`, `cognito:groups`, `https://corp.example/roles`.
/// - Otherwise dots lead into objects: `realm_access.roles`. A name with dots in it is found there too, the longest name
///   first. Of a list on the way, every element is followed.
/// - What begins with `$`, followed by a dot, a bracket or nothing, is JSONPath.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath {
    text: String,
    query: Option<JsonPath>,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It is empty, too long, or nobody could read it.
    #[error("it needs 1 to 255 bytes, without control characters")]
    Form,
    /// It begins as JSONPath does and goes on otherwise.
    #[error("JSONPath that cannot be read, at character {0} (match() and search() do not exist here)")]
    JsonPath(usize),
    /// It could take very long, by this rule.
    #[error("JSONPath {0}")]
    Costly(&'static str),
}

impl ClaimPath {
    /// A claim of this name.
    pub fn exact(name: &'static str) -> Self {
        Self { text: name.to_owned(), query: None }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is there, in the order of the claims. Nothing of it is null.
    pub fn find<'c>(&self, claims: &'c Claims) -> Vec<&'c Value> {
        let mut found = Vec::new();
        if let Some(value) = claims.get(&self.text) {
            found.push(value);
        } else if let Some(query) = &self.query {
            found = query.query(claims.as_value()).all();
        } else {
            follow(claims.as_value(), &self.text, &mut found);
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The first text that is there and has something in it.
    pub fn first_text<'c>(&self, claims: &'c Claims) -> Option<&'c str> {
        let texts = self.find(claims).into_iter().flat_map(scalars).filter_map(Value::as_str);
        texts.into_iter().find(|text| !text.trim().is_empty())
    }

    /// The only value that is there, if it is one and no list.
    pub fn only<'c>(&self, claims: &'c Claims) -> Option<&'c Value> {
        match self.find(claims).as_slice() {
            [value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))] => Some(value),
            _ => None,
        }
    }
}

impl FromStr for ClaimPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        if text.is_empty() || text.len() > MAX_BYTES || text.chars().any(char::is_control) {
            return Err(PathError::Form);
        }
        // `$score` is a claim's name: no JSONPath goes on with a letter.
        let is_query = text.strip_prefix('$').is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        let query = if is_query { Some(query(text)?) } else { None };
        Ok(Self { text: text.to_owned(), query })
    }
}

fn query(text: &str) -> Result<JsonPath, PathError> {
    check_cost(text)?;
    JsonPath::parse(text).map_err(|error| PathError::JsonPath(error.position()))
}

/// Bounds on what a query may cost, whatever the claims are: it is asked on every sign-in. What is within them looks at
/// each value a few times at most.
fn check_cost(text: &str) -> Result<(), PathError> {
    let (mut depth, mut commas, mut descents) = (0_usize, 0, 0);
    let mut quote = None;
    let mut letters = text.chars().skip(1).peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => drop(letters.next()),
            (Some(open), letter) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, ',') => commas += 1,
            (None, '$') => return Err(PathError::Costly("may have $ at its beginning only: filters look at @")),
            (None, '.') if letters.peek() == Some(&'.') => {
                descents += 1;
                if depth > 0 || descents > 1 {
                    return Err(PathError::Costly("may have .. once, and in no filter"));
                }
            }
            _ => {}
        }
        if depth > MAX_DEPTH || commas > MAX_COMMAS {
            return Err(PathError::Costly("is too deep, or has too many commas: 6 brackets and 4 commas are the most"));
        }
    }
    Ok(())
}

fn follow<'c>(value: &'c Value, path: &str, found: &mut Vec<&'c Value>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| follow(element, path, found)),
        Value::Object(members) => {
            if let Some(value) = members.get(path) {
                found.push(value);
                return;
            }
            let before = found.len();
            for (at, _) in path.rmatch_indices('.') {
                if let (Some(name), Some(rest)) = (path.get(..at), path.get(at + 1..))
                    && let Some(inner) = members.get(name)
                {
                    follow(inner, rest, found);
                    if found.len() > before {
                        return;
                    }
                }
            }
        }
        _ => {}
    }
}

text_form!(ClaimPath);

#[cfg(test)]
mod tests;
