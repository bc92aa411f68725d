//! The fake identity provider itself: it is only worth something as a counterpart if it refuses what a real one does,
//! and if its lies are lies.

use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{Request, Response};
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};
use vestibule_core::platform::HttpClient;
use vestibule_protocol::time::Seconds;
use vestibule_testkit::relying_party::{Error, Pending, RelyingParty};
use vestibule_testkit::{Account, ClientAuth, Demand, FakeOidcIdp, Lie, Registration, SeededRandom, TestClock};
use vestibule_tests::platform::crypto;

const ISSUER: &str = "https://idp.example";
const CALLBACK: &str = "https://broker.example/callback";

struct Party {
    idp: Arc<FakeOidcIdp>,
    clock: Arc<TestClock>,
    app: RelyingParty,
    pending: Pending,
}

async fn party() -> Party {
    let clock = Arc::new(TestClock::default());
    let idp = FakeOidcIdp::new(ISSUER, crypto(), clock.clone(), Arc::new(SeededRandom::new(1))).await.expect("a key");
    idp.register(Registration {
        client_id: "broker".to_owned(),
        client_secret: "s3cret:with/odd+chars".to_owned(),
        client_auth: ClientAuth::Basic,
        redirect_uris: vec![CALLBACK.to_owned()],
        post_logout_redirect_uris: Vec::new(),
    });
    idp.add_account(Account::new("alice@corp.example", "pw", "subject", "Alice"));
    let idp = Arc::new(idp);
    let app = RelyingParty {
        broker: ISSUER.to_owned(),
        client_id: "broker".to_owned(),
        client_secret: Some("s3cret:with/odd+chars".to_owned()),
        redirect_uri: CALLBACK.to_owned(),
        http: idp.clone(),
        clock: clock.clone(),
    };
    let pending = Pending { state: "state".to_owned(), nonce: "nonce".to_owned(), verifier: "v".repeat(43) };
    Party { idp, clock, app, pending }
}

impl Party {
    async fn code(&self) -> String {
        let url = self.app.start(&self.pending, &[]).await.expect("metadata");
        let url = url.as_str().replace("scope=openid", "scope=openid+offline_access");
        let back = self.idp.sign_in(&url, "alice@corp.example").await.expect("a good request");
        let back = Url::parse(&back).expect("a URL");
        let found = back.query_pairs().find(|(name, _)| name == "code").map(|(_, code)| code.into_owned());
        found.expect("a code")
    }

    async fn sign_in(&self) -> Result<(), Error> {
        self.app.finish(&self.pending, &self.code().await).await.map(|_| ())
    }
}

#[tokio::test]
async fn an_honest_sign_in_is_accepted_by_a_certified_relying_party() {
    let party = party().await;
    party.sign_in().await.expect("the tokens hold");
    assert!(party.idp.unexpected().is_empty());
    party.idp.rotate_key(false).await.expect("a key");
    party.sign_in().await.expect("a new key is no problem");
}

#[tokio::test]
async fn lies_about_the_id_token_are_noticed() {
    let party = party().await;
    for lie in [
        Lie::WrongNonce,
        Lie::NoNonce,
        Lie::Expired,
        Lie::WrongIssuer,
        Lie::WrongAudience,
        Lie::WrongAccessTokenHash,
        Lie::AlgNone,
        Lie::HmacWithPublicKey,
        Lie::UnknownKid,
        Lie::OtherKey,
        Lie::DamagedSignature,
    ] {
        party.idp.lie(lie);
        let result = party.sign_in().await;
        assert!(matches!(result, Err(Error::IdToken(_))), "{lie:?}: {result:?}");
        party.idp.be_honest();
        assert_eq!(party.sign_in().await, Ok(()), "{lie:?} has stopped");
    }
}

