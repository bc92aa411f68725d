//! What every platform's signatures must do, for each algorithm that we sign with, and how wrapped keys open. Like the store suite it needs no
//! runtime, so that it also runs inside a Worker.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule_core::platform::{Crypto, CryptoError, PrivateKey};
use vestibule_core::secret::Secret;
use vestibule_protocol::jose::{Algorithm, PrivateJwk, PublicKey};
use vestibule_protocol::saml::OaepHash;

use crate::store_conformance::Outcome;

/// The key of RFC 7515 appendix A.3.1.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

/// The key of RFC 8037 appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// The key of RFC 7515 appendix A.2.1.
const RSA: &str = concat!(
    r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS"#,
    "2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5r",
    "exMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF",
    r#"8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","d":"Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPE"#,
    "AeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFN",
    "S3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaF",
    r#"QT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ","p":"4BzEEOtIpmVdVEZ"#,
    "NCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7",
    r#"yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc","q":"uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpW"#,
    "mT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6",
    r#"689rjcJIDEz9RWdc","dp":"BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7"#,
    r#"Yz-FOKnu1R6HsJeDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0","dq":"h_96-mK1R"#,
    "_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnwgjMd2w9cjz3_-ky",
    r#"NlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU","qi":"IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-Dlcxy"#,
    "VuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A56",
    r#"03k2-ZQwVK0JKSHuLFkuQ3U"}"#,
);

/// `sixteen bytes ok`, encrypted for the RSA key above by another implementation (OpenSSL's).
const WRAPPED_SHA1: &str = concat!(
    "B80xE06RuOtjdMxWwdbXvWE6MfJcZ2Z5v-YBd_mH6JHGN0e7gEcB1wBggovqBGVULncLB96Lgty4k7p0qu5v72FGMFt3tu8yJBnUyi6jk-uVGx",
    "TBbKhhjkXQx45l2YX1iM4334czMoahlzAhEzJ8ftgr8zMtw2KOd9keTbIED6BmcfIDhT7f5WmnSZWjADb0jdnWChC0rVaELcpyQqmIt0Qa-edh",
    "XwxtM56RkBr6tzCwOd82cn2Uy_1dBYU66_KksAeE1BV2CdKYO4budRMoIdRW4FYvStzVr0ZfLbDRv44Cpn6b6o1Yn1UmmmfgAomWM3uAJ2TF6o",
    "YpSHTfxTYSUA",
);
const WRAPPED_SHA256: &str = concat!(
    "LgOC_sAB2kmwjidRdSqrviLOsN8rTbJOCyhhhEhL5hdlH587s0qhST7PX1iiajLW9UcGcjNjpFTHiTB1q9hZEdy4xDEo2j0YjFAJU8LXlXCcZa",
    "uhUHUS8Q81UiAlt8KVazfDm36P_vXGpWgurzbB7FJTTNPYihxe8hPimJLk3vNG8iXa-Oh2H8hU_kzd8XkqFxFSig-Ep_0QfjSzYqrQGnLeuz3z",
    "P8HRKJeh38vL2p15t6lmINs9itfu7dlK1adGLq1t7sR327q2DRVAsnrfhawgY6HEe9JL-pXlxRCbE_lDX5N-wG--OKhpF2Rn_npPgBGP633Dvr",
    "7-tbG8Z4gsDg",
);

/// The keys of the specifications, as somebody would import them.
pub const PRIVATE_JWKS: [(Algorithm, &str); 3] =
    [(Algorithm::ES256, EC), (Algorithm::RS256, RSA), (Algorithm::EdDSA, ED25519)];

/// Runs every case.
pub async fn run(crypto: &dyn Crypto) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for (algorithm, imported) in PRIVATE_JWKS {
        let (made, taken) = match algorithm {
            Algorithm::ES256 => ("a new ES256 key signs", "an imported ES256 key signs"),
            Algorithm::RS256 => ("a new RS256 key signs", "an imported RS256 key signs"),
            _ => ("a new EdDSA key signs", "an imported EdDSA key signs"),
        };
        outcomes.push(Outcome { name: made, result: new_key(crypto, algorithm).await });
        outcomes.push(Outcome { name: taken, result: imported_key(crypto, algorithm, imported).await });
    }
    for (name, hash, wrapped) in [
        ("what was wrapped with SHA-1 opens", OaepHash::Sha1, WRAPPED_SHA1),
        ("what was wrapped with SHA-256 opens", OaepHash::Sha256, WRAPPED_SHA256),
    ] {
        outcomes.push(Outcome { name, result: opens(crypto, hash, wrapped).await });
    }
    outcomes
}

