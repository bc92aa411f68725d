//! What the store and a partition say to each other, one message each way: JSON texts, and behind an answer the values of
//! its records.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use vestibule_core::store::{Expect, Page, Record, Version, Write};
use vestibule_protocol::time::Timestamp;

/// A question; it changes nothing.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Read<'a> {
    /// One record.
    Get {
        #[serde(borrow)]
        id: Cow<'a, str>,
    },
    /// A record, and the one that it names.
    Follow {
        #[serde(borrow)]
        id: Cow<'a, str>,
        member: Cow<'a, str>,
        prefix: Cow<'a, str>,
    },
    /// Records in the order of the question.
    Many { ids: Cow<'a, [String]> },
    /// Records in the order of their ids.
    List {
        #[serde(borrow)]
        prefix: Cow<'a, str>,
        after: Option<Cow<'a, str>>,
        limit: usize,
    },
}

/// A change.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change<'a> {
    /// Removes one record and tells what it was.
    Take {
        #[serde(borrow)]
        id: Cow<'a, str>,
    },
    /// All of the writes or none.
    Commit(Vec<OneWrite>),
}

/// The partition's answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// To a get or a take.
    Record(Option<OneRecord>),
    /// To a question for many; to one that follows, two.
    Records(Vec<Option<OneRecord>>),
    /// To a list.
    Page { records: Vec<OneRecord>, next: Option<String> },
    /// The commit happened: the versions of what was put.
    Done(Vec<Version>),
    /// An expectation did not hold; nothing was written.
    Conflict,
}

/// What stands before each value behind an answer: no JSON text holds it bare (RFC 8259 §7).
const SEPARATOR: char = '\u{1e}';

impl Answer {
    /// Reads an answer with the values behind it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(SEPARATOR);
        let mut answer = serde_json::from_str(parts.next()?).ok()?;
        let records: &mut dyn Iterator<Item = &mut OneRecord> = match &mut answer {
            Self::Record(record) => &mut record.iter_mut(),
            Self::Records(records) => &mut records.iter_mut().flatten(),
            Self::Page { records, .. } => &mut records.iter_mut(),
            Self::Done(_) | Self::Conflict => return Some(answer),
        };
        for record in records {
            parts.next()?.clone_into(&mut record.0.value);
        }
        Some(answer)
    }
}

/// A [`Write`] that can be sent.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OneWrite(#[serde(with = "WriteText")] pub(crate) Write);

/// A [`Record`] that can be sent.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct OneRecord(#[serde(with = "RecordText")] pub(crate) Record);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Record")]
struct RecordText {
    id: String,
    /// Not with the record in an answer.
    #[serde(default)]
    value: String,
    version: Version,
    expires_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Write", rename_all = "lowercase")]
enum WriteText {
    Put {
        id: String,
        value: String,
        expires_at: Option<Timestamp>,
        #[serde(with = "ExpectText")]
        expect: Expect,
    },
    Delete {
        id: String,
        #[serde(with = "ExpectText")]
        expect: Expect,
    },
    Add {
        id: String,
        by: i32,
    },
    Check {
        id: String,
        #[serde(with = "ExpectText")]
        expect: Expect,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Expect", rename_all = "lowercase")]
enum ExpectText {
    Any,
    Absent,
    Present,
    Version(Version),
}

impl From<Page> for Answer {
    fn from(page: Page) -> Self {
        Self::Page { records: page.records.into_iter().map(OneRecord).collect(), next: page.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_behind_an_answer() {
        let text = "{\"records\":[{\"id\":\"a\",\"version\":\"1\",\"expires_at\":null},null,\
                    {\"id\":\"b\",\"version\":\"2\",\"expires_at\":7}]}\u{1e}{\"x\":\"\\u001e\"}\u{1e}2";
        let Some(Answer::Records(records)) = Answer::parse(text) else { panic!("not records") };
        let values: Vec<_> = records.iter().map(|record| record.as_ref().map(|one| one.0.value.as_str())).collect();
        assert_eq!(values, [Some("{\"x\":\"\\u001e\"}"), None, Some("2")]);
        assert!(Answer::parse(text.rsplit_once('\u{1e}').unwrap().0).is_none(), "a value is missing");
        assert!(matches!(Answer::parse("\"conflict\""), Some(Answer::Conflict)));
        assert!(Answer::parse("").is_none());
    }

    #[test]
    fn a_commit_arrives_as_it_was_sent() {
        let writes = vec![
            Write::Put {
                id: "a\u{0}\"\u{1F511}".to_owned(),
                value: "{\"x\":\"\\n\"}".to_owned(),
                expires_at: Some(Timestamp::from_seconds(7)),
                expect: Expect::Version(Version::new("12")),
            },
            Write::Delete { id: "b".to_owned(), expect: Expect::Any },
            Write::Add { id: "d".to_owned(), by: -1 },
            Write::Check { id: "c".to_owned(), expect: Expect::Present },
        ];
        let sent = serde_json::to_string(&Change::Commit(writes.iter().cloned().map(OneWrite).collect())).unwrap();
        let Change::Commit(got) = serde_json::from_str(&sent).unwrap() else { panic!("not a commit: {sent}") };
        assert_eq!(got.into_iter().map(|write| write.0).collect::<Vec<_>>(), writes);
    }
}
