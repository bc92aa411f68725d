//! A verifier beside an issuer in process, which serves what a test wants it to.

#[cfg(test)]
mod verify {
    mod issuer;
    #[cfg(all(feature = "axum", feature = "tower"))]
    mod layers;
    mod status;
    mod tokens;
}
