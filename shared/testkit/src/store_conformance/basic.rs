//! One record at a time: reading, writing, versions, and what may be an id or a value.

use vestibule_core::store::{Expect, MAX_ID_BYTES, MAX_VALUE_BYTES, StoreError};
use vestibule_protocol::time::Seconds;

use super::{Bench, Verdict, conflict, delete, foreign, put, put_until, refused, same};

pub(super) async fn round_trip(bench: &Bench) -> Verdict {
    let end = bench.now() + Seconds(3_600);
    let value = "{\"text\":\"quote \\\" line \\n, é, 😀\",\"empty\":\"\"}";
    bench.write(vec![put_until("until", value, end), put("forever", "null", Expect::Any)]).await?;
    let until = bench.found("until").await?;
    same("id", &until.id, &"until".to_owned())?;
    same("value", &until.value.as_str(), &value)?;
    same("end", &until.expires_at, &Some(end))?;
    let copy = bench.store.get_copy(&bench.key("forever")).await.map_err(|error| format!("get_copy: {error}"))?;
    same("copy", &copy.map(|record| record.value), &Some("null".to_owned()))?;
    same("no end", &bench.found("forever").await?.expires_at, &None)
}

pub(super) async fn absent(bench: &Bench) -> Verdict {
    same("get", &bench.get("nothing").await?, &None)?;
    same("take", &bench.take("nothing").await?, &None)?;
    same("list", &bench.list("", None, 10).await?.records, &Vec::new())
}

pub(super) async fn replaced_whole(bench: &Bench) -> Verdict {
    bench.write(vec![put_until("a", "1", bench.now() + Seconds(3_600))]).await?;
    bench.write(vec![put("a", "2", Expect::Any)]).await?;
    let record = bench.found("a").await?;
    same("value", &record.value.as_str(), &"2")?;
    same("end", &record.expires_at, &None)
}

pub(super) async fn create_is_exclusive(bench: &Bench) -> Verdict {
    bench.write(vec![put("a", "1", Expect::Absent)]).await?;
    conflict("second create", &bench.commit(vec![put("a", "2", Expect::Absent)]).await)?;
    same("value", &bench.found("a").await?.value.as_str(), &"1")
}

pub(super) async fn stale_update(bench: &Bench) -> Verdict {
    bench.write(vec![put("a", "1", Expect::Any)]).await?;
    let first = bench.found("a").await?.version;
    bench.write(vec![put("a", "2", Expect::Version(first.clone()))]).await?;
    conflict("update", &bench.commit(vec![put("a", "3", Expect::Version(first.clone()))]).await)?;
    conflict("delete", &bench.commit(vec![delete("a", Expect::Version(first))]).await)?;
    conflict("of nothing", &bench.commit(vec![put("b", "1", Expect::Version(foreign()))]).await)?;
    same("value", &bench.found("a").await?.value.as_str(), &"2")?;
    same("the other", &bench.get("b").await?, &None)?;
    let second = bench.found("a").await?.version;
    bench.write(vec![delete("a", Expect::Version(second))]).await?;
    same("deleted", &bench.get("a").await?, &None)
}

pub(super) async fn present(bench: &Bench) -> Verdict {
    conflict("put", &bench.commit(vec![put("a", "1", Expect::Present)]).await)?;
    conflict("delete", &bench.commit(vec![delete("a", Expect::Present)]).await)?;
    bench.write(vec![put("a", "1", Expect::Any)]).await?;
    bench.write(vec![put("a", "2", Expect::Present)]).await?;
    same("value", &bench.found("a").await?.value.as_str(), &"2")?;
    bench.write(vec![delete("a", Expect::Present)]).await?;
    same("deleted", &bench.get("a").await?, &None)
}

