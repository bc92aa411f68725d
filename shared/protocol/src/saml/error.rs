//! Why a message is refused: one name for each reason, for logs, audit events and the check of a connection.

/// Why something in SAML is refused. The texts are for an administrator; none of them quotes the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    // What arrived is no message.
    /// Longer than a message may be.
    #[error("the message is too large")]
    TooLarge,
    /// Base64, DEFLATE or UTF-8 that is none.
    #[error("the message is not encoded as its binding says")]
    Encoding,
    /// A document type declaration, with or without entities.
    #[error("the message has a document type declaration")]
    Doctype,
    /// A processing instruction.
    #[error("the message has a processing instruction")]
    ProcessingInstruction,
    /// Elements are nested deeper, or are more, than a message needs.
    #[error("the message is nested too deeply or has too many elements")]
    TooComplex,
    /// Not well-formed.
    #[error("the message is not well-formed XML")]
    Malformed,
    /// Two elements have the same id.
    #[error("two elements of the message have the same ID")]
    DuplicateId,
    /// Another element than expected, one that is missing, or one too many; says which.
    #[error("the message is not as SAML describes it: {0}")]
    Shape(&'static str),

    // Signatures.
    /// Neither the response nor the assertion is signed.
    #[error("neither the response nor the assertion is signed")]
    Unsigned,
    /// A signature in another form than SAML's profile of XML Signature (saml-core §5.4).
    #[error("the signature is not as SAML describes it: {0}")]
    SignatureShape(&'static str),
    /// The signature covers something else than the element that it is in.
    #[error("the signature is not about the element that it is in")]
    Reference,
    /// A transform other than enveloped-signature and exclusive canonicalization.
    #[error("the signature uses a transform that is not accepted")]
    Transform,
    /// SHA-1, in a digest or in a signature.
    #[error("the signature uses SHA-1: set the identity provider to SHA-256")]
    Sha1,
    /// An algorithm that is not accepted, HMAC among them.
    #[error("the signature uses an algorithm that is not accepted: set the identity provider to RSA-SHA256")]
    SignatureAlgorithm,
    /// The content is not what was signed.
    #[error("the message was changed after it was signed")]
    Digest,
    /// None of the connection's certificates made the signature.
    #[error("the signature was not made with a certificate of this connection")]
    Signature,

    // Encryption.
    /// RSA 1.5, 3DES, or something else that is not accepted.
    #[error(
        "the message is encrypted in a way that is not accepted: set the identity provider to AES-GCM and RSA-OAEP"
    )]
    EncryptionAlgorithm,
    /// AES-CBC where nothing vouches for the ciphertext.
    #[error(
        "AES-CBC is accepted in a signed response only: set the identity provider to AES-GCM, or let it sign the response"
    )]
    UnauthenticatedCipher,
    /// It cannot be decrypted. Always the same words, whatever went wrong.
    #[error("the message cannot be decrypted")]
    Decryption,

    // Meaning.
    /// Another version than 2.0.
    #[error("the message is not of SAML 2.0")]
    Version,
    /// The identity provider reports a failure.
    #[error("the identity provider reports that the sign-in failed")]
    Status,
    /// From another identity provider than the connection's.
    #[error("the issuer is not the entity id of this connection's identity provider")]
    Issuer,
    /// For another address than the one it came to.
    #[error("the message is for another address: compare the assertion consumer service URL at the identity provider")]
    Destination,
    /// For another service provider.
    #[error("the assertion is for another audience: compare the entity id at the identity provider")]
    Audience,
    /// A condition that is not known.
    #[error("the assertion has a condition that is not known")]
    Condition,
    /// Nothing confirms that its bearer is its subject.
    #[error("the assertion has no bearer confirmation for this address")]
    Confirmation,
    /// Not yet valid.
    #[error("the assertion is not valid yet: compare the clocks")]
    NotYet,
    /// Not valid any more.
    #[error("the assertion has expired: compare the clocks")]
    Expired,
    /// Answers another request than this browser's.
    #[error("the response does not answer the request of this browser")]
    InResponseTo,
    /// No request, where the connection wants one.
    #[error("the response answers no request, and the connection does not accept that")]
    Unsolicited,
    /// Says that it answers a request, where none was made.
    #[error("the response came without a request but names one: at Rippling, tick \"Disable InResponseTo field\"")]
    DummyInResponseTo,
    /// Used before.
    #[error("the assertion, or the request that it answers, was used before")]
    Replayed,
    /// No authentication statement.
    #[error("the assertion does not say that anybody signed in")]
    Statement,
    /// A name identifier that is empty, too long, or for somebody else.
    #[error("the assertion names nobody: set a NameID at the identity provider")]
    NameId,
    /// Another name at each sign-in, where it should be the person's for good.
    #[error(
        "the NameID is transient, another at each sign-in: set another format at the identity provider, or another unique_id_claim"
    )]
    Transient,
    /// An attribute that is there twice, or holds what is no value.
    #[error("an attribute of the assertion cannot be read")]
    Attribute,
    /// A point in time that is none.
    #[error("a time in the message cannot be read")]
    Instant,

    // Metadata and certificates.
    /// A certificate that cannot be read.
    #[error("a certificate cannot be read")]
    Certificate,
    /// An RSA key below 2048 bits, or a key of another kind.
    #[error("a certificate's key is not accepted: RSA of 2048 bits or more, or ECDSA on P-256 or P-384")]
    Key,
    /// The metadata is over.
    #[error("the metadata has expired")]
    MetadataExpired,
    /// Nobody in the metadata is meant, or more than one.
    #[error("the metadata does not describe exactly one identity provider of that entity id")]
    Entity,
}

impl Refused {
    /// The reason's name, stable: what logs, audit events and tests compare.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Encoding => "encoding",
            Self::Doctype => "doctype",
            Self::ProcessingInstruction => "processing_instruction",
            Self::TooComplex => "too_complex",
            Self::Malformed => "malformed",
            Self::DuplicateId => "duplicate_id",
            Self::Shape(_) => "shape",
            Self::Unsigned => "unsigned",
            Self::SignatureShape(_) => "signature_shape",
            Self::Reference => "reference",
            Self::Transform => "transform",
            Self::Sha1 => "sha1",
            Self::SignatureAlgorithm => "signature_algorithm",
            Self::Digest => "digest",
            Self::Signature => "signature",
            Self::EncryptionAlgorithm => "encryption_algorithm",
            Self::UnauthenticatedCipher => "unauthenticated_cipher",
            Self::Decryption => "decryption",
            Self::Version => "version",
            Self::Status => "status",
            Self::Issuer => "issuer",
            Self::Destination => "destination",
            Self::Audience => "audience",
            Self::Condition => "condition",
            Self::Confirmation => "confirmation",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::InResponseTo => "in_response_to",
            Self::Unsolicited => "unsolicited",
            Self::DummyInResponseTo => "dummy_in_response_to",
            Self::Replayed => "replayed",
            Self::Statement => "statement",
            Self::NameId => "name_id",
            Self::Transient => "transient",
            Self::Attribute => "attribute",
            Self::Instant => "instant",
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::MetadataExpired => "metadata_expired",
            Self::Entity => "entity",
        }
    }
}
