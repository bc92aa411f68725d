//! What teams and business units can be called.
//!
//! A name has 1 to 36 characters: letters and digits of any script, `-` and `_`. Whatever a directory calls a group is
//! brought into that form:
//!
//! 1. Every run of other characters becomes one `-`; a `-` at either end goes.
//! 2. If that changed nothing, and the name is short enough, it stays as it is.
//! 3. Otherwise two different texts could meet. So the name is cut to 26 characters, and `--` and eight characters are
//!    appended: the first 40 bits of the SHA-256 of the text, in lower case, in base32.
//! 4. A text that looks as if it came of step 3 goes through it too: nobody can call a group what another becomes.
//!
//! So a name depends on its own text and on no other, two texts that differ in more than case never share one (but for
//! hashes that meet), and upper and lower case are kept though they do not tell names apart.

use sha2::{Digest, Sha256};

use super::fold;

/// Longest name, in characters.
pub const MAX_CHARACTERS: usize = 36;
const MARK: &str = "--";
const HASH_CHARACTERS: usize = 8;

/// Whether a text is a name as it is.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && normalised(text) == text
}

/// The name of a team or business unit that a directory calls so. `text` is trimmed.
pub fn normalised(text: &str) -> String {
    let plain = plain(text);
    if plain == text && plain.chars().count() <= MAX_CHARACTERS && !is_marked(text) {
        return plain;
    }
    let length = MAX_CHARACTERS - MARK.len() - HASH_CHARACTERS;
    let cut: String = plain.chars().take(length).collect();
    // Of a text of which nothing is left, the hash alone tells.
    let stem = if cut.is_empty() { "x" } else { cut.trim_end_matches('-') };
    format!("{stem}{MARK}{}", hash(text))
}

fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.chars() {
        if letter.is_alphanumeric() || letter == '-' || letter == '_' {
            if gap {
                plain.push('-');
            }
            gap = false;
            plain.push(letter);
        } else {
            gap = true;
        }
    }
    plain.trim_matches('-').to_owned()
}

fn is_marked(text: &str) -> bool {
    let of_hash = |letter: char| matches!(letter, 'a'..='z' | 'A'..='Z' | '2'..='7');
    let marked = text.rsplit_once(MARK).map(|(_, hash)| hash);
    marked.is_some_and(|hash| hash.chars().count() == HASH_CHARACTERS && hash.chars().all(of_hash))
}

/// Of the text without case: what differs in case only is one name.
fn hash(text: &str) -> String {
    const LETTERS: [char; 32] = [
        'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
        'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7',
    ];
    let digest: [u8; 32] = Sha256::digest(fold(text)).into();
    let bits = digest.iter().take(5).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
    let letter = |at: usize| LETTERS.get(usize::try_from((bits >> (35 - 5 * at)) & 31).unwrap_or_default()).copied();
    (0..HASH_CHARACTERS).filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_name_that_fits_stays_as_it_is() {
        for name in [
            "Engineering",
            "platform-security",
            "a",
            "a--b",
            "Data_Science",
            "Zürich",
            "開発",
            "0d9c3f1e-1111-4a5b-9c3d-1234567890ab",
            &"x".repeat(36),
        ] {
            assert_eq!(normalised(name), name);
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_lost_is_marked() {
        for (text, name) in [
            ("Platform Engineering", "Platform-Engineering--mptrrfys"),
            ("platform engineering", "platform-engineering--mptrrfys"),
            ("Platform / Engineering", "Platform-Engineering--2iohl7i7"),
            ("/Engineering", "Engineering--p2za6mv2"),
            ("!!!", "x--5bgfhdt7"),
        ] {
            assert_eq!(normalised(text), name, "{text}");
        }
        let long = "cn=Platform Security Engineers,ou=Groups,dc=corp,dc=example";
        let name = normalised(long);
        assert!(name.starts_with("cn-Platform-Security-Engin--") && name.chars().count() == 36, "{name}");
        assert_ne!(normalised(&format!("{long}x")), name, "cut alike, hashed apart");
    }

    #[test]
    fn nobody_can_take_a_marked_name() {
        let taken = normalised("Platform Engineering");
        assert_ne!(fold(&normalised(&taken)), fold(&taken));
        assert!(!is_name(&taken) && !is_name("") && !is_name("a b") && !is_name("-a") && !is_name(&"x".repeat(37)));
        assert!(is_name("team--platforms") && !is_name("team--platform"), "eight letters look like a mark");
    }

    /// Over all texts of some length of an awkward alphabet: a name is one, the same each time, and no two meet.
    #[test]
    fn every_text_gets_a_name_of_its_own() {
        let alphabet = ['a', 'A', '-', '_', ' ', '/', 'é', '7'];
        let mut texts = vec![String::new()];
        let mut names: HashMap<String, String> = HashMap::new();
        for _ in 0..4 {
            texts = texts.iter().flat_map(|text| alphabet.map(|letter| format!("{text}{letter}"))).collect();
            for text in texts.iter().filter(|text| text.trim() == *text) {
                let name = normalised(text);
                assert!((1..=MAX_CHARACTERS).contains(&name.chars().count()), "{text:?}");
                assert!(name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter)), "{text:?}");
                assert_eq!(name, normalised(text));
                let other = names.entry(fold(&name)).or_insert_with(|| fold(text));
                assert_eq!(*other, fold(text), "both are {name}");
            }
        }
    }
}
