//! What was forgiven: where a request was not what the RFC says and was understood nevertheless. An administrator can
//! see the notes; values are never in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most notes of one request.
const MAX_NOTES: usize = 50;
/// Longest name in a note.
const MAX_NAME: usize = 100;

/// One thing that was forgiven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// Which operation of a PATCH, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<usize>,
    /// The attribute: in our words where we know it, else as it was sent, shortened.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub attribute: String,
    /// What it was.
    pub what: Forgiven,
}

/// What can be forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forgiven {
    /// `schemas` was missing.
    SchemasMissing,
    /// `schemas` names one that we don't know.
    SchemaUnknown,
    /// The operation was not in lower case.
    OperationCase,
    /// We know no such attribute and left it out.
    Unknown,
    /// Only we write the attribute, so we left it out.
    ReadOnly,
    /// Passwords are not kept.
    Password,
    /// A text was meant as `true`, `false` or a number.
    FromText,
    /// A number was meant as text.
    FromNumber,
    /// An empty text was taken for no value.
    Empty,
    /// A value alone was taken for its object, or for a list of one.
    Wrapped,
    /// A list of one was taken for its value.
    Unwrapped,
    /// The value that a filter should have found was made.
    Created,
    /// What should be removed was not there.
    NothingRemoved,
    /// Another value was the primary one before.
    PrimaryMoved,
    /// A value without its main part was removed altogether.
    Dropped,
}

/// Collects notes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    notes: Vec<Note>,
    /// The operation that is being looked at.
    pub(super) operation: Option<usize>,
}

impl Notes {
    pub(super) fn add(&mut self, attribute: &str, what: Forgiven) {
        let attribute = attribute.chars().filter(|letter| !letter.is_control()).take(MAX_NAME).collect();
        let note = Note { operation: self.operation, attribute, what };
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn into_list(self) -> Vec<Note> {
        self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_few_short_and_not_repeated() {
        let mut notes = Notes::default();
        for _ in 0..2 {
            for number in 0..100 {
                notes.add(&format!("{number}\n{}", "x".repeat(200)), Forgiven::Unknown);
            }
        }
        let notes = notes.into_list();
        assert_eq!(notes.len(), MAX_NOTES);
        assert!(notes.iter().all(|note| note.attribute.len() == MAX_NAME && !note.attribute.contains('\n')));
        let json = serde_json::to_value(&Note { operation: None, attribute: String::new(), what: Forgiven::FromText });
        assert_eq!(json.unwrap(), serde_json::json!({ "what": "from_text" }));
    }
}