/// A wrapped key opens with its hash alone, unchanged, and for its recipient.
async fn opens(crypto: &dyn Crypto, hash: OaepHash, wrapped: &str) -> Result<(), String> {
    let key = imported(Algorithm::RS256, RSA)?;
    let mut wrapped = URL_SAFE_NO_PAD.decode(wrapped).map_err(|error| error.to_string())?;
    let plain = crypto.decrypt(&key, hash, &wrapped).await.map_err(|error| error.to_string())?;
    if plain.expose() != b"sixteen bytes ok" {
        return Err("other bytes".to_owned());
    }
    let other_hash = if hash == OaepHash::Sha1 { OaepHash::Sha256 } else { OaepHash::Sha1 };
    let other_key = generate(crypto, Algorithm::RS256).await?;
    let tries = [crypto.decrypt(&key, other_hash, &wrapped).await, crypto.decrypt(&other_key, hash, &wrapped).await];
    if let Some(byte) = wrapped.get_mut(7) {
        *byte ^= 1;
    }
    for tried in tries.into_iter().chain([crypto.decrypt(&key, hash, &wrapped).await]) {
        if !matches!(tried, Err(CryptoError::BadCiphertext)) {
            return Err("what is not for this key opens".to_owned());
        }
    }
    Ok(())
}

async fn new_key(crypto: &dyn Crypto, algorithm: Algorithm) -> Result<(), String> {
    let (key, other) = (generate(crypto, algorithm).await?, generate(crypto, algorithm).await?);
    if key.id() == other.id() || !key.public.allows(algorithm) {
        return Err("two keys are one, or not of the algorithm".to_owned());
    }
    signs(crypto, &key).await?;
    let signature = crypto.sign(&key, b"input").await.map_err(|error| error.to_string())?;
    refused(crypto, &other.public, algorithm, b"input", &signature).await?;
    // A key that is remembered from before does not stand in for one that claims the same public half.
    let halves = PrivateKey { public: key.public.clone(), ..other };
    match crypto.sign(&halves, b"input").await {
        Ok(signature) => refused(crypto, &key.public, algorithm, b"input", &signature).await,
        Err(_) => Ok(()),
    }
}

async fn generate(crypto: &dyn Crypto, algorithm: Algorithm) -> Result<PrivateKey, String> {
    crypto.generate(algorithm).await.map_err(|error| error.to_string())
}

async fn imported_key(crypto: &dyn Crypto, algorithm: Algorithm, jwk: &str) -> Result<(), String> {
    signs(crypto, &imported(algorithm, jwk)?).await
}

fn imported(algorithm: Algorithm, jwk: &str) -> Result<PrivateKey, String> {
    let jwk: PrivateJwk = serde_json::from_str(jwk).map_err(|error| error.to_string())?;
    let (pkcs8, material) = jwk.to_pkcs8(algorithm).map_err(|error| error.problem().to_owned())?;
    let public = PublicKey::new(material, None, Some(algorithm));
    Ok(PrivateKey { algorithm, pkcs8: Secret::new(pkcs8), public })
}

/// What the key signs counts for its public half, and nothing near it does.
async fn signs(crypto: &dyn Crypto, key: &PrivateKey) -> Result<(), String> {
    let algorithm = key.algorithm;
    let mut signature = crypto.sign(key, b"input").await.map_err(|error| error.to_string())?;
    let expected = if algorithm == Algorithm::RS256 { 256 } else { 64 };
    if signature.len() != expected {
        return Err(format!("a signature has {} bytes", signature.len()));
    }
    let verified = crypto.verify(&key.public, algorithm, b"input", &signature).await;
    verified.map_err(|error| error.to_string())?;
    refused(crypto, &key.public, algorithm, b"other", &signature).await?;
    if let Some(byte) = signature.get_mut(7) {
        *byte ^= 1;
    }
    refused(crypto, &key.public, algorithm, b"input", &signature).await
}

async fn refused(
    crypto: &dyn Crypto,
    key: &PublicKey,
    algorithm: Algorithm,
    input: &[u8],
    signature: &[u8],
) -> Result<(), String> {
    match crypto.verify(key, algorithm, input, signature).await {
        Err(CryptoError::BadSignature) => Ok(()),
        other => Err(format!("a wrong signature: {other:?}")),
    }
}
