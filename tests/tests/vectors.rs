//! Responses of a second implementation, good and forged, before a running broker: each is sent to the assertion consumer
//! service in the browser that asked, once in a test login, which tells the administrator the reason, and once in a login.
//! On workerd they go through wasm and `WebCrypto`.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use url::Url;
use vestibule_protocol::saml::Refused;
use vestibule_testkit::relying_party::payload;
use vestibule_tests::browser::Visit;
use vestibule_tests::platform::{clock, unique};
use vestibule_tests::python::Program;
use vestibule_tests::world::{member, register};
use vestibule_tests::{Browser, Reply, World};

/// The provider is the test itself: the browser stops there.
const ISSUER: &str = "https://idp.example/entity";
const SINGLE_SIGN_ON: &str = "https://idp.example/sso";
const ADA: &str = "ada@corp.example";
const CONNECTION: &str = "ad";

/// A tenant whose identity provider is the program in Python, and what it is told to answer.
struct Vectors {
    world: World,
    program: Program,
    cases: Vec<Value>,
    /// Our encryption certificate, from our metadata.
    encrypt_for: String,
}

impl Vectors {
    async fn start() -> Self {
        let mut program = Program::start("forge.py", &[]);
        let told = program.line().expect("the certificates");
        let mut world = World::new().await;
        world.tenant = unique("t");
        world.broker.put(&format!("/tenants/{}", world.tenant), json!({ "name": "A tenant" })).await;
        world.app = register(&world.broker, "client_secret_basic", &json!([world.tenant])).await;
        let saml = json!({
            "idp_entity_id": ISSUER, "certificates": told["certificates"], "wants_encryption": true,
            "single_sign_on": [{ "binding": "redirect", "location": SINGLE_SIGN_ON }],
        });
        let connection = json!({ "name": "AD", "protocol": "saml", "enabled": true, "saml": saml });
        let view = world.broker.put(&format!("/tenants/{}/connections/{CONNECTION}", world.tenant), connection).await;
        let metadata = view["saml"]["register"]["metadata_url"].as_str().expect("an address").to_owned();
        let metadata = Reply::of(vestibule_tests::platform::http_client().get(metadata)).await.body;
        let cases = told["cases"].as_array().expect("a list").clone();
        Self { world, program, cases, encrypt_for: encryption_certificate(&metadata) }
    }

    /// Answers the request that led a browser to `there` with a case, in that browser.
    async fn answer(&mut self, browser: &mut Browser, there: &Url, case: &str) -> Visit {
        assert!(there.as_str().starts_with(SINGLE_SIGN_ON), "{there}");
        let request = STANDARD.decode(Reply::one_param(there, "SAMLRequest")).expect("base64");
        let request = miniz_oxide::inflate::decompress_to_vec(&request).expect("DEFLATE");
        let request = String::from_utf8(request).expect("text");
        let attribute = |name: &str| {
            let (_, after) = request.split_once(&format!(" {name}=\"")).expect("an attribute");
            after.split('"').next().unwrap_or_default().to_owned()
        };
        let acs = attribute("AssertionConsumerServiceURL");
        let audience = acs.strip_suffix("/acs").expect("the usual address");
        let question = json!({
            "case": case, "acs": acs, "audience": audience, "issuer": ISSUER, "request": attribute("ID"),
            "subject": ADA, "tag": unique("-"), "now": clock().now().seconds(), "encrypt_for": self.encrypt_for,
        });
        let response = self.program.ask(&question);
        let response = STANDARD.encode(response["response"].as_str().expect("a response"));
        browser.submit(&posting(&acs, &response, &Reply::one_param(there, "RelayState")), &[]).await
    }

    /// A test login with a case: what the administrator is told, and the page that the browser ended on.
    async fn tried(&mut self, case: &str) -> (Value, Visit) {
        let at = format!("/tenants/{}/connections/{CONNECTION}", self.world.tenant);
        let made = self.world.broker.admin(Method::POST, &format!("{at}/test-login"), None).await;
        let mut browser = Browser::new();
        let there = browser.visit(&made.text("url")).await;
        let ended = self.answer(&mut browser, there.arrived(), case).await;
        let view = self.world.broker.admin(Method::GET, &format!("{at}/test-logins/{}", made.text("id")), None).await;
        (view.json(), ended)
    }

