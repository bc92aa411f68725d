//! Stretches of a partition: order, prefixes, pages.

use vestibule_core::store::{Expect, MAX_VALUE_BYTES, Partition};

use super::basic::ODD_IDS;
use super::{Bench, Verdict, commit_in, put, same};

/// Follows the pages to the end. A page may be short or empty; it may not be longer than asked for, and the walk has
/// to end.
async fn walk(bench: &Bench, prefix: &str, limit: usize) -> Result<Vec<String>, String> {
    let mut ids: Vec<String> = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..1_000 {
        let page = bench.list(prefix, after.as_deref(), limit).await?;
        if page.records.len() > limit {
            return Err(format!("{} records on a page of {limit}", page.records.len()));
        }
        ids.extend(page.records.into_iter().map(|record| record.id));
        match page.next {
            None => return Ok(ids),
            Some(next) if after.as_ref().is_some_and(|after| next <= *after) => {
                return Err(format!("goes back to {next:?}"));
            }
            next => after = next,
        }
    }
    Err("never ends".to_owned())
}

async fn fill(bench: &Bench, ids: &[&str]) -> Verdict {
    bench.write(ids.iter().map(|id| put(id, "1", Expect::Any)).collect()).await
}

pub(super) async fn pages(bench: &Bench) -> Verdict {
    fill(bench, ODD_IDS).await?;
    // `str` compares by bytes: the order that the contract asks for.
    let mut sorted: Vec<String> = ODD_IDS.iter().map(|id| (*id).to_owned()).collect();
    sorted.sort_unstable();
    for limit in (1..=ODD_IDS.len() + 1).chain([1_000]) {
        same(&format!("pages of {limit}"), &walk(bench, "", limit).await?, &sorted)?;
    }
    Ok(())
}

pub(super) async fn prefixes(bench: &Bench) -> Verdict {
    let ids = [
        "a",
        "a#",
        "a#1",
        "a#2",
        "a#\u{ffff}",
        "a#\u{10ffff}",
        "a#\u{10ffff}x",
        "a$",
        "b",
        "%",
        "_",
        "ab",
        "\u{10ffff}",
    ];
    fill(bench, &ids).await?;
    for prefix in ["", "a", "a#", "a#\u{10ffff}", "b", "c", "%", "_", "\u{10ffff}", "A"] {
        let mut expected: Vec<String> =
            ids.iter().filter(|id| id.starts_with(prefix)).map(|id| (*id).to_owned()).collect();
        expected.sort_unstable();
        for limit in [1, 2, 100] {
            same(&format!("{prefix:?} by {limit}"), &walk(bench, prefix, limit).await?, &expected)?;
        }
    }
    Ok(())
}

pub(super) async fn after(bench: &Bench) -> Verdict {
    fill(bench, &["a", "m#1", "m#2", "m#3", "z"]).await?;
    let rest = [
        ("", "0", vec!["a", "m#1", "m#2", "m#3", "z"]),
        ("", "m", vec!["m#1", "m#2", "m#3", "z"]),
        ("", "m#1", vec!["m#2", "m#3", "z"]),
        ("", "z", vec![]),
        ("m#", "a", vec!["m#1", "m#2", "m#3"]),
        ("m#", "m#", vec!["m#1", "m#2", "m#3"]),
        ("m#", "m#2", vec!["m#3"]),
        ("m#", "m#25", vec!["m#3"]),
        ("m#", "m#3", vec![]),
        ("m#", "n", vec![]),
    ];
    for (prefix, after, expected) in rest {
        let page = bench.list(prefix, Some(after), 100).await?;
        let found: Vec<&str> = page.records.iter().map(|record| record.id.as_str()).collect();
        same(&format!("{prefix:?} after {after:?}"), &found, &expected)?;
    }
    let page = bench.list("", None, 100).await?;
    let first = page.records.first().ok_or("the list is empty")?;
    same("a record as get gives it", first, &bench.found("a").await?)
}

pub(super) async fn partitions(bench: &Bench) -> Verdict {
    let name = bench.partition.as_str();
    let neighbours: Vec<Partition> = [
        format!("{name}0"),
        format!("{name}:"),
        format!("{name}\u{10ffff}"),
        name.chars().take(name.len() - 1).collect(),
    ]
    .into_iter()
    .map(Partition::new)
    .collect();
    for neighbour in &neighbours {
        for id in ["a", "c"] {
            commit_in(bench.store.as_ref(), neighbour, vec![put(id, "1", Expect::Any)])
                .await
                .map_err(|error| format!("{neighbour:?}: {error}"))?;
        }
    }
    same("empty", &walk(bench, "", 1).await?, &Vec::new())?;
    fill(bench, &["b"]).await?;
    for limit in [1, 100] {
        same("its own", &walk(bench, "", limit).await?, &vec!["b".to_owned()])?;
        same("none after", &bench.list("", Some("b"), limit).await?.records, &Vec::new())?;
    }
    Ok(())
}

pub(super) async fn large(bench: &Bench) -> Verdict {
    // 1.5 MiB: DynamoDB answers a query in pieces of 1 MB, a Worker's call has limits of its own.
    let value = "v".repeat(MAX_VALUE_BYTES);
    let ids = ["a", "b", "c", "d", "e", "f"];
    bench.write(ids.iter().map(|id| put(id, &value, Expect::Any)).collect()).await?;
    let expected: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    same("ids", &walk(bench, "", 100).await?, &expected)
}
