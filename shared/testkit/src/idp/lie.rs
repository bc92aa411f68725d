//! What the provider can be told to do wrong. One knob per attack or outage.

/// One way to misbehave. Told with [`super::FakeOidcIdp::lie`], several at once if need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lie {
    /// The ID token has another nonce.
    WrongNonce,
    /// The ID token has no nonce.
    NoNonce,
    /// The ID token expired an hour ago.
    Expired,
    /// The ID token was issued an hour from now.
    IssuedInTheFuture,
    /// The ID token names another issuer.
    WrongIssuer,
    /// The ID token is for another client.
    WrongAudience,
    /// The ID token has an empty subject.
    EmptySubject,
    /// The ID token does not say when the person signed in.
    NoAuthTime,
    /// The ID token's `at_hash` belongs to another access token.
    WrongAccessTokenHash,
    /// The ID token is not signed: `alg` is `none`.
    AlgNone,
    /// The ID token is an HMAC with the published key as its secret (RFC 8725 §2.1).
    HmacWithPublicKey,
    /// The ID token names a key that is in no key set.
    UnknownKid,
    /// The ID token names the published key and is signed with another.
    OtherKey,
    /// One bit of the ID token's signature is flipped.
    DamagedSignature,
    /// Userinfo speaks of another subject (OpenID Connect Core §5.3.2).
    UserinfoOtherSubject,
    /// Userinfo is a signed token, with the key and the lies of ID tokens. Honest enough, but not what is usual.
    SignedUserinfo,
    /// Signed userinfo carries the signature of something else.
    UserinfoForged,
    /// Neither ID token nor userinfo has an e-mail address.
    MissingEmail,
    /// The address is there, and `email_verified` is false.
    UnverifiedEmail,
    /// The discovery document names another issuer.
    DiscoveryOtherIssuer,
    /// Discovery answers 500.
    DiscoveryDown,
    /// The key set answers 500.
    JwksDown,
    /// The token endpoint answers 500.
    TokenEndpointFails,
    /// In process, no answer comes in time.
    TimesOut,
    /// Refresh tokens stay good, and none comes with new tokens. Honest, and usual where clients are confidential.
    NoRotation,
    /// No ID token comes with new tokens (OpenID Connect Core §12.2 allows it).
    NoIdTokenOnRefresh,
    /// The redirect back names another issuer (RFC 9207).
    CallbackOtherIssuer,
    /// The redirect back names no issuer although discovery promises it.
    CallbackWithoutIssuer,
    /// The redirect back says that the person declined.
    AccessDenied,
}
