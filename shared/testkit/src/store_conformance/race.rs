//! Many callers at once. All are started before any is waited for; a back-end over the network has them in flight
//! together.

use futures_util::future::{join, join_all};
use vestibule_core::store::{Expect, StoreError};

use super::{Bench, TRIES, Verdict, add, check, put, same};

pub(super) async fn takes(bench: &Bench) -> Verdict {
    bench.write(vec![put("code", "1", Expect::Any)]).await?;
    let mut winners = 0;
    for taken in join_all((0..100).map(|_| take_when_free(bench))).await {
        winners += usize::from(taken?);
    }
    same("winners", &winners, &1)
}

async fn take_when_free(bench: &Bench) -> Result<bool, String> {
    for _ in 0..TRIES {
        match bench.store.take(&bench.key("code")).await {
            Err(StoreError::Busy(_)) => {}
            done => return done.map(|record| record.is_some()).map_err(|error| format!("take: {error}")),
        }
    }
    Err("take: always busy".to_owned())
}

pub(super) async fn creates(bench: &Bench) -> Verdict {
    let values: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let results = join_all(values.iter().map(|value| bench.commit(vec![put("a", value, Expect::Absent)]))).await;
    let mut winner = None;
    for (value, result) in values.iter().zip(results) {
        match result {
            Ok(()) if winner.is_none() => winner = Some(value),
            Ok(()) => return Err("two created it".to_owned()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(format!("create: {error}")),
        }
    }
    same("value", &Some(&bench.found("a").await?.value), &winner)
}

pub(super) async fn increments(bench: &Bench) -> Verdict {
    bench.write(vec![put("count", "0", Expect::Any), put("gate", "1", Expect::Any)]).await?;
    for result in join_all((0..50).map(|number| increment(bench, number % 2 == 0))).await {
        result?;
    }
    same("count", &bench.found("count").await?.value.as_str(), &"50")
}

/// Adds one; every second caller with a check beside it, so that commits of one and of two writes meet.
async fn increment(bench: &Bench, checked: bool) -> Verdict {
    for _ in 0..TRIES {
        let record = bench.found("count").await?;
        let next = record.value.parse::<u32>().map_err(|error| format!("{:?}: {error}", record.value))? + 1;
        let mut writes = vec![put("count", &next.to_string(), Expect::Version(record.version))];
        if checked {
            writes.push(check("gate", Expect::Present));
        }
        match bench.store.commit(&bench.partition, writes).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict | StoreError::Busy(_)) => {}
            Err(error) => return Err(format!("increment: {error}")),
        }
    }
    Err("increment: never came through".to_owned())
}

/// Nobody reads, nobody conflicts.
pub(super) async fn additions(bench: &Bench) -> Verdict {
    let beside = |number: i32| put(&format!("beside-{number}"), "1", Expect::Absent);
    let writes = (1..=50).map(|number| bench.commit(vec![add("sum", number), beside(number)]));
    for result in join_all(writes).await {
        result.map_err(|error| format!("addition: {error}"))?;
    }
    same("sum", &bench.found("sum").await?.value.as_str(), &"1275")
}

pub(super) async fn skew(bench: &Bench) -> Verdict {
    for round in 0..20 {
        let (left, right) = (format!("left-{round}"), format!("right-{round}"));
        let alone = |mine: &str, other: &str| vec![check(other, Expect::Absent), put(mine, "1", Expect::Absent)];
        let (first, second) = join(bench.commit(alone(&left, &right)), bench.commit(alone(&right, &left))).await;
        let happened = usize::from(bench.get(&left).await?.is_some()) + usize::from(bench.get(&right).await?.is_some());
        same("records", &happened, &1)?;
        same("successes", &(usize::from(first.is_ok()) + usize::from(second.is_ok())), &1)?;
    }
    Ok(())
}