#[tokio::test]
async fn outages_are_outages() {
    let party = party().await;
    for lie in [Lie::DiscoveryDown, Lie::DiscoveryOtherIssuer, Lie::JwksDown] {
        party.idp.lie(lie);
        assert!(party.app.start(&party.pending, &[]).await.is_err(), "{lie:?}");
        party.idp.be_honest();
    }
    let code = party.code().await;
    party.idp.lie(Lie::TokenEndpointFails);
    assert!(party.app.finish(&party.pending, &code).await.is_err());
}

#[tokio::test]
async fn a_code_works_once_for_its_verifier_and_for_a_minute() {
    let party = party().await;
    let refused = Err(Error::Refused("invalid_grant".to_owned()));
    let finish = async |pending: &Pending, code: &str| party.app.finish(pending, code).await.map(|_| ());
    let code = party.code().await;
    assert_eq!(finish(&party.pending, &code).await, Ok(()));
    assert_eq!(finish(&party.pending, &code).await, refused, "once");
    let code = party.code().await;
    let other = Pending { verifier: "w".repeat(43), ..party.pending.clone() };
    assert_eq!(finish(&other, &code).await, refused, "for its verifier");
    assert_eq!(finish(&party.pending, &code).await, refused, "and a wrong one spends it");
    let code = party.code().await;
    party.clock.advance(Seconds(60));
    assert_eq!(finish(&party.pending, &code).await, refused, "for a minute");
}

#[tokio::test]
async fn clients_have_to_prove_who_they_are() {
    let party = party().await;
    for secret in [None, Some("wrong".to_owned())] {
        let app = RelyingParty { client_secret: secret, ..party.app.clone() };
        let result = app.finish(&party.pending, &party.code().await).await.map(|_| ());
        assert_eq!(result, Err(Error::Refused("invalid_client".to_owned())));
    }
}

#[tokio::test]
async fn refresh_tokens_rotate_and_die_with_the_account() {
    let party = party().await;
    let first = party.app.finish(&party.pending, &party.code().await).await.expect("tokens");
    let first = first.refresh_token.expect("offline_access was asked for");
    let second = party.app.refresh(&first).await.expect("new tokens").refresh_token.expect("a new one");
    assert!(party.app.refresh(&first).await.is_err(), "once");
    party.idp.remove_account("alice@corp.example");
    assert!(party.app.refresh(&second).await.is_err());
}

#[tokio::test]
async fn a_request_that_is_not_right_gets_no_code() {
    let party = party().await;
    let url = party.app.start(&party.pending, &[]).await.expect("metadata").to_string();
    let try_with = async |url: &str| party.idp.sign_in(url, "alice@corp.example").await;
    assert!(try_with(&url).await.is_ok());
    let challenge = BASE64URL.encode(Sha256::digest("v".repeat(43)));
    for (from, to) in [
        ("broker.example%2Fcallback", "broker.example%2Fcallback%2F"),
        ("client_id=broker", "client_id=other"),
        ("response_type=code", "response_type=token"),
        ("code_challenge_method=S256", "code_challenge_method=plain"),
        (challenge.as_str(), "short"),
        ("scope=openid", "scope=x"),
        ("state=state", "state=state&state=other"),
    ] {
        let wrong = url.replace(from, to);
        assert_ne!(wrong, url, "{from} is in the request");
        assert!(try_with(&wrong).await.is_err(), "{to}");
    }
}

