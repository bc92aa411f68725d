//! What must hold for whatever strangers send. Each target takes any bytes and panics when a promise is broken;
//! `cargo xtask fuzz` lets libFuzzer look for such bytes, the test below runs the seeds in `seeds/` on every test run.
//!
//! The broker that the targets talk to is the real router over the store in memory. Only signatures are not made: none
//! ever verifies, so nothing that is sent may be taken for one of ours.

mod authorization;
mod cookies;
mod handles;
mod mapping_paths;
mod saml;
mod scim_filter;
mod scim_patch;
mod tokens;
mod world;

pub use authorization::authorization;
pub use cookies::cookies;
pub use handles::handles;
pub use mapping_paths::mapping_paths;
pub use saml::saml;
pub use scim_filter::scim_filter;
pub use scim_patch::scim_patch;
pub use tokens::tokens;

/// Changes a text as the bytes say: pairs of a position and what is put there in its place. A last byte without a
/// partner shortens it. `None` when it stays the same, or is no text any more.
fn changed(text: &str, how: &[u8]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for pair in how.chunks(2) {
        match *pair {
            [at, value] => {
                // A byte reaches 256 positions only: spread over all of them.
                let at = usize::from(at) * bytes.len() / 256;
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            [by] => bytes.truncate(bytes.len().saturating_sub(usize::from(by))),
            _ => {}
        }
    }
    String::from_utf8(bytes).ok().filter(|changed| changed != text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_target_holds_for_its_seeds() {
        type Target = fn(&[u8]);
        let targets: [(&str, Target); 8] = [
            ("authorization", authorization),
            ("cookies", cookies),
            ("handles", handles),
            ("mapping_paths", mapping_paths),
            ("saml", saml),
            ("scim_filter", scim_filter),
            ("scim_patch", scim_patch),
            ("tokens", tokens),
        ];
        for (name, target) in targets {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
            let mut seeds = 0;
            for seed in std::fs::read_dir(folder).expect("seeds") {
                let seed = std::fs::read(seed.expect("a seed").path()).expect("a seed");
                target(&seed);
                seeds += 1;
            }
            assert!(seeds > 0, "{name} has no seed");
            target(b"");
            target(&[0xff; 300]);
        }
    }

    #[test]
    fn a_changed_text_is_another_one() {
        assert_eq!(changed("abcd", &[]), None);
        assert_eq!(changed("abcd", b"\0a"), None, "the same letter at the same place");
        assert_eq!(changed("abcd", b"\0x").as_deref(), Some("xbcd"));
        assert_eq!(changed("abcd", b"\xffx\x01").as_deref(), Some("abc"));
        assert_eq!(changed("abcd", b"\0\xff"), None, "no text");
    }
}
