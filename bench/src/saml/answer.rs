//! The identity provider of W10 and W11, which makes responses: about as long as Entra ID's for somebody in twenty groups.

use anyhow::{Context, Result, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use vestibule_aws::crypto::AwsLc;
use vestibule_aws::{SystemClock, SystemRandom};
use vestibule_core::handle::new_id;
use vestibule_core::platform::{Clock, Crypto, PrivateKey, Random};
use vestibule_protocol::jose::{Algorithm, KeyMaterial};
use vestibule_protocol::saml::{Certificate, NewCertificate, Subject, ToSign, write_instant};
use vestibule_protocol::time::Seconds;

/// Its entity id.
pub(super) const ISSUER: &str = "https://idp.example/entity";
/// An hour: responses are made before they are measured.
const LIFE: Seconds = Seconds(3600);
const GROUPS: usize = 20;

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SAMLP: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
const CLAIMS: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

/// How a response is protected.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// The assertion is signed.
    OneSignature,
    /// The assertion is signed and encrypted by AES-256-GCM, and the response signed.
    TwiceAndEncrypted,
}

/// What a response answers, and for whom.
pub(super) struct Answer<'a> {
    /// The id of the request.
    pub(super) request: &'a str,
    /// Where it goes.
    pub(super) acs: &'a str,
    /// For whom the assertion is.
    pub(super) audience: &'a str,
    /// Which person.
    pub(super) person: usize,
}

/// The provider.
pub(super) struct Provider {
    /// Its certificate: base64 of DER.
    pub(super) certificate: String,
    crypto: AwsLc,
    key: PrivateKey,
    encrypt_for: Option<OaepPublicEncryptingKey>,
}

impl Provider {
    /// One with a new key.
    pub(super) async fn new() -> Result<Self> {
        let crypto = AwsLc::default();
        let key = crypto.generate(Algorithm::RS256).await?;
        let now = SystemClock.now();
        let subject = Subject { name: "idp.example", serial: [1; 16], starts: now, ends: now + Seconds(86_400) };
        let certificate = NewCertificate::new(&subject, &key.public).context("an RSA key")?;
        let signature = crypto.sign(&key, certificate.input()).await?;
        let certificate = BASE64.encode(certificate.signed(&signature).context("a certificate")?);
        Ok(Self { certificate, crypto, key, encrypt_for: None })
    }

    /// Encrypts for this certificate from now on.
    pub(super) fn encrypts_for(&mut self, certificate: &Certificate) -> Result<()> {
        let KeyMaterial::Rsa { n, e } = certificate.key.material() else { bail!("not an RSA key") };
        let key: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into()?;
        self.encrypt_for = Some(OaepPublicEncryptingKey::new(key)?);
        Ok(())
    }

    /// A response in this shape, canonical as it is written.
    pub(super) async fn respond(&self, answer: &Answer<'_>, shape: Shape) -> Result<String> {
        let now = SystemClock.now();
        let (id, assertion_id) = (unique(), unique());
        let signed = self.sign(assertion(answer, &assertion_id), &assertion_id).await?;
        let content = match shape {
            Shape::OneSignature => signed,
            Shape::TwiceAndEncrypted => self.encrypted(&signed)?,
        };
        let response = format!(
            "<samlp:Response xmlns:samlp=\"{SAMLP}\" Destination=\"{}\" ID=\"{id}\" InResponseTo=\"{}\" IssueInstant=\"{}\" \
             Version=\"2.0\"><saml:Issuer xmlns:saml=\"{SAML}\">{ISSUER}</saml:Issuer><samlp:Status><samlp:StatusCode \
             Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode></samlp:Status>{content}\
             </samlp:Response>",
            answer.acs,
            answer.request,
            write_instant(now),
        );
        match shape {
            Shape::OneSignature => Ok(response),
            Shape::TwiceAndEncrypted => self.sign(response, &id).await,
        }
    }

    async fn sign(&self, xml: String, id: &str) -> Result<String> {
        let to_sign = ToSign::new(xml, id, Algorithm::RS256).context("an algorithm of SAML's")?;
        let signature = self.crypto.sign(&self.key, to_sign.input()).await?;
        // What a provider sends holds its certificate, too; nobody believes it, and everybody reads past it.
        let info = format!(
            "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
            self.certificate
        );
        let end = "</ds:SignatureValue>";
        Ok(to_sign.signed(&signature).replacen(end, &format!("{end}{info}"), 1))
    }

