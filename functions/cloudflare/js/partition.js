// A partition of the store: one Durable Object, one SQLite database. `message.rs` has the other side of its messages.
// It is JavaScript because each SQL statement from wasm costs several crossings, and there is nothing of the broker in
// it: records, versions and lives only.
//
// Every method but the alarm runs from start to end without an await, and an object has one thread: between the check
// of an expectation and the write that rests on it nothing else happens. So a commit checks everything first and writes
// then. The transaction undoes what was written before a write that the database refuses, and the reply leaves when the
// writes are durable (output gate).

import { DurableObject } from "cloudflare:workers";

// Ids compare as bytes (SQLite's BINARY), which is the order that a list promises.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    id TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, expires_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS records_by_end ON records (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS state (version INTEGER NOT NULL, alarm_at INTEGER);
  INSERT INTO state SELECT ?, NULL WHERE NOT EXISTS (SELECT 1 FROM state)`;
const CREATED = "SELECT 1 FROM sqlite_master WHERE name = 'state'";
const LIVE = "(expires_at IS NULL OR expires_at > ?)";
const VERSION = `SELECT version FROM records WHERE id = ? AND ${LIVE}`;
const RECORD = `SELECT id, value, version, expires_at FROM records WHERE id = ? AND ${LIVE}`;
// One bound alone leads SQLite to where it begins to read, so it is the later of the two; the plus keeps it from taking
// the other. Read to its end, the statement serves again without being compiled.
const RANGE = `SELECT id, value, version, expires_at FROM records
  WHERE id >= max(?1, ?2) AND +id > ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id LIMIT ?4`;
const RESERVE = "UPDATE state SET version = version + ? RETURNING version, alarm_at";
// SQLite writes the index anew for each column that is set, changed or not, and Cloudflare bills that row too. So a record
// that keeps its end is tried first; this writes nothing where the end is another.
const PUT = `INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
  SET value = excluded.value, version = excluded.version WHERE expires_at IS excluded.expires_at`;
const PUT_WITH_END = `UPDATE records SET value = ?2, version = ?3, expires_at = ?4 WHERE id = ?1`;
// Adds to a number, whose JSON text is the number itself.
const ADD = `INSERT INTO records VALUES (?, ?, ?, NULL) ON CONFLICT (id) DO UPDATE
  SET value = CAST(value AS INTEGER) + CAST(excluded.value AS INTEGER), version = excluded.version`;
const DELETE = "DELETE FROM records WHERE id = ?";
const SWEEP = `DELETE FROM records
  WHERE id IN (SELECT id FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT 1000)`;
const NEXT_END = "SELECT min(expires_at) FROM records WHERE expires_at IS NOT NULL";
const ARMED = "UPDATE state SET alarm_at = ?";

// Seconds that the alarm comes after the first end: records end together, and one that has ended is absent anyway.
const SWEEP_DELAY = 60;
// Seconds after which an alarm that did not come counts as lost: the platform gives up after some tries.
const LOST_AFTER = 3600;
// A page ends after this much text in values, so that a long list is no long message.
const PAGE_LENGTH = 1024 * 1024;

// Between the values of an answer.
const SEPARATOR = "\u001e";

export class Partition extends DurableObject {
  #storage;
  #sql;
  // Whether the tables are there. Reading makes none: a name that nobody uses costs no storage.
  #created;

  constructor(context, env) {
    super(context, env);
    this.#storage = context.storage;
    this.#sql = context.storage.sql;
    this.#created = this.#rows(CREATED).length > 0;
  }

  /** Answers a `Read`. */
  read(message) {
    const { get, follow, many, list } = JSON.parse(message);
    if (list) return this.#created ? this.#page(list) : answer([], (records) => ({ page: { records, next: null } }));
    const ids = get ? [get.id] : many ? many.ids : [];
    const found = follow ? this.#follow(follow) : ids.map((id) => this.#record(id));
    return answer(found, get ? ([record]) => ({ record }) : (records) => ({ records }));
  }

  /** Carries out a `Change`. */
  write(message) {
    if (!this.#created) {
      // Versions start from the clock in microseconds: a partition that was emptied and is made again must not give a
      // version for the second time, and none makes a million writes a second.
      this.#sql.exec(SCHEMA, Date.now() * 1000);
      this.#created = true;
    }
    const { take, commit } = JSON.parse(message);
    return this.#storage.transactionSync(() => (take ? this.#take(take.id) : this.#commit(commit)));
  }

  /** Removes what has ended. A partition with nothing left gives its storage back. */
  async alarm() {
    if (!this.#created) return;
    const now = seconds();
    this.#storage.transactionSync(() => {
      this.#sql.exec(SWEEP, now);
      const [end] = this.#rows(NEXT_END)[0];
      if (end === null) this.#sql.exec(ARMED, null);
      else this.#arm(Math.max(end, now) + SWEEP_DELAY);
    });
    if (this.#rows("SELECT 1 FROM records LIMIT 1").length === 0) {
      this.#created = false;
      await this.#storage.deleteAll();
    }
  }

  #take(id) {
    const record = this.#record(id);
    if (record) this.#sql.exec(DELETE, id);
    return answer([record], ([record]) => ({ record }));
  }

  #commit(writes) {
    const now = seconds();
    let puts = 0;
    for (const { put, delete: removal, add, check } of writes) {
      const { id, expect = "any" } = put ?? removal ?? add ?? check;
      if (!this.#holds(id, expect, now)) return answer([], () => "conflict");
      if (put || add) puts += 1;
    }
    let [version, alarm] = puts > 0 ? this.#rows(RESERVE, puts)[0] : [0, null];
    const versions = [];
    let end = Infinity;
    for (const { put, delete: removal, add } of writes) {
      if (put) {
        // Of the numbers reserved, from the last to the first.
        const row = [put.id, put.value, version, put.expires_at];
        if (this.#sql.exec(PUT, ...row).rowsWritten === 0) this.#sql.exec(PUT_WITH_END, ...row);
        versions.push(String(version));
        version -= 1;
        end = Math.min(end, put.expires_at ?? Infinity);
      } else if (add) {
        this.#sql.exec(ADD, add.id, String(add.by), version);
        version -= 1;
      } else if (removal) {
        this.#sql.exec(DELETE, removal.id);
      }
    }
    if (end < Infinity) {
      const wanted = Math.max(end, now) + SWEEP_DELAY;
      const comes = alarm !== null && alarm <= wanted && alarm > now - LOST_AFTER;
      if (!comes) this.#arm(wanted);
    }
    return answer([], () => ({ done: versions }));
  }

  #holds(id, expect, now) {
    if (expect === "any") return true;
    const found = this.#rows(VERSION, id, now);
    if (expect === "absent") return found.length === 0;
    if (expect === "present") return found.length > 0;
    return found.length > 0 && String(found[0][0]) === expect.version;
  }

  #record(id) {
    if (!this.#created) return null;
    const found = this.#rows(RECORD, id, seconds());
    return found.length > 0 ? record(found[0]) : null;
  }

  #follow({ id, member, prefix }) {
    const index = this.#record(id);
    if (index === null) return [];
    const named = JSON.parse(index.value)?.[member];
    return [index, typeof named === "string" ? this.#record(prefix + named) : null];
  }

  #page({ prefix, after, limit }) {
    const records = [];
    let length = 0;
    let next = null;
    for (const row of this.#sql.exec(RANGE, prefix, after ?? "", seconds(), limit + 1).raw()) {
      // In byte order all ids with the prefix stand together.
      if (!row[0].startsWith(prefix)) break;
      if (records.length >= limit || length > PAGE_LENGTH) {
        next = records.at(-1).head.id;
        break;
      }
      records.push(record(row));
      length += row[1].length;
    }
    return answer(records, (records) => ({ page: { records, next } }));
  }

  #arm(at) {
    this.#sql.exec(ARMED, at);
    // Not awaited: the output gate holds the reply until the alarm is durable too.
    this.#storage.setAlarm(at * 1000);
  }

  #rows(statement, ...bindings) {
    return this.#sql.exec(statement, ...bindings).raw().toArray();
  }
}

// The object's own clock decides what has ended.
function seconds() {
  return Math.floor(Date.now() / 1000);
}

function record([id, value, version, expires_at]) {
  return { head: { id, version: String(version), expires_at }, value };
}

// An `Answer`: a JSON text, and behind it the values of its records, each after a character that no JSON text holds bare
// (RFC 8259 §7). Values are JSON already: as members they would be escaped here and read letter by letter there.
function answer(records, write) {
  let text = JSON.stringify(write(records.map((record) => record && record.head)));
  for (const record of records) if (record) text += SEPARATOR + record.value;
  return text;
}
