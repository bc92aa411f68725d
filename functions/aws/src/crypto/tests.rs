//! The vectors of the specifications, and signatures that must not count.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use super::*;

fn bytes(text: &str) -> Vec<u8> {
    BASE64.decode(text).expect("base64url")
}

/// RFC 7515 appendix A.3: the key, the signing input and the signature.
fn rfc7515_a3() -> (PublicKey, Vec<u8>, Vec<u8>) {
    let material = KeyMaterial::Ec {
        curve: EcCurve::P256,
        x: bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        y: bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    };
    let input = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    (PublicKey::new(material, None, None), input.to_vec(), bytes(signature))
}

/// RFC 7515 appendix A.2: RSASSA-PKCS1-v1_5 with SHA-256.
fn rfc7515_a2() -> (PublicKey, Vec<u8>, Vec<u8>) {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let material = KeyMaterial::Rsa { n: bytes(n), e: bytes("AQAB") };
    let input = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    (PublicKey::new(material, None, None), input.to_vec(), bytes(signature))
}

/// RFC 8037 appendix A.4 and A.5.
fn rfc8037_a4() -> (PublicKey, Vec<u8>, Vec<u8>) {
    let material = KeyMaterial::Ed25519 { x: bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo") };
    let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    (PublicKey::new(material, None, None), input.to_vec(), bytes(signature))
}

/// The private half of RFC 8037 appendix A.1, in the PKCS #8 frame of RFC 8410 §7.
fn rfc8037_a1_private() -> PrivateKey {
    let frame = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let seed = bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let public = rfc8037_a4().0;
    PrivateKey { algorithm: Algorithm::EdDSA, pkcs8: Secret::new([frame.as_slice(), &seed].concat()), public }
}

#[tokio::test]
async fn the_vectors_of_the_specifications_verify_and_nothing_near_them_does() {
    let crypto = AwsLc::default();
    for (algorithm, (key, input, signature)) in
        [(Algorithm::ES256, rfc7515_a3()), (Algorithm::RS256, rfc7515_a2()), (Algorithm::EdDSA, rfc8037_a4())]
    {
        // Twice: the second time the key is remembered.
        for _ in 0..2 {
            crypto.verify(&key, algorithm, &input, &signature).await.expect("the vector");
        }
        let mut other_input = input.clone();
        other_input[0] ^= 1;
        let mut other_signature = signature.clone();
        other_signature[7] ^= 1;
        let mut longer = signature.clone();
        longer.push(0);
        let wrong: [(&[u8], &[u8]); 6] = [
            (&other_input, &signature),
            (&input, &other_signature),
            (&input, &longer),
            (&input, &signature[1..]),
            (&input, &[]),
            (&input, &vec![0; signature.len()]),
        ];
        for (input, signature) in wrong {
            let result = crypto.verify(&key, algorithm, input, signature).await;
            assert!(matches!(result, Err(CryptoError::BadSignature)), "{algorithm:?}: {result:?}");
        }
    }
}

#[tokio::test]
async fn ed25519_signs_the_specification_s_bytes() {
    let (_, input, signature) = rfc8037_a4();
    assert_eq!(AwsLc::default().sign(&rfc8037_a1_private(), &input).await.expect("signs"), signature);
}

#[tokio::test]
async fn a_generated_key_signs_for_its_public_half_only() {
    let crypto = AwsLc::default();
    for (algorithm, length) in [(Algorithm::ES256, 64), (Algorithm::EdDSA, 64), (Algorithm::RS256, 256)] {
        let key = crypto.generate(algorithm).await.expect("generates");
        let other = crypto.generate(algorithm).await.expect("generates");
        assert_ne!(key.id(), other.id());
        let signature = crypto.sign(&key, b"input").await.expect("signs");
        assert_eq!(signature.len(), length, "r || s, not DER; 2048 bits of RSA");
        // Another process has only the stored form.
        let elsewhere = AwsLc::default();
        elsewhere.verify(&key.public, algorithm, b"input", &signature).await.expect("verifies");
        let again = elsewhere.sign(&key, b"input").await.expect("signs from PKCS #8");
        crypto.verify(&key.public, algorithm, b"input", &again).await.expect("verifies");
        let result = crypto.verify(&other.public, algorithm, b"input", &signature).await;
        assert!(matches!(result, Err(CryptoError::BadSignature)), "{result:?}");
    }
    assert!(matches!(crypto.generate(Algorithm::PS256).await, Err(CryptoError::Unsupported(Algorithm::PS256))));
}

#[tokio::test]
async fn rsa_signs_and_every_rsa_algorithm_verifies() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::RsaSignatureEncoding;

    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("generates");
    let public = pair.public_key();
    // DER of a 2048-bit key with exponent 65537: 30 82 xx xx 02 82 01 01 00 <n> 02 03 <e> (RFC 8017 appendix A.1.1).
    let der = public.as_ref();
    let (n, e) = (der[9..265].to_vec(), der[267..].to_vec());
    let public = PublicKey::new(KeyMaterial::Rsa { n, e }, None, None);
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().expect("encodes");
    let crypto = AwsLc::default();

    let private =
        |algorithm| PrivateKey { algorithm, pkcs8: Secret::new(pkcs8.as_ref().to_vec()), public: public.clone() };
    let signature = crypto.sign(&private(Algorithm::RS256), b"input").await.expect("signs");
    crypto.verify(&public, Algorithm::RS256, b"input", &signature).await.expect("verifies");
    let refused = crypto.sign(&private(Algorithm::PS256), b"input").await;
    assert!(matches!(refused, Err(CryptoError::Unsupported(Algorithm::PS256))), "{refused:?}");

    let encodings: [(Algorithm, &'static RsaSignatureEncoding); 6] = [
        (Algorithm::RS256, &signature::RSA_PKCS1_SHA256),
        (Algorithm::RS384, &signature::RSA_PKCS1_SHA384),
        (Algorithm::RS512, &signature::RSA_PKCS1_SHA512),
        (Algorithm::PS256, &signature::RSA_PSS_SHA256),
        (Algorithm::PS384, &signature::RSA_PSS_SHA384),
        (Algorithm::PS512, &signature::RSA_PSS_SHA512),
    ];
    for (made_with, encoding) in encodings {
        let mut made = vec![0; 256];
        pair.sign(encoding, &SystemRandom::new(), b"input", &mut made).expect("signs");
        for (asked_for, _) in encodings {
            let result = crypto.verify(&public, asked_for, b"input", &made).await;
            assert_eq!(result.is_ok(), made_with == asked_for, "{made_with:?} as {asked_for:?}: {result:?}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let crypto = AwsLc::default();
    let (ec, input, signature) = rfc7515_a3();
    for algorithm in [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA] {
        let result = crypto.verify(&ec, algorithm, &input, &signature).await;
        assert!(matches!(result, Err(CryptoError::BadKey(_))), "{algorithm:?}: {result:?}");
    }
    // A point that is not on the curve (RFC 8725 §3.4).
    let off = KeyMaterial::Ec { curve: EcCurve::P256, x: vec![1; 32], y: vec![1; 32] };
    let result = crypto.verify(&PublicKey::new(off, None, None), Algorithm::ES256, &input, &signature).await;
    assert!(matches!(result, Err(CryptoError::BadKey(_))), "{result:?}");

    let mut broken = rfc8037_a1_private();
    broken.pkcs8 = Secret::new(vec![0; 48]);
    let result = crypto.sign(&broken, b"input").await;
    assert!(matches!(result, Err(CryptoError::BadKey(_))), "{result:?}");
}
