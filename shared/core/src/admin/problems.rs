//! What is wrong with a body: everything at once, each with the place where it is.

use schemars::JsonSchema;
use serde::Serialize;

use crate::error::AdminError;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Problem {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole body.
    pub path: String,
    /// What, without what was sent.
    pub problem: String,
}

/// Everything to mend.
#[derive(Debug, Default)]
pub struct Problems {
    all: Vec<Problem>,
    /// How many of them say that something could not be read at all.
    unread: usize,
}

/// What was sent, as far as it could be read, with what is wrong with it so far.
#[derive(Debug)]
pub struct Checked<T> {
    /// The input. What could not be read is filled with something; no rule on it counts.
    pub input: T,
    /// What is wrong.
    pub problems: Problems,
}

impl Problems {
    /// Problems of reading.
    pub(super) fn of_reading(all: Vec<Problem>) -> Self {
        Self { unread: all.len(), all }
    }

    /// A rule that does not hold for what is at `path`, unless that could not be read.
    pub fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        let path = path.into();
        if self.is_read(&path) {
            self.all.push(Problem { path, problem: problem.into() });
        }
    }

    /// Whether what is at `path` was read as it was sent.
    pub fn is_read(&self, path: &str) -> bool {
        let below = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let unread = self.all.iter().take(self.unread);
        !unread.map(|problem| problem.path.as_str()).any(|other| below(path, other) || below(other, path))
    }

    /// What `check` found, if it found nothing wrong.
    pub(super) fn take<T>(&mut self, path: &str, checked: Result<T, &'static str>) -> Option<T> {
        checked.map_err(|problem| self.add(path, problem)).ok()
    }

    /// Goes on only if there is none.
    pub fn none(self) -> Result<(), AdminError> {
        if self.all.is_empty() { Ok(()) } else { Err(AdminError::problems(self.all)) }
    }
}

impl AdminError {
    /// Things to mend in the body, of very many the first hundred.
    pub(super) fn problems(mut all: Vec<Problem>) -> Self {
        all.truncate(100);
        Self::Problems(all)
    }

    /// One thing to mend, in the body.
    pub fn problem(path: &str, problem: impl Into<String>) -> Self {
        Self::Problems(vec![Problem { path: path.to_owned(), problem: problem.into() }])
    }
}

/// A name as part of a JSON pointer (RFC 6901 §3); of a name that nobody would use, the beginning.
pub(super) fn escaped(name: &str) -> String {
    name.chars().take(100).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// All problems in one line, for whoever reads no list.
pub(crate) fn in_words(problems: &[Problem]) -> String {
    const MOST: usize = 5;
    let told = problems.iter().take(MOST).map(|Problem { path, problem }| {
        let place = if path.is_empty() { "the body" } else { path };
        format!("{place} {problem}")
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let more = problems.len().saturating_sub(MOST);
    if more == 0 { told } else { format!("{told}; and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &str) -> Problem {
        Problem { path: path.to_owned(), problem: "is missing".to_owned() }
    }

    #[test]
    fn no_rule_counts_for_what_was_not_read() {
        let mut problems = Problems::of_reading(vec![problem("/a/1"), problem("/b")]);
        for path in ["/a/1", "/a/1/x", "/a", "/b", "/b/0"] {
            problems.add(path, "is wrong");
        }
        assert_eq!(problems.all.len(), 2);
        for path in ["/a/10", "/c", "/bb"] {
            problems.add(path, "is wrong");
        }
        assert_eq!(problems.all.len(), 5);
        assert!(problems.none().is_err() && Problems::default().none().is_ok());
    }

    #[test]
    fn a_line_tells_the_first_and_counts_the_rest() {
        assert_eq!(in_words(&[problem("")]), "the body is missing");
        let many: Vec<_> = (0..7).map(|number| problem(&format!("/{number}"))).collect();
        assert!(in_words(&many).ends_with("/4 is missing; and 2 more"), "{}", in_words(&many));
    }
}
