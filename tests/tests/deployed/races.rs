//! Many at once: what may happen once happens once, whichever process or isolate each request reaches. ED-1, ED-2.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::world::{ALICE, member};
use vestibule_tests::{Browser, Reply, World};

fn wins(replies: &[Reply]) -> usize {
    for reply in replies {
        assert!(matches!(reply.status.as_u16(), 200 | 400), "{} {}", reply.status, reply.body);
    }
    replies.iter().filter(|reply| reply.status == 200).count()
}

/// A hundred redeem one code: exactly one gets tokens. And since the code was used again, not even these renew. Again
/// with fewer, because a race is not lost every time. AZ-8, ED-1.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_redemptions_one_wins() {
    let world = World::new().await;
    for at_once in [100, 20, 20, 20, 20] {
        let request = world.authorization();
        let code = world.code(&request).await;
        let replies = join_all((0..at_once).map(|_| world.redeem(&request, &code))).await;
        assert_eq!(wins(&replies), 1);
        let winner = replies.iter().find(|reply| reply.status == 200).expect("one won");
        assert_eq!(world.refresh(&winner.text("refresh_token")).await.status, 400, "the family is gone");
    }
}

/// Two refresh with one token at the same time, again and again: there is never more than one live branch. TK-6.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_refreshes_leave_one_branch() {
    let world = World::new().await;
    for _ in 0..5 {
        let token = member(&world.tokens().await, "refresh_token");
        assert_one_branch(&world, &token, 2).await;
    }
    let token = member(&world.tokens().await, "refresh_token");
    assert_one_branch(&world, &token, 20).await;
}

async fn assert_one_branch(world: &World, token: &str, at_once: usize) {
    let replies = join_all((0..at_once).map(|_| world.refresh(token))).await;
    assert!(wins(&replies) >= 1, "somebody gets an answer: {}", replies.first().expect("a reply").body);
    let won = replies.iter().filter(|reply| reply.status == 200);
    let children: BTreeSet<String> = won.map(|reply| reply.text("refresh_token")).collect();
    let mut alive = BTreeSet::new();
    for child in &children {
        let reply = world.refresh(child).await;
        if reply.status == 200 {
            alive.insert(reply.text("refresh_token"));
        }
    }
    let mut live = 0;
    for grandchild in &alive {
        live += usize::from(world.refresh(grandchild).await.status == 200);
    }
    assert!(live <= 1, "{at_once} at once: {live} live branches of {} children", children.len());
}

/// One callback, loaded by two tabs at once: one code at most. RP-1.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_loaded_twice_brings_one_code() {
    let world = World::new().await;
    let mut browser = Browser::new();
    let there = browser.get(&world.authorization().url(&world.broker)).await.location().expect("a redirect");
    let callback = world.idp.sign_in(there.as_str(), ALICE).await.expect("a good request");
    let visits = join_all((0..8).map(|_| {
        let (mut tab, callback) = (browser.clone(), callback.clone());
        async move { tab.visit(&callback).await }
    }))
    .await;
    let codes = visits.iter().filter_map(|visit| visit.left_to.as_ref());
    let codes = codes.filter(|arrived| arrived.query_pairs().any(|(name, _)| name == "code")).count();
    assert_eq!(codes, 1);
    assert!(visits.iter().all(|visit| !visit.last().status.is_server_error()));
}

/// Somebody's first sign-in, eight times at once: one person comes of it. ED-1, RP-6.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_first_logins_make_one_person() {
    let world = World::new().await;
    let tokens = join_all((0..8).map(|_| world.tokens())).await;
    let subjects: BTreeSet<String> = tokens
        .iter()
        .filter_map(|tokens| payload(&member(tokens, "id_token"))?.get("sub")?.as_str().map(str::to_owned))
        .collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

/// Somebody is deactivated while their application refreshes as fast as it can: nothing is alive afterwards. CK-5.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_cannot_slip_past_a_deactivation() {
    let world = World::new().await;
    for _ in 0..5 {
        let tokens = world.tokens().await;
        let claims = payload(&member(&tokens, "id_token")).expect("claims");
        let user = claims.get("sub").and_then(|sub| sub.as_str()).expect("a subject");
        let refreshing = async {
            let mut token = member(&tokens, "refresh_token");
            for _ in 0..200 {
                let reply = world.refresh(&token).await;
                if reply.status != 200 {
                    assert_eq!(reply.text("error"), "invalid_grant");
                    break;
                }
                token = reply.text("refresh_token");
            }
            token
        };
        let (last, ()) = tokio::join!(refreshing, world.set_active(user, false));
        assert_eq!(world.refresh(&last).await.status, 400);
        world.set_active(user, true).await;
        assert_eq!(world.refresh(&last).await.status, 400);
    }
}

/// One revocation, twenty times at once: it counts once, and is spent. ED-1, LO-9.
#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_revocations_one_counts() {
    let world = World::new().await;
    let before = world.tokens().await;
    let token = world.revocation_token().await;
    let replies = join_all((0..20).map(|_| world.revoke_alice(&token))).await;
    let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(204), count(401)), (1, 19), "{:?}", replies.iter().map(|it| it.status).collect::<Vec<_>>());
    assert_eq!(world.refresh(&member(&before, "refresh_token")).await.status, 400);
    let after = world.tokens().await;
    assert_eq!(world.revoke_alice(&token).await.status, 401);
    assert_eq!(world.refresh(&member(&after, "refresh_token")).await.status, 200);
}

/// The minute's work may run while it runs, and disturbs nobody. ED-5.
#[tokio::test(flavor = "multi_thread")]
async fn ticks_may_overlap() {
    let world = World::new().await;
    let tokens = world.tokens().await;
    join_all((0..3).map(|_| world.broker.run_tick())).await;
    assert_eq!(world.refresh(&member(&tokens, "refresh_token")).await.status, 200);
}
