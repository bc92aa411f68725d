//! A partition from the inside: what the Durable Object `Partition` (`js/worker.js`) does on its SQLite database.
//!
//! Every function here runs from start to end without giving way, and the object has one thread: between the check of
//! an expectation and the write that rests on it nothing else happens. So a commit checks everything first and writes
//! then, and needs no lock.

use js_sys::{Array, Date};
use vestibule_core::store::{Expect, Page, Record, Version, Write};
use vestibule_protocol::time::Timestamp;
use wasm_bindgen::prelude::*;

use crate::message::{Answer, Change, OneRecord, Read};

#[wasm_bindgen]
extern "C" {
    /// A Durable Object's storage.
    pub type Storage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &Storage) -> Sql;
    /// Resolves at once; the reply to the caller waits until the alarm is durable.
    #[wasm_bindgen(method, js_name = setAlarm)]
    fn set_alarm(this: &Storage, at_ms: f64);

    type Sql;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &Sql, statement: &str, bindings: &Array) -> Result<Cursor, JsValue>;

    type Cursor;
    #[wasm_bindgen(method)]
    fn raw(this: &Cursor) -> Rows;
    type Rows;
    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &Rows) -> Result<Array, JsValue>;
}

/// Ids compare as bytes (SQLite's BINARY), which is the order that a list promises.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS records (
  id TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, expires_at INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_end ON records (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS state (version INTEGER NOT NULL, alarm_at INTEGER);
INSERT INTO state (version, alarm_at) SELECT ?, NULL WHERE NOT EXISTS (SELECT 1 FROM state)";

/// Seconds that the alarm comes after the first end at least: records end together, and one that has ended is absent
/// anyway. It also stands for how late an alarm may be before it counts as lost.
const SWEEP_DELAY: i64 = 60;
const LOST_AFTER: i64 = 3600;
/// A page ends after this many bytes of values, so that a long list is no long message.
const PAGE_BYTES: usize = 1024 * 1024;
/// Records that one alarm removes.
const SWEEP_BATCH: u32 = 1000;

/// Whether anything was ever written here. Asking creates nothing, so a name that nobody uses costs no storage.
#[wasm_bindgen]
pub fn partition_is_created(storage: &Storage) -> Result<bool, JsValue> {
    let tables = rows(&storage.sql(), "SELECT 1 FROM sqlite_master WHERE name = 'state'", &Array::new())?;
    Ok(tables.length() > 0)
}

/// Makes the tables. Versions start from the clock in microseconds: a partition that was emptied and is created again
/// must not give a version for the second time, and no partition makes a million writes a second.
#[wasm_bindgen]
pub fn partition_create(storage: &Storage) -> Result<(), JsValue> {
    storage.sql().exec(SCHEMA, &Array::of1(&JsValue::from_f64((Date::now() * 1000.0).floor()))).map(drop)
}

/// Answers a [`Read`].
#[wasm_bindgen]
pub fn partition_read(storage: &Storage, created: bool, message: &str) -> Result<String, JsValue> {
    let sql = storage.sql();
    let answer = match parse(message)? {
        Read::Get { .. } if !created => Answer::Record(None),
        Read::List { .. } if !created => Answer::from(Page::default()),
        Read::Get { id } => Answer::Record(live(&sql, &id, now())?.map(OneRecord)),
        Read::List { prefix, after, limit } => Answer::from(page(&sql, &prefix, after.as_deref(), limit)?),
    };
    text(&answer)
}

/// Carries out a [`Change`].
#[wasm_bindgen]
pub fn partition_write(storage: &Storage, message: &str) -> Result<String, JsValue> {
    let sql = storage.sql();
    let answer = match parse(message)? {
        Change::Take { id } => {
            let record = live(&sql, &id, now())?;
            if record.is_some() {
                delete(&sql, &id)?;
            }
            Answer::Record(record.map(OneRecord))
        }
        Change::Commit(writes) => commit(storage, &sql, writes.into_iter().map(|write| write.0).collect())?,
    };
    text(&answer)
}

/// Removes what has ended and sets the next alarm. `true` when nothing at all is left.
#[wasm_bindgen]
pub fn partition_sweep(storage: &Storage) -> Result<bool, JsValue> {
    let sql = storage.sql();
    let now = now();
    let ended = Array::of2(&number(now.seconds()), &JsValue::from(SWEEP_BATCH));
    sql.exec(
        "DELETE FROM records WHERE id IN (SELECT id FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
        &ended,
    )?;
    sql.exec("UPDATE state SET alarm_at = NULL", &Array::new())?;
    let next = rows(&sql, "SELECT min(expires_at) FROM records WHERE expires_at IS NOT NULL", &Array::new())?;
    if let Some(end) = integer(&first(&next).get(0)) {
        arm(storage, &sql, end, now)?;
        return Ok(false);
    }
    Ok(rows(&sql, "SELECT 1 FROM records LIMIT 1", &Array::new())?.length() == 0)
}

fn commit(storage: &Storage, sql: &Sql, writes: Vec<Write>) -> Result<Answer, JsValue> {
    let now = now();
    for write in &writes {
        let (Write::Put { id, expect, .. } | Write::Delete { id, expect } | Write::Check { id, expect }) = write;
        if !holds(sql, id, expect, now)? {
            return Ok(Answer::Conflict);
        }
    }
    let puts = writes.iter().filter(|write| matches!(write, Write::Put { .. })).count();
    let (mut version, alarm_at) = if puts > 0 { reserve(sql, puts)? } else { (0, None) };
    let mut earliest: Option<i64> = None;
    for write in writes {
        match write {
            Write::Put { id, value, expires_at, .. } => {
                put(sql, &id, &value, version, expires_at)?;
                version += 1;
                earliest = [earliest, expires_at.map(Timestamp::seconds)].into_iter().flatten().min();
            }
            Write::Delete { id, .. } => delete(sql, &id)?,
            Write::Check { .. } => {}
        }
    }
    if let Some(end) = earliest {
        let wanted = end.max(now.seconds()) + SWEEP_DELAY;
        let comes = alarm_at.is_some_and(|at| at <= wanted && at > now.seconds() - LOST_AFTER);
        if !comes {
            arm(storage, sql, end, now)?;
        }
    }
    Ok(Answer::Done)
}

fn holds(sql: &Sql, id: &str, expect: &Expect, now: Timestamp) -> Result<bool, JsValue> {
    if *expect == Expect::Any {
        return Ok(true);
    }
    let found = rows(
        sql,
        "SELECT version FROM records WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)",
        &Array::of2(&JsValue::from_str(id), &number(now.seconds())),
    )?;
    let version = integer(&first(&found).get(0));
    Ok(match expect {
        Expect::Any => true,
        Expect::Absent => version.is_none(),
        Expect::Present => version.is_some(),
        Expect::Version(expected) => version.is_some_and(|version| version.to_string() == expected.as_str()),
    })
}

/// Takes the next `count` versions off the counter: the first of them, and when the alarm is set for.
fn reserve(sql: &Sql, count: usize) -> Result<(i64, Option<i64>), JsValue> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let state = first(&rows(
        sql,
        "UPDATE state SET version = version + ? RETURNING version, alarm_at",
        &Array::of1(&number(count)),
    )?);
    let last = integer(&state.get(0)).ok_or_else(|| JsValue::from_str("the partition has no version counter"))?;
    Ok((last - count + 1, integer(&state.get(1))))
}