pub(super) async fn versions(bench: &Bench) -> Verdict {
    let mut seen = Vec::new();
    for round in 0..6 {
        bench.write(vec![put("a", "same", Expect::Any)]).await?;
        let version = bench.found("a").await?.version;
        same("read twice", &bench.found("a").await?.version, &version)?;
        if seen.contains(&version) {
            return Err(format!("version came back in round {round}"));
        }
        seen.push(version);
        match round % 3 {
            0 => bench.write(vec![delete("a", Expect::Any)]).await?,
            1 => drop(bench.take("a").await?),
            _ => {}
        }
    }
    let last = seen.pop();
    for old in seen {
        conflict("old version", &bench.commit(vec![put("a", "1", Expect::Version(old))]).await)?;
    }
    same("still there", &Some(bench.found("a").await?.version), &last)
}

pub(super) async fn delete_absent(bench: &Bench) -> Verdict {
    bench.write(vec![delete("a", Expect::Any)]).await?;
    bench.write(vec![delete("a", Expect::Absent), put("b", "1", Expect::Any)]).await?;
    same("written beside", &bench.found("b").await?.value.as_str(), &"1")
}

pub(super) async fn take(bench: &Bench) -> Verdict {
    let end = bench.now() + Seconds(60);
    bench.write(vec![put_until("a", "1", end)]).await?;
    let stored = bench.found("a").await?;
    same("taken", &bench.take("a").await?, &Some(stored))?;
    same("get after", &bench.get("a").await?, &None)?;
    same("take after", &bench.take("a").await?, &None)
}

/// Ids that break a back-end which builds paths, queries or JSON by hand, or sorts by UTF-16.
pub(super) const ODD_IDS: &[&str] = &[
    "#",
    "a#b",
    "/",
    "../x",
    "%",
    "%2F",
    "?",
    "&",
    "=",
    "\"",
    "'",
    "\\",
    " ",
    " a",
    "a ",
    "\n",
    "\t",
    "\u{0}",
    "a\u{0}b",
    "\u{7f}",
    "_",
    ":",
    "{}",
    "A",
    "a",
    "é",
    "e\u{301}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{fffd}",
    "\u{ffff}",
    "\u{10000}",
    "😀",
    "\u{10ffff}",
];

pub(super) async fn odd_ids(bench: &Bench) -> Verdict {
    for id in ODD_IDS {
        bench.write(vec![put(id, &format!("\"{}\"", id.len()), Expect::Absent)]).await?;
    }
    for id in ODD_IDS {
        let record = bench.found(id).await?;
        same("id", &record.id.as_str(), id)?;
        same("value", &record.value, &format!("\"{}\"", id.len()))?;
    }
    for id in ODD_IDS {
        same("taken", &bench.take(id).await?.map(|record| record.id), &Some((*id).to_owned()))?;
        same("after take", &bench.get(id).await?, &None)?;
    }
    Ok(())
}

pub(super) async fn id_lengths(bench: &Bench) -> Verdict {
    let longest = "é".repeat(MAX_ID_BYTES / 2);
    bench.write(vec![put(&longest, "1", Expect::Absent)]).await?;
    same("longest", &bench.found(&longest).await?.id, &longest)?;
    let too_long = format!("{longest}x");
    for id in ["", too_long.as_str()] {
        refused("commit", &bench.commit(vec![put(id, "1", Expect::Any)]).await)?;
        refused("get", &bench.store.get(&bench.key(id)).await.map(drop))?;
        refused("take", &bench.store.take(&bench.key(id)).await.map(drop))?;
    }
    Ok(())
}

pub(super) async fn value_lengths(bench: &Bench) -> Verdict {
    let largest = "v".repeat(MAX_VALUE_BYTES);
    bench.write(vec![put("a", &largest, Expect::Any)]).await?;
    // Compared by hand: a failure should not print the value.
    if bench.found("a").await?.value != largest {
        return Err("the largest value changed".to_owned());
    }
    let result = bench.commit(vec![put("b", &format!("{largest}v"), Expect::Any)]).await;
    if !matches!(result, Err(StoreError::Invalid(_))) {
        return Err(format!("one byte more: found {result:?}, expected a refusal"));
    }
    same("nothing written", &bench.get("b").await?, &None)
}
