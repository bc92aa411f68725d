//! Attacks on a login in progress by the identity provider, or in its name.

use serde_json::Value;
use url::Url;
use vestibule_testkit::{ClientAuth, Lie, Registration};
use vestibule_tests::browser::Visit;
use vestibule_tests::world::{ALICE, Authorization, IDP_SECRET, PASSWORD, start_idp};
use vestibule_tests::{Browser, Reply, World};

/// Fails unless the login was refused without a code, a session or a word too many.
pub(super) fn assert_refused(world: &World, browser: &Browser, visit: &Visit, what: &str) {
    if let Some(arrived) = &visit.left_to {
        assert!(arrived.query_pairs().all(|(name, _)| name != "code"), "{what}: {arrived}");
        assert!(!Reply::one_param(arrived, "error").is_empty(), "{what}");
        assert_eq!(Reply::one_param(arrived, "iss"), world.broker.url, "{what}");
    } else {
        let page = visit.last();
        assert!(page.url.as_str().starts_with(&world.broker.url), "{what}: it ended at {}", page.url);
        assert!(page.status.is_client_error() || page.status.is_server_error(), "{what}: {}", page.status);
        page.assert_page();
        for secret in [IDP_SECRET, ALICE, "other.example", "somebody-else", "subject-of-alice", "eyJ", "nonce"] {
            assert!(!page.body.contains(secret), "{what}: the page has {secret}: {}", page.body);
        }
        if let Some(code) = page.url.query_pairs().find(|(name, _)| name == "code") {
            let shown = code.1.len() > 8 && page.body.contains(code.1.as_ref());
            assert!(!shown, "{what}: the page has the code");
        }
    }
    let signed_in = browser.cookies(&world.broker.url).iter().any(|cookie| cookie.name == "__Host-session");
    assert!(!signed_in, "{what}: there is a session");
}

async fn refuses(lies: &[Lie]) {
    let world = World::new().await;
    for lie in lies {
        world.idp.lie(*lie);
        let mut browser = Browser::new();
        let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
        assert_refused(&world, &browser, &visit, &format!("{lie:?}"));
        world.idp.be_honest();
        let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
        assert!(visit.left_to.is_some(), "{lie:?} has stopped: {}", visit.last().body);
        assert!(!Reply::one_param(visit.arrived(), "code").is_empty(), "{lie:?} has stopped");
    }
}

/// Claims of the ID token that are not right. RP-2, RP-4.
#[tokio::test]
async fn wrong_claims_are_refused() {
    refuses(&[
        Lie::WrongNonce,
        Lie::NoNonce,
        Lie::Expired,
        Lie::IssuedInTheFuture,
        Lie::WrongIssuer,
        Lie::WrongAudience,
        Lie::EmptySubject,
        Lie::WrongAccessTokenHash,
    ])
    .await;
}

/// Signatures that are not right: none, an HMAC with the public key, another key's, a damaged one. RP-4, RP-8, TK-5.
#[tokio::test]
async fn wrong_signatures_are_refused() {
    refuses(&[Lie::AlgNone, Lie::HmacWithPublicKey, Lie::OtherKey, Lie::DamagedSignature]).await;
}

/// Userinfo about somebody else is refused (OpenID Connect Core §5.3.2). RP-5.
#[tokio::test]
async fn userinfo_about_somebody_else_is_refused() {
    refuses(&[Lie::UserinfoOtherSubject]).await;
}

/// The answer comes from another provider than was asked, or does not say although it should. RP-3 (RFC 9207 §2.4).
#[tokio::test]
async fn mix_up_is_refused() {
    refuses(&[Lie::CallbackOtherIssuer, Lie::CallbackWithoutIssuer]).await;
}

/// An outage of the token endpoint is an error, not a login, and is over when it is over. RP-4.
#[tokio::test]
async fn an_outage_is_not_a_login() {
    refuses(&[Lie::TokenEndpointFails]).await;
}

/// A provider whose discovery document belongs to somebody else, or that cannot be reached. RP-7, RP-8.
#[tokio::test]
async fn a_provider_that_cannot_be_trusted_is_not_gone_to() {
    for lie in [Lie::DiscoveryOtherIssuer, Lie::DiscoveryDown, Lie::JwksDown] {
        let world = World::new().await;
        world.idp.lie(lie);
        let mut browser = Browser::new();
        let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
        assert_refused(&world, &browser, &visit, &format!("{lie:?}"));
    }
}