fn put(sql: &Sql, id: &str, value: &str, version: i64, expires_at: Option<Timestamp>) -> Result<(), JsValue> {
    let end = expires_at.map_or(JsValue::NULL, |end| number(end.seconds()));
    sql.exec(
        "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
         SET value = excluded.value, version = excluded.version, expires_at = excluded.expires_at",
        &Array::of4(&JsValue::from_str(id), &JsValue::from_str(value), &number(version), &end),
    )
    .map(drop)
}

fn delete(sql: &Sql, id: &str) -> Result<(), JsValue> {
    sql.exec("DELETE FROM records WHERE id = ?", &Array::of1(&JsValue::from_str(id))).map(drop)
}

fn arm(storage: &Storage, sql: &Sql, end: i64, now: Timestamp) -> Result<(), JsValue> {
    let at = end.max(now.seconds()) + SWEEP_DELAY;
    sql.exec("UPDATE state SET alarm_at = ?", &Array::of1(&number(at)))?;
    if let Some(at_ms) = number(at.saturating_mul(1000)).as_f64() {
        storage.set_alarm(at_ms);
    }
    Ok(())
}

fn live(sql: &Sql, id: &str, now: Timestamp) -> Result<Option<Record>, JsValue> {
    let found = rows(
        sql,
        "SELECT id, value, version, expires_at FROM records WHERE id = ? AND (expires_at IS NULL OR expires_at > ?)",
        &Array::of2(&JsValue::from_str(id), &number(now.seconds())),
    )?;
    Ok(record(&first(&found)))
}

