//! XML Encryption as a provider does it: a new content key, wrapped for whoever has a certificate.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use base64::{Engine, engine::general_purpose::STANDARD};
use vestibule_protocol::jose::KeyMaterial;
use vestibule_protocol::saml::Certificate;

/// An assertion, encrypted for the owner of a certificate: AES-256-GCM, and RSA-OAEP with SHA-1 as most providers have it.
pub fn encrypted_assertion(assertion: &str, recipient: &Certificate) -> String {
    let KeyMaterial::Rsa { n, e } = recipient.key.material() else { panic!("encryption is with RSA") };
    let public: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into().expect("a key");
    let public = OaepPublicEncryptingKey::new(public).expect("a key");
    let (key, nonce) = ([7; 32], [9; 12]);
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None).expect("it is wrapped");
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).expect("a key"));
    let mut data = assertion.as_bytes().to_vec();
    let tag = cipher.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut data);
    let sealed = [nonce.as_slice(), &data, tag.expect("it is sealed").as_ref()].concat();
    let value = |bytes: &[u8]| {
        format!("<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>", STANDARD.encode(bytes))
    };
    let method = |name: &str| format!("<xenc:EncryptionMethod Algorithm=\"{name}\"></xenc:EncryptionMethod>");
    let wrapped = format!(
        "<xenc:EncryptedKey>{}{}</xenc:EncryptedKey>",
        method("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"),
        value(&wrapped)
    );
    let info = format!("<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">{wrapped}</ds:KeyInfo>");
    format!(
        "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"><xenc:EncryptedData \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">{}{info}{}</xenc:EncryptedData></saml:EncryptedAssertion>",
        method("http://www.w3.org/2009/xmlenc11#aes256-gcm"),
        value(&sealed)
    )
}
