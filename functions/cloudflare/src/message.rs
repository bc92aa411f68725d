//! What the store and a partition say to each other: JSON texts, one each way.

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
