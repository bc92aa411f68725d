//! How an attribute is named in filters, PATCH operations, `attributes` and `sortBy` (RFC 7644 §3.10): a name, perhaps
//! a sub-attribute, perhaps the schema before it. Whether there is such an attribute, the schemas know.

use std::fmt;

/// An attribute as a request names it. Names keep the case they were sent in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// The schema's URI, where it was given.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// The part of it that is meant.
    pub sub: Option<String>,
}

impl AttributePath {
    /// Reads `name`, `name.sub` or `urn:…:name.sub`. A schema's URI has colons and may have dots (`2.0`), so its end is
    /// the last colon.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) => (Some(schema), rest),
            None => (None, text),
        };
        let is_urn = |schema: &str| schema.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        if schema.is_some_and(|schema| !is_urn(schema)) {
            return None;
        }
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        (is_name(name) && sub.is_none_or(is_name)).then(|| Self {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }
}

/// Whether an attribute may be called that (RFC 7643 §2.1): a letter, then letters, digits, `-` and `_`. `$ref` is the
/// one with a dollar.
pub fn is_name(text: &str) -> bool {
    let rest = text.strip_prefix('$').unwrap_or(text);
    rest.starts_with(|first: char| first.is_ascii_alphabetic())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        self.sub.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-7
    #[test]
    fn names_sub_attributes_and_schemas_are_told_apart() {
        for (text, schema, name, sub) in [
            ("userName", None, "userName", None),
            ("name.familyName", None, "name", Some("familyName")),
            ("members.$ref", None, "members", Some("$ref")),
            ("urn:example:a-2.0:User:x_y", Some("urn:example:a-2.0:User"), "x_y", None),
            ("URN:a:2.0:User:manager.value", Some("URN:a:2.0:User"), "manager", Some("value")),
        ] {
            let path = AttributePath::parse(text).unwrap();
            assert_eq!(
                (path.schema.as_deref(), path.name.as_str(), path.sub.as_deref()),
                (schema, name, sub),
                "{text}"
            );
            assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in
            ["", ".", "a.", ".a", "a.b.c", "1a", "a b", "ä", "a:b", "urn:", "urn:x:", "$", "a$b", "http://x:y", "-a"]
        {
            assert_eq!(AttributePath::parse(wrong), None, "{wrong}");
        }
    }
}