    /// An element in an `EncryptedAssertion`, by AES-256-GCM under a key of its own.
    fn encrypted(&self, element: &str) -> Result<String> {
        let (mut key, mut nonce) = ([0; 32], [0; 12]);
        SystemRandom.fill(&mut key);
        SystemRandom.fill(&mut nonce);
        let aes = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key)?);
        let mut sealed = element.as_bytes().to_vec();
        aes.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)?;
        let recipient = self.encrypt_for.as_ref().context("nobody to encrypt for")?;
        let mut wrapped = vec![0; recipient.ciphertext_size()];
        let wrapped = recipient.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)?;
        let (wrapped, data) = (BASE64.encode(wrapped), BASE64.encode([nonce.as_slice(), &sealed].concat()));
        Ok(format!(
            "<saml:EncryptedAssertion xmlns:saml=\"{SAML}\"><xenc:EncryptedData xmlns:xenc=\"{XENC}\" \
             Type=\"{XENC}Element\"><xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2009/xmlenc11#aes256-gcm\">\
             </xenc:EncryptionMethod><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey>\
             <xenc:EncryptionMethod Algorithm=\"{XENC}rsa-oaep-mgf1p\"></xenc:EncryptionMethod><xenc:CipherData>\
             <xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>\
             <xenc:CipherData><xenc:CipherValue>{data}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>\
             </saml:EncryptedAssertion>"
        ))
    }
}

/// An id as XML wants it.
fn unique() -> String {
    format!("_{}", new_id(&SystemRandom))
}

/// The assertion, unsigned.
fn assertion(Answer { request, acs, audience, person }: &Answer<'_>, id: &str) -> String {
    let now = SystemClock.now();
    let (begins, issued, ends) = (write_instant(now - Seconds(60)), write_instant(now), write_instant(now + LIFE));
    let address = format!("person-{person}@corp.example");
    let attribute = |name: &str, values: &[String]| {
        let value = |value: &String| format!("<saml:AttributeValue>{value}</saml:AttributeValue>");
        let values = values.iter().map(value).collect::<Vec<_>>().concat();
        format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
    };
    let groups: Vec<_> = (0..GROUPS).map(|number| format!("5b0f2f6e-36a5-4c1e-9d7a-{number:012}")).collect();
    let attributes = [
        attribute(
            "http://schemas.microsoft.com/identity/claims/tenantid",
            &["9c1d4a52-0b7e-4f0e-8a55-0123456789ab".to_owned()],
        ),
        attribute("http://schemas.microsoft.com/identity/claims/objectidentifier", &[format!("object-{person}")]),
        attribute("http://schemas.microsoft.com/identity/claims/displayname", &["A Person".to_owned()]),
        attribute(&format!("{CLAIMS}/givenname"), &["A".to_owned()]),
        attribute(&format!("{CLAIMS}/surname"), &["Person".to_owned()]),
        attribute(&format!("{CLAIMS}/emailaddress"), std::slice::from_ref(&address)),
        attribute(&format!("{CLAIMS}/name"), std::slice::from_ref(&address)),
        attribute("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups", &groups),
    ];
    format!(
        "<saml:Assertion xmlns:saml=\"{SAML}\" ID=\"{id}\" IssueInstant=\"{issued}\" Version=\"2.0\">\
         <saml:Issuer>{ISSUER}</saml:Issuer><saml:Subject><saml:NameID \
         Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\">{address}</saml:NameID>\
         <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
         InResponseTo=\"{request}\" NotOnOrAfter=\"{ends}\" Recipient=\"{acs}\"></saml:SubjectConfirmationData>\
         </saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore=\"{begins}\" NotOnOrAfter=\"{ends}\">\
         <saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>\
         <saml:AttributeStatement>{}</saml:AttributeStatement><saml:AuthnStatement AuthnInstant=\"{issued}\" \
         SessionIndex=\"{id}\"><saml:AuthnContext><saml:AuthnContextClassRef>\
         urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>\
         </saml:AuthnStatement></saml:Assertion>",
        attributes.concat(),
    )
}
