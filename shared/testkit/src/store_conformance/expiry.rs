//! An expired record is absent, swept or not.

use vestibule_core::store::Expect;
use vestibule_protocol::time::Seconds;

use super::{Bench, Verdict, check, conflict, delete, put, put_until, same};

pub(super) async fn reads(bench: &Bench) -> Verdict {
    let now = bench.now();
    bench
        .write(vec![
            put_until("a-past", "1", now - Seconds(60)),
            put_until("b-now", "1", now),
            put_until("c-future", "1", now + Seconds(3_600)),
            put_until("d-past", "1", now - Seconds(1)),
        ])
        .await?;
    for id in ["a-past", "b-now"] {
        same(id, &bench.get(id).await?, &None)?;
    }
    let mut live = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = bench.list("", after.as_deref(), 1).await?;
        live.extend(page.records.into_iter().map(|record| record.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    same("list", &live, &vec!["c-future".to_owned()])?;
    for id in ["a-past", "b-now", "d-past"] {
        same(id, &bench.take(id).await?, &None)?;
    }
    same("live", &bench.take("c-future").await?.is_some(), &true)
}

pub(super) async fn expectations(bench: &Bench) -> Verdict {
    let past = bench.now() - Seconds(60);
    let expired = || put_until("a", "\"old\"", past);
    bench.write(vec![expired()]).await?;
    conflict("put on present", &bench.commit(vec![put("a", "1", Expect::Present)]).await)?;
    conflict("delete on present", &bench.commit(vec![delete("a", Expect::Present)]).await)?;
    conflict("check on present", &bench.commit(vec![check("a", Expect::Present), put("b", "1", Expect::Any)]).await)?;
    same("beside", &bench.get("b").await?, &None)?;
    bench.write(vec![check("a", Expect::Absent), put("b", "1", Expect::Any)]).await?;
    bench.write(vec![delete("a", Expect::Absent)]).await?;
    bench.write(vec![expired()]).await?;
    bench.write(vec![delete("a", Expect::Any)]).await?;
    bench.write(vec![expired()]).await?;
    bench.write(vec![put("a", "\"new\"", Expect::Absent)]).await?;
    same("created over it", &bench.found("a").await?.value.as_str(), &"\"new\"")?;
    // The end itself is already outside.
    bench.write(vec![put_until("edge", "1", bench.now())]).await?;
    bench.write(vec![put("edge", "2", Expect::Absent)]).await?;
    bench.write(vec![put_until("edge", "1", bench.now())]).await?;
    conflict("the end itself", &bench.commit(vec![put("edge", "2", Expect::Present)]).await)
}

pub(super) async fn while_lying(bench: &Bench) -> Verdict {
    // Three seconds: long enough to be read on a slow machine, short enough to wait for.
    bench.write(vec![put_until("a", "1", bench.now() + Seconds(3)), put("b", "1", Expect::Any)]).await?;
    let version = bench.found("a").await?.version;
    bench.time.pass(Seconds(3)).await;
    same("get", &bench.get("a").await?, &None)?;
    let by_version = |expect: Expect| vec![put("a", "2", expect)];
    conflict("put", &bench.commit(by_version(Expect::Version(version.clone()))).await)?;
    conflict("delete", &bench.commit(vec![delete("a", Expect::Version(version.clone()))]).await)?;
    let beside = vec![check("a", Expect::Version(version)), put("c", "1", Expect::Any)];
    conflict("check", &bench.commit(beside).await)?;
    same("list", &bench.list("", None, 10).await?.records.len(), &1)?;
    bench.write(by_version(Expect::Absent)).await?;
    same("created over it", &bench.found("a").await?.value.as_str(), &"2")
}
