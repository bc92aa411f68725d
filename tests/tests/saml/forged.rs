//! Responses of a second implementation: accepted and refused, each refusal by its name.

use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::FutureExt;
use serde_json::json;
use vestibule_aws::crypto::AwsLc;
use vestibule_core::platform::{Crypto, PrivateKey};
use vestibule_core::saml::verify::{Keys, VerifyError};
use vestibule_protocol::jose::{Algorithm, PublicKey};
use vestibule_protocol::saml::{Answer, Assertion, Certificate, Expected, NewCertificate, Refused, Subject, posted};
use vestibule_protocol::time::{Seconds, Timestamp};

use vestibule_tests::python::Program;

const ACS: &str = "https://sso.example/saml/acme/ad/acs";
const AUDIENCE: &str = "https://sso.example/saml/acme/ad";
const ISSUER: &str = "https://idp.example/entity";
const REQUEST: &str = "_request";
const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
const ADA: &str = "ada@corp.example";

struct World {
    crypto: AwsLc,
    signing: Vec<PublicKey>,
    encryption: PrivateKey,
}

impl World {
    fn verify(&self, response: &str) -> Result<Assertion, Refused> {
        let keys =
            Keys { crypto: &self.crypto, signing: &self.signing, encryption: std::slice::from_ref(&self.encryption) };
        let expected = Expected {
            issuer: ISSUER,
            audience: AUDIENCE,
            acs: ACS,
            request: Some(REQUEST),
            unsolicited: false,
            now: NOW,
            skew: Seconds(60),
        };
        match keys.verified(response).now_or_never().expect("native keys do not wait") {
            Ok(verified) => verified.read(&expected),
            Err(VerifyError::Refused(refused)) => Err(refused),
            Err(VerifyError::Crypto(error)) => panic!("{error}"),
        }
    }

    /// Our certificate in PEM, as the other side gets it.
    fn certificate(&self) -> String {
        let subject = Subject { name: "sso.example", serial: [1; 16], starts: NOW, ends: NOW + Seconds(86_400) };
        let certificate = NewCertificate::new(&subject, &self.encryption.public).expect("an RSA key");
        let signature =
            self.crypto.sign(&self.encryption, certificate.input()).now_or_never().expect("now").expect("signs");
        let der = certificate.signed(&signature).expect("DER");
        let again = Certificate::from_der(der.clone()).expect("a certificate");
        assert_eq!(again.key.id(), self.encryption.public.id());
        pem(&der)
    }
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// SA-1 to SA-11, SA-15: every case of the second implementation is accepted, or refused for the reason that it has.
#[test]
fn every_case_ends_as_it_should() {
    let mut program = Program::start("forge.py", &[]);
    let told = program.line().expect("the certificates");
    let certificates = told["certificates"].as_array().expect("a list").iter();
    let signing =
        certificates.map(|pem| Certificate::read(pem.as_str().expect("PEM")).expect("a certificate").key).collect();
    let crypto = AwsLc::default();
    let encryption = crypto.generate(Algorithm::RS256).now_or_never().expect("now").expect("a key");
    let world = World { crypto, signing, encryption };
    let certificate = world.certificate();
    let mut wrong = Vec::new();
    let cases = told["cases"].as_array().expect("a list");
    for (number, case) in cases.iter().enumerate() {
        let question = json!({
            "case": case["name"], "acs": ACS, "audience": AUDIENCE, "issuer": ISSUER, "request": REQUEST,
            "subject": ADA, "tag": number.to_string(), "now": NOW.seconds(), "encrypt_for": certificate,
        });
        let answer = program.ask(&question);
        let field = STANDARD.encode(answer["response"].as_str().expect("a response"));
        let outcome = posted(&field).and_then(|text| world.verify(&text));
        let told = match &outcome {
            Ok(assertion) => {
                assert_eq!(assertion.name_id.value, ADA, "{}", case["name"]);
                assert_eq!(assertion.answer, Answer::Requested);
                let values =
                    assertion.attributes.iter().find(|found| found.name == "groups").map(|found| found.values.clone());
                assert_eq!(
                    values,
                    Some(vec!["engineering".to_owned(), "O'Neil & <Söns>".to_owned()]),
                    "{}",
                    case["name"]
                );
                None
            }
            Err(refused) => Some(refused.name()),
        };
        if told != case["refused"].as_str() {
            wrong.push(format!("{}: {told:?} ({outcome:?}), not {}", case["name"], case["refused"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(cases.len() > 100, "{} cases", cases.len());
}
