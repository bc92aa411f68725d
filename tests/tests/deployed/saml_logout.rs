//! Signing out at a provider that speaks SAML, and from there.

use serde_json::{Value, json};
use url::Url;
use vestibule_protocol::saml::{Certificate, LogoutAnswer, LogoutRequest, RedirectMessage};
use vestibule_protocol::time::Seconds;
use vestibule_tests::cookie::SameSite;
use vestibule_tests::platform::{clock, crypto};
use vestibule_tests::saml_world::SamlWorld;
use vestibule_tests::world::{ALICE, Authorization, SIGNED_OUT, member};
use vestibule_tests::{Browser, Reply};

const THERE: &str = "https://saml.example/slo";

/// A world whose provider takes logout messages, behind the connection `leaving`; and our single logout service.
async fn leaving(binding: &str) -> (SamlWorld, String) {
    let world = SamlWorld::new(&json!({})).await;
    let saml = json!({
        "idp_entity_id": world.idp.entity_id(), "certificates": [world.idp.certificate()],
        "single_sign_on": [{"binding": "redirect", "location": "https://saml.example/sso"}],
        "single_logout": [{"binding": binding, "location": THERE}],
    });
    let connection = json!({"name": "SAML", "protocol": "saml", "saml": saml, "logout": {"at_provider": true}});
    world.world.broker.put(&format!("/tenants/{}/connections/leaving", world.world.tenant), connection).await;
    let slo = world.world.broker.at(&format!("/saml/{}/leaving/slo", world.world.tenant));
    (world, slo)
}

