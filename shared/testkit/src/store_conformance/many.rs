//! Several records in one read.

use vestibule_core::store::{Expect, MAX_READS, Partition, Record, StoreError};
use vestibule_protocol::time::Seconds;

use super::{Bench, Verdict, put, put_until, same};

/// How long a record lives here before it has ended.
const LIFE: Seconds = Seconds(2);

async fn many(bench: &Bench, ids: &[String]) -> Result<Vec<Option<Record>>, StoreError> {
    bench.store.get_many(&bench.partition, ids).await
}

fn values(found: &[Option<Record>]) -> Vec<Option<&str>> {
    found.iter().map(|record| record.as_ref().map(|record| record.value.as_str())).collect()
}

fn named(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

pub(super) async fn in_order(bench: &Bench) -> Verdict {
    bench.write(vec![put("a", "1", Expect::Any), put("b#é", "2", Expect::Any), put("c", "3", Expect::Any)]).await?;
    bench.write(vec![put_until("ended", "4", bench.now() + LIFE)]).await?;
    bench.time.pass(LIFE).await;
    let found = many(bench, &named(&["c", "absent", "a", "ended", "b#é"])).await;
    let found = found.map_err(|error| format!("get_many: {error}"))?;
    same("values", &values(&found), &vec![Some("3"), None, Some("1"), None, Some("2")])?;
    same("version", &found.first().cloned().flatten(), &bench.get("c").await?)?;
    let elsewhere = Partition::new(format!("{}:other", bench.partition.as_str()));
    let other = bench.store.get_many(&elsewhere, &named(&["a"])).await;
    same("another partition", &other, &Ok(vec![None]))
}

/// Together more than DynamoDB puts into one answer.
pub(super) async fn large(bench: &Bench) -> Verdict {
    let value = format!("\"{}\"", "x".repeat(220 * 1024));
    let ids: Vec<String> = (0..80).map(|number| format!("{number:03}")).collect();
    for chunk in ids.chunks(10) {
        bench.write(chunk.iter().map(|id| put(id, &value, Expect::Any)).collect()).await?;
    }
    let found = many(bench, &ids).await.map_err(|error| format!("get_many: {error}"))?;
    same("count", &found.len(), &ids.len())?;
    let whole = |(id, record): (&String, &Option<Record>)| {
        record.as_ref().is_some_and(|record| record.id == *id && record.value.len() == value.len())
    };
    same("whole and in order", &ids.iter().zip(&found).all(whole), &true)
}

pub(super) async fn counts(bench: &Bench) -> Verdict {
    let ids: Vec<String> = (0..=MAX_READS).map(|number| number.to_string()).collect();
    for (what, wrong) in [("none", Vec::new()), ("too many", ids.clone()), ("twice", named(&["a", "b", "a"]))] {
        let found = many(bench, &wrong).await;
        if !matches!(found, Err(StoreError::Invalid(_))) {
            return Err(format!("{what}: found {found:?}, expected a refusal"));
        }
    }
    let all = many(bench, ids.get(1..).unwrap_or_default()).await.map_err(|error| format!("get_many: {error}"))?;
    same("as many as allowed", &all.len(), &MAX_READS)
}

pub(super) async fn follows(bench: &Bench) -> Verdict {
    let follow = async |id: &str| {
        let found = bench.store.follow(&bench.key(id), "name", "one#").await;
        found.map_err(|error| format!("follow {id:?}: {error}"))
    };
    let (entry, lost) = (r#"{"name":"a\u0022b"}"#, r#"{"name":"nobody"}"#);
    bench
        .write(vec![
            put("one#a\"b", "1", Expect::Any),
            put("entry", entry, Expect::Any),
            put("lost", lost, Expect::Any),
            put("other", r#"{"other":"a"}"#, Expect::Any),
            put("number", "7", Expect::Any),
        ])
        .await?;
    let found = bench.found("one#a\"b").await?;
    same("what is named", &follow("entry").await?, &Some((bench.found("entry").await?, Some(found))))?;
    for id in ["lost", "other", "number"] {
        same(id, &follow(id).await?, &Some((bench.found(id).await?, None)))?;
    }
    same("no index", &follow("nothing").await?, &None)
}