fn page(sql: &Sql, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, JsValue> {
    // Without `after` an empty text, which is below every id.
    let after = after.unwrap_or_default();
    let end = above(prefix).map_or(JsValue::NULL, |end| JsValue::from_str(&end));
    let bindings = Array::new();
    for value in [JsValue::from_str(prefix), JsValue::from_str(after), end.clone(), end, number(now().seconds())] {
        bindings.push(&value);
    }
    // One more than asked for tells whether there is a next page.
    bindings.push(&JsValue::from_f64(f64::from(u32::try_from(limit).unwrap_or(u32::MAX)) + 1.0));
    let found = sql.exec(
        "SELECT id, value, version, expires_at FROM records
         WHERE id >= ? AND id > ? AND (? IS NULL OR id < ?) AND (expires_at IS NULL OR expires_at > ?)
         ORDER BY id LIMIT ?",
        &bindings,
    )?;
    let mut page = Page::default();
    let mut bytes = 0;
    for row in found.raw().unchecked_into::<js_sys::Iterator>().into_iter() {
        if page.records.len() >= limit || bytes > PAGE_BYTES {
            page.next = page.records.last().map(|record| record.id.clone());
            break;
        }
        if let Some(record) = record(&row?.unchecked_into()) {
            bytes += record.value.len();
            page.records.push(record);
        }
    }
    Ok(page)
}

/// The least text above every text with this prefix, in byte order; `None` when there is none. UTF-8 keeps the order
/// of scalar values.
fn above(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        // The range steps over the surrogates, which are no scalar values.
        if let Some(next) = (last..=char::MAX).nth(1) {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

fn record(row: &Array) -> Option<Record> {
    Some(Record {
        id: row.get(0).as_string()?,
        value: row.get(1).as_string()?,
        version: Version::new(integer(&row.get(2))?.to_string()),
        expires_at: integer(&row.get(3)).map(Timestamp::from_seconds),
    })
}

fn rows(sql: &Sql, statement: &str, bindings: &Array) -> Result<Array, JsValue> {
    sql.exec(statement, bindings)?.raw().to_array()
}

/// The first row, or an empty one.
fn first(rows: &Array) -> Array {
    rows.get(0).dyn_into().unwrap_or_default()
}

fn now() -> Timestamp {
    crate::platform::now()
}

/// SQLite's integers as JavaScript gives them. Versions (microseconds) and times stay below 2^53.
fn integer(value: &JsValue) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53")]
    value.as_f64().map(|number| number as i64)
}

fn number(value: i64) -> JsValue {
    #[expect(
        clippy::cast_precision_loss,
        reason = "whole numbers below 2^53; a later end of a life is not meant exactly"
    )]
    JsValue::from_f64(value as f64)
}

fn parse<'a, T: serde::Deserialize<'a>>(message: &'a str) -> Result<T, JsValue> {
    serde_json::from_str(message).map_err(|_| JsValue::from_str("a message to a partition cannot be read"))
}

fn text(answer: &Answer) -> Result<String, JsValue> {
    serde_json::to_string(answer).map_err(|_| JsValue::from_str("a partition's answer cannot be written"))
}

#[cfg(test)]
mod tests {
    use super::above;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_without_it() {
        assert_eq!(above("user#").as_deref(), Some("user$"));
        assert_eq!(above("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(above("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(above("\u{10ffff}"), None);
        assert_eq!(above(""), None);
    }
}
