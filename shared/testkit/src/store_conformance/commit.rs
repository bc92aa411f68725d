//! Several writes at once: all or nothing, checks, and the limits of a commit.

use vestibule_core::store::{Expect, MAX_COMMIT_BYTES, MAX_VALUE_BYTES, MAX_WRITES, Partition, Write};

use super::{Bench, Verdict, add, check, commit_in, conflict, delete, foreign, put, refused, same};

pub(super) async fn all_or_nothing(bench: &Bench) -> Verdict {
    bench.write(vec![put("kept", "1", Expect::Any), put("doomed", "1", Expect::Any)]).await?;
    let failing: [Write; 6] = [
        put("kept", "2", Expect::Absent),
        put("other", "2", Expect::Present),
        put("kept", "2", Expect::Version(foreign())),
        delete("other", Expect::Present),
        check("kept", Expect::Absent),
        check("other", Expect::Present),
    ];
    for last in failing {
        // The failing write first, in the middle and last: whatever order a back-end works in, nothing stays.
        for place in 0..3 {
            let mut writes = vec![put("new", "1", Expect::Any), delete("doomed", Expect::Any)];
            writes.insert(place, last.clone());
            conflict("commit", &bench.commit(writes).await)?;
            same("put", &bench.get("new").await?, &None)?;
            same("kept", &bench.found("kept").await?.value.as_str(), &"1")?;
            bench.found("doomed").await?;
        }
    }
    let version = bench.found("kept").await?.version;
    bench
        .write(vec![
            put("new", "1", Expect::Absent),
            delete("doomed", Expect::Present),
            check("kept", Expect::Version(version)),
        ])
        .await?;
    bench.found("new").await?;
    same("deleted", &bench.get("doomed").await?, &None)
}

pub(super) async fn checks(bench: &Bench) -> Verdict {
    bench.write(vec![put("gate", "1", Expect::Any)]).await?;
    let gate = bench.found("gate").await?;
    let cases = [
        (check("gate", Expect::Any), true),
        (check("gate", Expect::Present), true),
        (check("gate", Expect::Version(gate.version.clone())), true),
        (check("gate", Expect::Absent), false),
        (check("gate", Expect::Version(foreign())), false),
        (check("none", Expect::Any), true),
        (check("none", Expect::Absent), true),
        (check("none", Expect::Present), false),
        (check("none", Expect::Version(gate.version.clone())), false),
    ];
    for (number, (condition, holds)) in cases.into_iter().enumerate() {
        let id = format!("written-{number}");
        let what = format!("{condition:?}");
        let result = bench.commit(vec![condition, put(&id, "1", Expect::Absent)]).await;
        if holds {
            same(&what, &result, &Ok(()))?;
        } else {
            conflict(&what, &result)?;
        }
        same(&what, &bench.get(&id).await?.is_some(), &holds)?;
    }
    same("the record checked", &bench.found("gate").await?, &gate)?;
    same("the record that is not there", &bench.get("none").await?, &None)
}

pub(super) async fn only_checks(bench: &Bench) -> Verdict {
    bench.write(vec![check("a", Expect::Any)]).await?;
    bench.write(vec![check("a", Expect::Absent), check("b", Expect::Absent)]).await?;
    conflict("one", &bench.commit(vec![check("a", Expect::Present)]).await)?;
    conflict("two", &bench.commit(vec![check("a", Expect::Absent), check("b", Expect::Present)]).await)?;
    same("nothing written", &bench.get("a").await?, &None)
}

pub(super) async fn counts(bench: &Bench) -> Verdict {
    let many = |count: usize| (0..count).map(|number| put(&format!("id-{number:03}"), "1", Expect::Absent)).collect();
    refused("none", &bench.commit(Vec::new()).await)?;
    refused("one too many", &bench.commit(many(MAX_WRITES + 1)).await)?;
    same("nothing written", &bench.get("id-000").await?, &None)?;
    bench.write(many(MAX_WRITES)).await?;
    bench.found("id-000").await?;
    bench.found("id-099").await?;
    conflict("all over again", &bench.commit(many(MAX_WRITES)).await)
}

