use super::*;
use crate::jose::{EcCurve, KeyMaterial, PublicKey};
use crate::saml::{NewCertificate, Subject};
use crate::time::Seconds;

const NOW: Timestamp = Timestamp::from_seconds(1_751_094_000);

/// A certificate's base64. Of another number, it is another.
fn certificate(number: u8) -> String {
    let key = PublicKey::new(KeyMaterial::Ec { curve: EcCurve::P256, x: vec![number; 32], y: vec![7; 32] }, None, None);
    let subject = Subject { name: "idp", serial: [1; 16], starts: NOW, ends: NOW + Seconds(86_400) };
    super::super::certificate::base64(&NewCertificate::new(&subject, &key).unwrap().signed(&[1; 64]).unwrap())
}

fn key(usage: &str, number: u8) -> String {
    let usage = if usage.is_empty() { String::new() } else { format!(" use='{usage}'") };
    format!(
        "<m:KeyDescriptor{usage}><d:KeyInfo xmlns:d='{DSIG}'><d:X509Data><d:X509Certificate>\n{}\n\
         </d:X509Certificate></d:X509Data></d:KeyInfo></m:KeyDescriptor>",
        certificate(number)
    )
}

fn entity(id: &str, attributes: &str, keys: &str) -> String {
    format!(
        "<m:EntityDescriptor entityID='{id}' xmlns:m='{METADATA}'><m:IDPSSODescriptor{attributes} \
         protocolSupportEnumeration='urn:mace:shibboleth:1.0 {PROTOCOL}'>{keys}\
         <m:SingleLogoutService Binding='{REDIRECT}' Location='https://idp.example/slo' ResponseLocation='https://idp.example/slr'/>\
         <m:SingleSignOnService Binding='urn:oasis:names:tc:SAML:2.0:bindings:SOAP' Location='https://idp.example/soap'/>\
         <m:SingleSignOnService Binding='{POST}' Location=' https://idp.example/post '/>\
         <m:SingleSignOnService Binding='{REDIRECT}' Location='https://idp.example/redirect'/>\
         </m:IDPSSODescriptor></m:EntityDescriptor>"
    )
}

fn read(text: &str) -> Result<IdpMetadata, Refused> {
    IdpMetadata::read(text, None, NOW)
}

/// SA-17: every key that may sign counts, also while keys roll over.
#[test]
fn an_identity_provider_is_described() {
    let keys = [key("signing", 1), key("signing", 2), key("encryption", 3), key("", 4), key("signing", 1)].concat();
    let found = read(&entity("https://idp.example", " WantAuthnRequestsSigned='true'", &keys)).unwrap();
    let numbers: Vec<_> = found.certificates.iter().map(|certificate| certificate.key.material().clone()).collect();
    let x = |material: &KeyMaterial| matches!(material, KeyMaterial::Ec { x, .. } if [1, 2, 4].contains(&x[0]));
    assert_eq!((numbers.len(), numbers.iter().all(x)), (3, true));
    let places: Vec<_> = found.single_sign_on.iter().map(|place| (place.binding, place.location.as_str())).collect();
    let wanted = [(Binding::Post, "https://idp.example/post"), (Binding::Redirect, "https://idp.example/redirect")];
    assert_eq!(places, wanted);
    assert_eq!(found.single_logout[0].response_location.as_deref(), Some("https://idp.example/slr"));
    assert!(found.wants_signed_requests);
    assert_eq!((found.entity_id.as_str(), found.valid_until), ("https://idp.example", None));
}

#[test]
fn one_of_a_federation_is_meant() {
    let all = [entity("urn:a", "", &key("", 1)), entity("urn:b", "", &key("", 2))].concat();
    let nested = format!(
        "<m:EntitiesDescriptor xmlns:m='{METADATA}'><m:EntitiesDescriptor>{all}</m:EntitiesDescriptor></m:EntitiesDescriptor>"
    );
    assert_eq!(IdpMetadata::read(&nested, Some("urn:b"), NOW).unwrap().entity_id, "urn:b");
    assert_eq!(read(&nested), Err(Refused::Entity));
    assert_eq!(described(&nested), ["urn:a", "urn:b"]);
    assert_eq!(IdpMetadata::read(&nested, Some("urn:c"), NOW), Err(Refused::Entity));
}

/// SA-17: what is over is not used.
#[test]
fn the_innermost_end_counts() {
    let within = entity("urn:a", " validUntil='2025-06-28T08:00:00Z'", &key("", 1));
    let around = |end: &str| {
        format!("<m:EntitiesDescriptor xmlns:m='{METADATA}' validUntil='{end}'>{within}</m:EntitiesDescriptor>")
    };
    assert_eq!(read(&around("2025-06-28T09:00:00Z")).unwrap().valid_until, Some(NOW + Seconds(3_600)));
    assert_eq!(read(&around("2025-06-28T07:30:00Z")).unwrap().valid_until, Some(NOW + Seconds(1_800)));
    assert_eq!(read(&around("2025-06-28T06:59:59Z")), Err(Refused::MetadataExpired));
    assert_eq!(read(&around("soon")), Err(Refused::Instant));
}

#[test]
fn what_describes_no_identity_provider_is_refused() {
    let good = entity("urn:a", "", &key("", 1));
    for (text, refused) in [
        (good.replace("IDPSSODescriptor", "SPSSODescriptor"), Refused::Entity),
        (good.replace(PROTOCOL, "urn:oasis:names:tc:SAML:1.1:protocol"), Refused::Entity),
        (good.replace("entityID='urn:a'", ""), Refused::Entity),
        (entity("urn:a", "", ""), Refused::Shape("1 to 16 signing certificates")),
        (entity("urn:a", "", &key("encryption", 1)), Refused::Shape("1 to 16 signing certificates")),
        (
            entity("urn:a", "", &(1..=17).map(|number| key("", number)).collect::<String>()),
            Refused::Shape("1 to 16 signing certificates"),
        ),
        (good.replace(&certificate(1), "AAAA"), Refused::Certificate),
        (format!("<!DOCTYPE m>{good}"), Refused::Doctype),
        ("<html>Not found</html>".to_owned(), Refused::Entity),
        ("Not found".to_owned(), Refused::Malformed),
    ] {
        assert_eq!(read(&text), Err(refused), "{text}");
    }
}