/// An e-mail address that the provider does not vouch for links nobody to anybody; one that is missing is no error of
/// ours. RP-6.
#[tokio::test]
async fn an_address_is_not_an_identity() {
    let world = World::new().await;
    let subject = async |username| {
        let request = world.authorization();
        let visit = world.follow(&mut Browser::new(), &request, username).await;
        let reply = world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
        vestibule_testkit::relying_party::payload(&reply.text("id_token")).and_then(|claims| claims.get("sub").cloned())
    };
    let alice = subject(ALICE).await;
    let mut mallory = vestibule_testkit::Account::new("mallory@corp.example", PASSWORD, "subject-of-mallory", "M");
    mallory.claims.insert("email".to_owned(), ALICE.into());
    mallory.claims.insert("email_verified".to_owned(), Value::Bool(false));
    world.idp.add_account(mallory);
    let visit = world.follow(&mut Browser::new(), &world.authorization(), "mallory@corp.example").await;
    if visit.left_to.as_ref().is_some_and(|arrived| arrived.query_pairs().any(|(name, _)| name == "code")) {
        assert_ne!(subject("mallory@corp.example").await, alice);
    }
    world.idp.lie(Lie::MissingEmail);
    let visit = world.follow(&mut Browser::new(), &world.authorization(), ALICE).await;
    assert!(!visit.last().status.is_server_error(), "{}", visit.last().body);
}

/// A key that nobody has is looked for, but not again and again. RP-8.
#[tokio::test]
async fn an_unknown_key_does_not_hammer_the_provider() {
    let world = World::new().await;
    world.tokens().await;
    let before = world.idp.requests("/jwks");
    world.idp.lie(Lie::UnknownKid);
    for _ in 0..6 {
        let mut browser = Browser::new();
        let visit = world.follow(&mut browser, &world.authorization(), ALICE).await;
        assert_refused(&world, &browser, &visit, "an unknown key");
    }
    let asked = world.idp.requests("/jwks") - before;
    assert!(asked <= 3, "six bad tokens cost {asked} requests");
}

/// A provider that changes its key is followed at once. RP-8.
#[tokio::test]
async fn a_new_key_of_the_provider_is_found() {
    let world = World::new().await;
    world.tokens().await;
    world.idp.rotate_key(false).await.expect("a key");
    world.tokens().await;
}

/// Providers that sign with RSA are understood. RP-4.
#[tokio::test]
async fn an_rsa_key_will_do() {
    let world = World::new().await;
    world.idp.use_key(vestibule_tests::platform::rsa_key(), false);
    world.tokens().await;
}

/// Where the provider sends the browser back to, once it signed alice in.
pub(super) async fn callback_of(world: &World, browser: &mut Browser, request: &Authorization) -> Url {
    let there = browser.get(&request.url(&world.broker)).await.location().expect("a redirect");
    Url::parse(&world.idp.sign_in(there.as_str(), ALICE).await.expect("a good request")).expect("an address")
}

/// What the provider sends with an error is not shown to anybody. CK-8.
#[tokio::test]
async fn the_providers_words_are_not_repeated() {
    let world = World::new().await;
    for error in ["access_denied", "server_error", "temporarily_unavailable", "<script>alert(1)</script>"] {
        let mut browser = Browser::new();
        let mut callback = callback_of(&world, &mut browser, &world.authorization()).await;
        let state = Reply::one_param(&callback, "state");
        callback.query_pairs_mut().clear().extend_pairs([
            ("error", error),
            ("error_description", "call +1 555 0100 <b>now</b>"),
            ("state", &state),
            ("iss", world.idp.issuer()),
        ]);
        let visit = browser.visit(callback.as_str()).await;
        assert_refused(&world, &browser, &visit, error);
        assert!(!visit.last().body.contains("555"), "{}", visit.last().body);
        if let Some(arrived) = &visit.left_to {
            assert!(!arrived.as_str().contains("555") && !arrived.as_str().contains("alert"), "{arrived}");
        }
    }
}

/// A code of one provider, brought to the login of another tenant: its provider does not know it. RP-3.
#[tokio::test]
async fn a_code_of_another_provider_is_refused() {
    let world = World::new().await;
    let foreign = start_idp(&world.broker).await;
    foreign.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: "another-secret".to_owned(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![world.broker.at("/oauth2/callback")],
        post_logout_redirect_uris: Vec::new(),
    });
    let mut browser = Browser::new();
    let there = browser.get(&world.authorization().url(&world.broker)).await.location().expect("a redirect");
    let there = there.as_str().replace(world.idp.issuer(), foreign.issuer());
    let callback = foreign.sign_in(&there, ALICE).await.expect("a good request");
    let visit = browser.visit(&callback).await;
    assert_refused(&world, &browser, &visit, "another provider's issuer");
    let mut forged = Url::parse(&callback).expect("an address");
    let pairs: Vec<(String, String)> = forged.query_pairs().into_owned().filter(|(name, _)| name != "iss").collect();
    forged.query_pairs_mut().clear().extend_pairs(pairs).append_pair("iss", world.idp.issuer());
    let mut browser = Browser::new();
    let there = browser.get(&world.authorization().url(&world.broker)).await.location().expect("a redirect");
    let state = Reply::one_param(&there, "state");
    let code = Reply::one_param(&forged, "code");
    forged
        .query_pairs_mut()
        .clear()
        .extend_pairs([("code", &code), ("state", &state)])
        .append_pair("iss", world.idp.issuer());
    let visit = browser.visit(forged.as_str()).await;
    assert_refused(&world, &browser, &visit, "another provider's code");
}