pub(super) async fn duplicates(bench: &Bench) -> Verdict {
    let pairs: [[Write; 2]; 3] = [
        [put("a", "1", Expect::Any), put("a", "2", Expect::Any)],
        [put("a", "1", Expect::Any), delete("a", Expect::Any)],
        [check("a", Expect::Absent), put("a", "1", Expect::Any)],
    ];
    for pair in pairs {
        refused("two for one", &bench.commit(pair.to_vec()).await)?;
    }
    same("nothing written", &bench.get("a").await?, &None)
}

pub(super) async fn total_length(bench: &Bench) -> Verdict {
    let value = "v".repeat(MAX_VALUE_BYTES);
    let full = MAX_COMMIT_BYTES / MAX_VALUE_BYTES;
    let writes = |count: usize| (0..count).map(|number| put(&format!("{number}"), &value, Expect::Any)).collect();
    refused("too much", &bench.commit(writes(full + 1)).await)?;
    same("nothing written", &bench.get("0").await?.is_some(), &false)?;
    bench.write(writes(full)).await?;
    same("written", &bench.found(&format!("{}", full - 1)).await?.value.len(), &MAX_VALUE_BYTES)
}

pub(super) async fn versions(bench: &Bench) -> Verdict {
    bench.write(vec![put("gone", "1", Expect::Any)]).await?;
    let writes = vec![
        put("b", "1", Expect::Absent),
        delete("gone", Expect::Any),
        add("count", 1),
        check("none", Expect::Absent),
        put("a", "1", Expect::Absent),
    ];
    let told = bench.store.commit(&bench.partition, writes).await.map_err(|error| format!("commit: {error}"))?;
    let found = vec![bench.found("b").await?.version, bench.found("a").await?.version];
    same("versions", &told, &found)?;
    for (id, version) in ["b", "a"].into_iter().zip(told) {
        bench.write(vec![put(id, "2", Expect::Version(version))]).await?;
    }
    let none = bench.store.commit(&bench.partition, vec![check("a", Expect::Present)]).await;
    same("of a check", &none, &Ok(Vec::new()))
}

pub(super) async fn additions(bench: &Bench) -> Verdict {
    let sum = async || bench.found("sum").await.map(|record| record.value);
    bench.write(vec![add("sum", 7)]).await?;
    same("from nothing", &sum().await?.as_str(), &"7")?;
    let first = bench.found("sum").await?.version;
    bench.write(vec![add("sum", -10)]).await?;
    same("below nothing", &sum().await?.as_str(), &"-3")?;
    conflict("a state before", &bench.commit(vec![put("sum", "0", Expect::Version(first))]).await)?;
    conflict("beside a failure", &bench.commit(vec![add("sum", 1), check("none", Expect::Present)]).await)?;
    refused("two for one", &bench.commit(vec![add("sum", 1), add("sum", 1)]).await)?;
    same("nothing added", &sum().await?.as_str(), &"-3")?;
    bench.write(vec![delete("sum", Expect::Present)]).await?;
    bench.write(vec![add("sum", 2)]).await?;
    same("from nothing again", &sum().await?.as_str(), &"2")
}

pub(super) async fn partitions(bench: &Bench) -> Verdict {
    let other = Partition::new(format!("{}0", bench.partition.as_str()));
    let store = bench.store.as_ref();
    bench.write(vec![put("a", "1", Expect::Absent)]).await?;
    commit_in(store, &other, vec![check("a", Expect::Absent), put("b", "1", Expect::Any)])
        .await
        .map_err(|error| format!("the other partition: {error}"))?;
    same("here", &bench.get("b").await?, &None)?;
    let version = bench.found("a").await?.version;
    conflict("a version of here", &commit_in(store, &other, vec![put("a", "2", Expect::Version(version))]).await)?;
    commit_in(store, &other, vec![delete("a", Expect::Any), delete("b", Expect::Present)])
        .await
        .map_err(|error| format!("delete there: {error}"))?;
    same("still here", &bench.found("a").await?.value.as_str(), &"1")
}
