//! A status list as somebody reads it who has the specification and nothing else (draft-ietf-oauth-status-list-21).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use miniz_oxide::inflate::decompress_to_vec_zlib;
use serde_json::Value;

/// A list, unpacked; its signature is not looked at.
pub struct Unpacked {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
    /// One bit a place, the lowest of each byte first.
    pub bytes: Vec<u8>,
}

impl Unpacked {
    /// Unpacks a signed list.
    pub fn of(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| BASE64URL.decode(part).expect("base64url"));
        let mut json = || serde_json::from_slice(&parts.next().expect("three parts")).expect("JSON");
        let (header, claims): (Value, Value) = (json(), json());
        assert_eq!(claims["status_list"]["bits"], 1);
        let packed = claims["status_list"]["lst"].as_str().expect("a list");
        let packed = BASE64URL.decode(packed).expect("base64url");
        let bytes = decompress_to_vec_zlib(&packed).expect("DEFLATE with the ZLIB header");
        Self { header, claims, bytes }
    }

    /// Whether the place is marked.
    pub fn is_revoked(&self, place: usize) -> bool {
        self.bytes[place / 8] >> (place % 8) & 1 == 1
    }

    /// How many places are marked.
    pub fn revoked(&self) -> u32 {
        self.bytes.iter().map(|byte| byte.count_ones()).sum()
    }
}

/// Place and address in the claims of an access token.
pub fn reference(claims: &Value) -> (usize, String) {
    let reference = &claims["status"]["status_list"];
    let place = reference["idx"].as_u64().and_then(|place| usize::try_from(place).ok());
    (place.expect("a place"), reference["uri"].as_str().expect("an address").to_owned())
}
