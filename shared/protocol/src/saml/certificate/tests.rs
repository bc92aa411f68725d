use super::*;
use crate::time::Seconds;

const NOW: Timestamp = Timestamp::from_seconds(1_751_094_000);

/// The numbers need not be a key's: nothing is signed here.
fn rsa(bytes: usize) -> PublicKey {
    PublicKey::new(KeyMaterial::Rsa { n: vec![0xc5; bytes], e: vec![1, 0, 1] }, None, None)
}

fn p256() -> PublicKey {
    PublicKey::new(KeyMaterial::Ec { curve: EcCurve::P256, x: vec![0x91; 32], y: vec![7; 32] }, None, None)
}

fn der(key: &PublicKey, ends: Timestamp) -> Vec<u8> {
    let subject = Subject { name: "sso.example", serial: [1; 16], starts: NOW, ends };
    let certificate = NewCertificate::new(&subject, key).unwrap();
    assert!(!certificate.input().is_empty());
    certificate.signed(&[0xab; 64]).unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    // After 2049 the year has four digits.
    for ends in [NOW + Seconds(86_400), Timestamp::from_seconds(2_840_140_800)] {
        for key in [rsa(256), rsa(512), p256()] {
            let certificate = Certificate::from_der(der(&key, ends)).unwrap();
            assert_eq!((certificate.key.id(), certificate.starts, certificate.ends), (key.id(), NOW, ends));
        }
    }
}

#[test]
fn pem_and_bare_base64_are_read() {
    let der = der(&p256(), NOW);
    let bare = base64(&der);
    let pem = format!("Issued by:\n-----BEGIN CERTIFICATE-----\r\n{bare}\r\n-----END CERTIFICATE-----\n");
    for text in [bare, pem] {
        assert_eq!(Certificate::read(&text).unwrap().der, der);
    }
}

/// A key that is too short, too long or of another kind is refused when it is brought, not when somebody signs in.
#[test]
fn only_keys_that_serve_are_taken() {
    for key in [rsa(128), rsa(255), rsa(1_025)] {
        assert_eq!(Certificate::from_der(der(&key, NOW)), Err(Refused::Key));
    }
    let ed25519 = PublicKey::new(KeyMaterial::Ed25519 { x: vec![1; 32] }, None, None);
    let subject = Subject { name: "x", serial: [1; 16], starts: NOW, ends: NOW };
    assert!(NewCertificate::new(&subject, &ed25519).is_none());
}

#[test]
fn what_is_no_certificate_is_refused() {
    let whole = der(&p256(), NOW);
    let cut = base64(whole.get(..whole.len() - 1).unwrap());
    for text in [
        "",
        "AAAA",
        "MII",
        "-----BEGIN CERTIFICATE-----\nAAAA",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        &cut,
    ] {
        assert_eq!(Certificate::read(text), Err(Refused::Certificate), "{text}");
    }
}
