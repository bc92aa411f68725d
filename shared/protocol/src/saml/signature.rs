//! The one form of an XML signature that SAML allows (saml-core §5.4): enveloped, about the element that it is in,
//! exclusively canonicalised.
//!
//! The digest is compared here. The signature value is checked by the platform, with the connection's own certificates:
//! what `KeyInfo` says is never looked at.

use roxmltree::Node;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::canonical::{self, Method};
use super::uri::{
    DSIG, ECDSA_SHA256, ENVELOPED, EXCLUSIVE, EXCLUSIVE_COMMENTS, RSA_SHA256, SHA1, SHA256, SHA384, SHA512,
};
use super::{Refused, xml};
use crate::jose::{Algorithm, KeyMaterial, PublicKey};

/// An element and the signature about it. What it says is out of reach until the signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    algorithm: Algorithm,
    input: String,
    signature: Vec<u8>,
    content: String,
}

impl Signed {
    /// With what it was signed.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What was signed: the canonical `SignedInfo`.
    pub const fn input(&self) -> &[u8] {
        self.input.as_bytes()
    }

    /// The signature; ECDSA as `r || s`.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The signed element in its canonical form, without the signature. Call it when the platform has verified the
    /// signature with a key of the connection's.
    pub fn into_content(self) -> String {
        self.content
    }
}

/// Whether `key` can have made a signature.
pub fn fits(key: &PublicKey, algorithm: Algorithm, signature: &[u8]) -> bool {
    let length = match key.material() {
        KeyMaterial::Ec { curve, .. } => 2 * curve.coordinate_len(),
        KeyMaterial::Rsa { n, .. } => n.len(),
        KeyMaterial::Ed25519 { .. } => return false,
    };
    key.allows(algorithm) && signature.len() == length
}

/// The signature that is directly in `element`, if there is one; its digest is right.
pub(super) fn read(element: Node<'_, '_>) -> Result<Option<Signed>, Refused> {
    let Some(signature) = xml::one(element, DSIG, "Signature")? else { return Ok(None) };
    let mut parts = xml::elements(signature);
    let (info, value) = match (parts.next(), parts.next()) {
        (Some(info), Some(value)) if xml::is(info, DSIG, "SignedInfo") && xml::is(value, DSIG, "SignatureValue") => {
            (info, value)
        }
        _ => return Err(Refused::SignatureShape("SignedInfo and SignatureValue, in this order")),
    };
    if parts.any(|part| !xml::is(part, DSIG, "KeyInfo")) || signature.children().any(|child| child.is_comment()) {
        return Err(Refused::SignatureShape("nothing but SignedInfo, SignatureValue and KeyInfo"));
    }
    if xml::all(signature, DSIG, "KeyInfo").count() > 1 {
        return Err(Refused::SignatureShape("KeyInfo is there twice"));
    }
    let [canonicalization, method, reference] =
        children(info, ["CanonicalizationMethod", "SignatureMethod", "Reference"])?;
    let exclusive = exclusive(canonicalization)?.ok_or(Refused::SignatureShape("exclusive canonicalization"))?;
    if xml::elements(method).next().is_some() {
        return Err(Refused::SignatureShape("SignatureMethod has a parameter"));
    }
    let algorithm = algorithm(xml::attribute(method, "Algorithm").unwrap_or_default())?;
    let content = referenced(element, signature, reference)?;
    let (input, signature) = (canonical::write(info, None, &exclusive), xml::bytes(value)?);
    Ok(Some(Signed { algorithm, input, signature, content }))
}

/// The elements of these names, and nothing else.
fn children<'a, 'input, const N: usize>(
    node: Node<'a, 'input>,
    names: [&'static str; N],
) -> Result<[Node<'a, 'input>; N], Refused> {
    let found: Vec<_> = xml::elements(node).collect();
    let fits = found.len() == N && found.iter().zip(names).all(|(child, name)| xml::is(*child, DSIG, name));
    if !fits {
        return Err(Refused::SignatureShape(names.first().copied().unwrap_or_default()));
    }
    found.try_into().map_err(|_| Refused::SignatureShape("SignedInfo"))
}

/// The canonical form of `element` as the reference describes it, if its digest is the one that was signed.
fn referenced(element: Node<'_, '_>, signature: Node<'_, '_>, reference: Node<'_, '_>) -> Result<String, Refused> {
    let id = xml::attribute(element, "ID").filter(|id| !id.is_empty()).ok_or(Refused::Reference)?;
    if xml::attribute(reference, "URI").and_then(|uri| uri.strip_prefix('#')) != Some(id) {
        return Err(Refused::Reference);
    }
    let [transforms, method, value] = children(reference, ["Transforms", "DigestMethod", "DigestValue"])?;
    let transforms: Vec<_> = xml::elements(transforms).collect();
    let [first, second] = *transforms.as_slice() else { return Err(Refused::Transform) };
    let is_enveloped = xml::is(first, DSIG, "Transform") && xml::attribute(first, "Algorithm") == Some(ENVELOPED);
    if !is_enveloped || xml::elements(first).next().is_some() || !xml::is(second, DSIG, "Transform") {
        return Err(Refused::Transform);
    }
    let exclusive = exclusive(second)?.ok_or(Refused::Transform)?;
    let content = canonical::write(element, Some(signature), &exclusive);
    let digest = match xml::attribute(method, "Algorithm") {
        Some(SHA256) => Sha256::digest(&content).to_vec(),
        Some(SHA384) => Sha384::digest(&content).to_vec(),
        Some(SHA512) => Sha512::digest(&content).to_vec(),
        Some(SHA1) => return Err(Refused::Sha1),
        _ => return Err(Refused::SignatureAlgorithm),
    };
    if digest.ct_eq(&xml::bytes(value)?).into() { Ok(content) } else { Err(Refused::Digest) }
}

/// How a method or transform canonicalises, if it does so exclusively.
fn exclusive(node: Node<'_, '_>) -> Result<Option<Method>, Refused> {
    let comments = match xml::attribute(node, "Algorithm") {
        Some(EXCLUSIVE) => false,
        Some(EXCLUSIVE_COMMENTS) => true,
        _ => return Ok(None),
    };
    let mut parameters = xml::elements(node);
    let inclusive = match (parameters.next(), parameters.next()) {
        (None, _) => Vec::new(),
        (Some(list), None) if xml::is(list, EXCLUSIVE, "InclusiveNamespaces") => {
            let prefixes = xml::attribute(list, "PrefixList").unwrap_or_default().split(xml::is_space);
            let prefixes = prefixes.filter(|prefix| !prefix.is_empty());
            prefixes.map(|prefix| if prefix == "#default" { String::new() } else { prefix.to_owned() }).collect()
        }
        _ => return Err(Refused::SignatureShape("canonicalization has a parameter that is not known")),
    };
    Ok(Some(Method { comments, inclusive }))
}

/// The algorithm by its name in XML Signature (RFC 9231), which is also its name in the redirect binding
/// (saml-bindings §3.4.4.1).
pub(super) fn algorithm(name: &str) -> Result<Algorithm, Refused> {
    Ok(match name {
        RSA_SHA256 => Algorithm::RS256,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => Algorithm::RS384,
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => Algorithm::RS512,
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1" => Algorithm::PS256,
        "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1" => Algorithm::PS384,
        "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1" => Algorithm::PS512,
        ECDSA_SHA256 => Algorithm::ES256,
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => Algorithm::ES384,
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1" | "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1" => {
            return Err(Refused::Sha1);
        }
        _ => return Err(Refused::SignatureAlgorithm),
    })
}
