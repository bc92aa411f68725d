//! The promises of signatures and wrapped keys, on the platform of AWS and the native binary. Inside workerd the same suite runs behind
//! `POST /conformance`.

use vestibule_testkit::crypto_conformance::{PRIVATE_JWKS, run};
use vestibule_testkit::store_conformance::failures;
use vestibule_tests::platform::crypto;

#[tokio::test]
async fn aws_lc_keeps_the_promises_of_signatures() {
    let outcomes = run(&*crypto()).await;
    // Each algorithm with a new key and an imported one; and what is wrapped with each of two hashes.
    assert_eq!(outcomes.len(), PRIVATE_JWKS.len() * 2 + 2);
    assert_eq!(failures(&outcomes), None);
}