/// Alice signs in: her tokens, and what the provider calls the session.
async fn alice(world: &SamlWorld, browser: &mut Browser) -> (Value, String) {
    let request: Authorization = world.world.authorization().with("connection", "leaving");
    let asked = world.ask(browser, &request).await;
    let says = world.idp.says(&asked, ALICE);
    let visit = world.answer(browser, &says, &asked).await;
    let reply = world.world.redeem(&request, &Reply::one_param(visit.arrived(), "code")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    (reply.json(), says.session_index.expect("a session"))
}

async fn is_over(world: &SamlWorld, tokens: &Value) -> bool {
    world.world.refresh(&member(tokens, "refresh_token")).await.status == 400
}

async fn query(world: &SamlWorld, request: &LogoutRequest, relay_state: Option<&str>) -> String {
    world.idp.query(&request.to_xml(), false, relay_state).await.expect("a signature")
}

/// The message of an address, which the first certificate of our metadata signed.
async fn ours(world: &SamlWorld, location: &Url) -> RedirectMessage {
    let metadata = world.world.broker.get(&format!("/saml/{}/leaving/metadata", world.world.tenant)).await;
    assert_eq!(metadata.header("content-type"), Some("application/samlmetadata+xml"));
    let certificate = metadata.body.split("X509Certificate>").nth(1).and_then(|rest| rest.split('<').next());
    let key = Certificate::read(certificate.expect("a certificate")).expect("a certificate").key;
    let message = RedirectMessage::read(location.query().expect("a query")).expect("a message");
    let (algorithm, input, signature) = message.signature.as_ref().expect("a signature");
    crypto().verify(&key, *algorithm, input.as_bytes(), signature).await.expect("it is ours");
    message
}

/// LO-7: the provider's request ends the session that it names, once; the answer is signed and brings the `RelayState` back. What
/// is not signed by the provider for this address, now, ends nothing.
#[tokio::test]
async fn the_provider_signs_somebody_out() {
    let (world, slo) = leaving("redirect").await;
    let mut browser = Browser::new();
    let (tokens, index) = alice(&world, &mut browser).await;
    let (other, _) = alice(&world, &mut Browser::new()).await;
    let good = || world.idp.leaves(&slo, ALICE, &[&index]);
    let xml = good().to_xml();
    let right = query(&world, &good(), Some("s")).await;
    for (what, query) in [
        ("unsigned", RedirectMessage::write(&xml, false, None, None)),
        ("another relay state", right.replace("RelayState=s", "RelayState=t")),
        ("a parameter twice", format!("{right}&RelayState=s")),
        ("somebody else", query(&world, &world.idp.leaves(&slo, "nobody", &[&index]), None).await),
        ("another address", query(&world, &world.idp.leaves(&format!("{slo}/x"), ALICE, &[]), None).await),
        ("expired", {
            let ends = Some(clock().now() - Seconds(120));
            query(&world, &LogoutRequest { ends, ..good() }, None).await
        }),
    ] {
        Browser::new().get(&format!("{slo}?{query}")).await;
        assert!(!is_over_quietly(&world, &tokens).await, "{what}");
    }
    let state = "a b+c/%2f~\u{fc}&=";
    let request = good();
    let address = format!("{slo}?{}", query(&world, &request, Some(state)).await);
    let reply = browser.get(&address).await;
    let location = reply.location().unwrap_or_else(|| panic!("{} {}", reply.status, reply.body));
    let message = ours(&world, &location).await;
    assert_eq!((message.is_response, message.relay_state.as_deref()), (true, Some(state)));
    let us = slo.trim_end_matches("/slo");
    LogoutAnswer::read(&message.xml, THERE, us, &request.id).expect("it answers the request");
    assert!(is_over(&world, &tokens).await && !is_over(&world, &other).await);
    assert!(!browser.cookies(&world.world.broker.url).iter().any(|cookie| cookie.name == "__Host-session"));
    let again = browser.get(&address).await;
    again.assert_error_page();
    assert_eq!(again.status, 400);
}

/// Whether the session is over, without a refresh token being used.
async fn is_over_quietly(world: &SamlWorld, tokens: &Value) -> bool {
    let token = member(tokens, "refresh_token");
    let form = [("token", token.as_str())];
    let reply = world.world.post(&world.world.app, "/oauth2/introspect", &form).await;
    reply.json()["active"] != true
}

/// LO-7: whoever signs out here is sent to the provider when the session is over, and comes to the application by an answer
/// that the provider's page posts, with the one cookie that comes along. Another browser is led nowhere.
#[tokio::test]
async fn somebody_signs_out_at_the_provider() {
    let (world, slo) = leaving("redirect").await;
    let mut browser = Browser::new();
    let (tokens, index) = alice(&world, &mut browser).await;
    let mut address = Url::parse(&world.world.broker.at("/oauth2/logout")).expect("an address");
    address.query_pairs_mut().append_pair("id_token_hint", &member(&tokens, "id_token"));
    address.query_pairs_mut().append_pair("post_logout_redirect_uri", SIGNED_OUT).append_pair("state", "a b");
    let visit = browser.visit(address.as_str()).await;
    assert!(is_over(&world, &tokens).await);
    let message = ours(&world, visit.arrived()).await;
    let us = slo.trim_end_matches("/slo");
    let request = LogoutRequest::read(&message.xml, THERE, us, clock().now(), Seconds(60)).expect("a request");
    assert_eq!((request.name_id.value.as_str(), request.session_indexes.as_slice()), (ALICE, &[index][..]));
    let handle = message.relay_state.expect("a RelayState");
    let kept = browser.cookies(&world.world.broker.url);
    let cookie = kept.iter().find(|cookie| cookie.name == format!("__Host-logout-{handle}")).expect("a cookie");
    assert_eq!((cookie.same_site, cookie.max_age), (SameSite::None, Some(600)));
    let answer = world.idp.has_left(&slo, &request.id);
    let signed = world.idp.signed(&answer.to_xml(), &answer.id).await.expect("a signature");
    let mut page = world.page(&world.idp.says(&nobody(), ALICE), &slo, Some(&handle)).await;
    page.body = form(&slo, &signed, &handle);
    Browser::new().submit(&page, &[]).await.page().assert_error_page();
    let wrong = form(&slo, &world.idp.has_left(&slo, "_other").to_xml(), &handle);
    browser.submit(&Reply { body: wrong, ..page.clone() }, &[]).await.page().assert_error_page();
    let back = browser.submit(&page, &[]).await;
    assert!(back.arrived().as_str().starts_with(SIGNED_OUT), "{}", back.arrived());
    assert_eq!(Reply::one_param(back.arrived(), "state"), "a b");
    browser.submit(&page, &[]).await.page().assert_error_page();
}

fn nobody() -> vestibule_testkit::Asked {
    vestibule_testkit::Asked::nothing("", "")
}

fn form(slo: &str, xml: &str, handle: &str) -> String {
    let message = vestibule_testkit::FakeSamlIdp::posted(xml);
    format!(
        r#"<form method="post" action="{slo}"><input name="SAMLResponse" value="{message}">
        <input name="RelayState" value="{handle}"></form>"#
    )
}

/// Our metadata is an address that everybody may read; other connections have none.
#[tokio::test]
async fn metadata_is_public() {
    let (world, _) = leaving("post").await;
    let path = |connection: &str| format!("/saml/{}/{connection}/metadata", world.world.tenant);
    let reply = world.world.broker.get(&path("leaving")).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, Some("public, max-age=300")));
    for connection in ["corp", "none", "a%20b"] {
        assert_eq!(world.world.broker.get(&path(connection)).await.status, 404, "{connection}");
    }
}
