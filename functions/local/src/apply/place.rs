//! Where something stands in the file, written as TOML writes a dotted key: `tenants.acme.connections.okta.scopes[0]`.

use std::fmt;

/// A place in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

impl Place {
    /// The value of a key in the table here.
    pub(super) fn key(&self, name: &str) -> Self {
        self.and(Part::Key(name.to_owned()))
    }

    /// An entry of the array here.
    pub(super) fn index(&self, number: usize) -> Self {
        self.and(Part::Index(number))
    }

    /// What a JSON Pointer (RFC 6901) points to below this place. A reference token of digits is an index: no key of
    /// the admin API is a number.
    pub(super) fn pointer(&self, pointer: &str) -> Self {
        pointer.split('/').skip(1).fold(self.clone(), |place, token| match token.parse() {
            Ok(number) => place.index(number),
            Err(_) => place.key(&token.replace("~1", "/").replace("~0", "~")),
        })
    }

    fn and(&self, part: Part) -> Self {
        let mut parts = self.0.clone();
        parts.push(part);
        Self(parts)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, part) in self.0.iter().enumerate() {
            match part {
                Part::Index(number) => write!(out, "[{number}]")?,
                Part::Key(name) => {
                    let dot = if position == 0 { "" } else { "." };
                    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                    let quoted = name.is_empty() || !name.bytes().all(bare);
                    if quoted { write!(out, "{dot}{name:?}")? } else { write!(out, "{dot}{name}")? }
                }
            }
        }
        Ok(())
    }
}

/// Something that has to be mended before anything can be applied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where.
    pub(super) place: Place,
    /// What.
    pub(super) text: String,
}

impl Problem {
    /// A problem at a place.
    pub(super) fn new(place: &Place, text: impl Into<String>) -> Self {
        Self { place: place.clone(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_toml_writes_them() {
        let tenant = Place::default().key("tenants").key("acme");
        assert_eq!(tenant.key("domains").key("corp.example").to_string(), r#"tenants.acme.domains."corp.example""#);
        assert_eq!(tenant.key("").key("a\"b").to_string(), r#"tenants.acme.""."a\"b""#);
        assert_eq!(tenant.pointer("/sign_in/hosts/2").to_string(), "tenants.acme.sign_in.hosts[2]");
        assert_eq!(tenant.pointer("/a~1b~0c").to_string(), r#"tenants.acme."a/b~c""#);
        assert_eq!(tenant.pointer(""), tenant, "the whole object");
    }
}