/// RFC 9126: what was sent ahead is authenticated, and its name works once, for its client, for a minute.
#[tokio::test]
async fn requests_that_were_sent_ahead_work_once() {
    let party = party().await;
    let query = party.app.start(&party.pending, &[]).await.expect("metadata").query().unwrap_or_default().to_owned();
    let push = async |body: String, secret: &str| {
        let proof = BASE64.encode(format!("broker:{secret}"));
        let request = Request::post("https://idp.example/par").header("authorization", format!("Basic {proof}"));
        let reply = party.idp.send(request.body(Bytes::from(body)).expect("a request")).await.expect("an answer");
        let body: serde_json::Value = serde_json::from_slice(reply.body()).expect("JSON");
        (reply.status().as_u16(), body["request_uri"].as_str().unwrap_or_default().to_owned())
    };
    let secret = "s3cret%3Awith%2Fodd%2Bchars";
    let sign_in = async |client: &str, name: &str| {
        let mut url = Url::parse("https://idp.example/authorize").expect("a URL");
        url.query_pairs_mut().append_pair("client_id", client).append_pair("request_uri", name);
        party.idp.sign_in(url.as_str(), "alice@corp.example").await.is_ok()
    };
    let (status, name) = push(query.clone(), secret).await;
    assert_eq!(status, 201);
    assert!(sign_in("broker", &name).await && !sign_in("broker", &name).await, "once");
    let (_, name) = push(query.clone(), secret).await;
    assert!(!sign_in("other", &name).await, "for its client");
    let (_, name) = push(query.clone(), secret).await;
    party.clock.advance(Seconds(60));
    assert!(!sign_in("broker", &name).await, "for a minute");
    assert_eq!(push(query.clone(), "wrong").await.0, 401);
    for wrong in [query.replace("client_id=broker", "client_id=other"), query.replace("S256", "plain"), String::new()] {
        assert_eq!(push(wrong.clone(), secret).await.0, 400, "{wrong}");
    }
    assert_eq!(push(format!("{query}&request_uri={name}"), secret).await.0, 400);
    assert_eq!(push(format!("{query}&request=a.b.c"), secret).await.0, 400);
    party.idp.demand(Demand::PushedRequests);
    let plain = format!("https://idp.example/authorize?{query}");
    assert!(party.idp.sign_in(&plain, "alice@corp.example").await.is_err(), "it insists");
    party.idp.demand(Demand::SignedRequests);
    assert_eq!(push(query, secret).await.0, 400, "on signatures too");
}

#[tokio::test]
async fn requests_that_nobody_expects_are_errors_and_remembered() {
    let party = party().await;
    let ask = |url: &str| Request::get(url).body(Bytes::new()).expect("a request");
    for url in ["https://elsewhere.example/jwks", "https://idp.example/admin", "https://idp.example.evil/jwks"] {
        assert!(party.idp.send(ask(url)).await.is_err(), "{url}");
    }
    assert_eq!(party.idp.unexpected().len(), 3);
}

/// The server's side: the page, a wrong password, the session that spares a second password.
#[tokio::test]
async fn the_login_page_wants_a_password() {
    let party = party().await;
    let url = party.app.start(&party.pending, &[]).await.expect("metadata");
    let authorize = |cookie: &str| {
        Request::get(url.as_str()).header("cookie", cookie.to_owned()).body(Bytes::new()).expect("a request")
    };
    let page = party.idp.answer(authorize("")).await;
    assert_eq!(page.status(), 200);
    assert!(String::from_utf8_lossy(page.body()).contains("alice@corp.example"), "the accounts are on the page");
    let login = |password: &str| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("request", url.query().unwrap_or_default());
        form.append_pair("username", "alice@corp.example").append_pair("password", password);
        Request::post("https://idp.example/login").body(Bytes::from(form.finish())).expect("a request")
    };
    assert_eq!(party.idp.answer(login("wrong")).await.status(), 200, "the page again");
    let back = party.idp.answer(login("pw")).await;
    assert_eq!(back.status(), 303);
    let header = |response: &Response<Bytes>, name| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    assert!(header(&back, "location").starts_with(&format!("{CALLBACK}?code=")));
    let cookie = header(&back, "set-cookie");
    let session = cookie.split(';').next().unwrap_or_default();
    assert_eq!(party.idp.answer(authorize(session)).await.status(), 303, "signed in already");
    assert_eq!(party.idp.answer(authorize("idp-session=invented")).await.status(), 200);
}