    /// A login with a case: the claims of the ID token that the application got; none when nobody was signed in.
    async fn signed_in(&mut self, case: &str) -> Option<Value> {
        let request = self.world.authorization();
        let mut browser = Browser::new();
        let there = browser.visit(&request.url(&self.world.broker)).await;
        let ended = self.answer(&mut browser, there.arrived(), case).await;
        let session = browser.cookies(&self.world.broker.url).iter().any(|cookie| cookie.name == "__Host-session");
        let code = ended.left_to.as_ref().and_then(|url| url.query_pairs().find(|(name, _)| name == "code"));
        let Some((_, code)) = code else {
            assert!(!session, "{case}: no code, and a session");
            let said = ended.left_to.map_or_else(|| ended.hops.last().expect("a page").body.clone(), String::from);
            assert!(!said.contains("corp.example"), "{case}: whom it named is told: {said}");
            return None;
        };
        assert!(session, "{case}: a code, and no session");
        let tokens = self.world.redeem(&request, &code).await;
        assert_eq!(tokens.status, StatusCode::OK, "{case}: {}", tokens.body);
        Some(payload(&member(&tokens.json(), "id_token")).expect("claims").into())
    }
}

/// The page of an identity provider that posts a response.
fn posting(acs: &str, response: &str, relay_state: &str) -> Reply {
    let form = format!(
        "<form method=\"post\" action=\"{acs}\"><input name=\"SAMLResponse\" value=\"{response}\">\
         <input name=\"RelayState\" value=\"{relay_state}\"></form>"
    );
    let url = Url::parse(SINGLE_SIGN_ON).expect("an address");
    Reply { url, status: StatusCode::OK, headers: HeaderMap::new(), body: form }
}

/// Our certificate to encrypt for, in PEM.
fn encryption_certificate(metadata: &str) -> String {
    let (_, key) = metadata.split_once("use=\"encryption\"").unwrap_or_else(|| panic!("no key: {metadata}"));
    let text = key.split("X509Certificate>").nth(1).and_then(|text| text.split('<').next()).expect("a certificate");
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// SA-1 to SA-12, SA-15: each case is refused for its own reason, which the administrator is told and the browser is not,
/// and each good one signs its person in.
#[tokio::test]
async fn every_case_ends_as_it_should() {
    let mut vectors = Vectors::start().await;
    let cases = vectors.cases.clone();
    assert!(cases.len() > 100, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (name, refused) = (case["name"].as_str().expect("a name"), case["refused"].as_str());
        let (told, ended) = vectors.tried(name).await;
        let claims = vectors.signed_in(name).await;
        let as_it_should = match refused {
            // Not even its form is read.
            Some("too_large") => {
                ended.page().status == StatusCode::BAD_REQUEST && told["state"] == "waiting" && claims.is_none()
            }
            None => {
                told["state"] == "done"
                    && told["claims"]["assertion"]["groups"] == json!(["engineering", "O'Neil & <Söns>"])
                    && claims.as_ref().is_some_and(|claims| claims["email"] == ADA)
            }
            Some(reason) => {
                told["state"] == "failed"
                    && told["reason"].as_str().is_some_and(|told| told.contains(&words(reason)))
                    && claims.is_none()
            }
        };
        if !as_it_should {
            wrong.push(format!("{name}, {refused:?}: {told}; {claims:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What an administrator is told about a reason, as far as it is always the same.
fn words(name: &str) -> String {
    // The provider's own word.
    if name == Refused::Status.name() {
        return "The identity provider refused: Responder.".to_owned();
    }
    let reason = REASONS.iter().find(|reason| reason.name() == name);
    reason.unwrap_or_else(|| panic!("a reason of another name: {name}")).to_string()
}

/// The reasons that cases have.
const REASONS: [Refused; 32] = [
    Refused::Attribute,
    Refused::Audience,
    Refused::Condition,
    Refused::Confirmation,
    Refused::Decryption,
    Refused::Destination,
    Refused::Digest,
    Refused::Doctype,
    Refused::DuplicateId,
    Refused::Encoding,
    Refused::EncryptionAlgorithm,
    Refused::Expired,
    Refused::InResponseTo,
    Refused::Instant,
    Refused::Issuer,
    Refused::Malformed,
    Refused::NameId,
    Refused::NotYet,
    Refused::ProcessingInstruction,
    Refused::Reference,
    Refused::Sha1,
    Refused::Shape(""),
    Refused::Signature,
    Refused::SignatureAlgorithm,
    Refused::SignatureShape(""),
    Refused::Statement,
    Refused::TooComplex,
    Refused::TooLarge,
    Refused::Transform,
    Refused::UnauthenticatedCipher,
    Refused::Unsigned,
    Refused::Version,
];
