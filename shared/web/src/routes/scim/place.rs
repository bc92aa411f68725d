//! The addresses below `/scim/v2`, and what can be done at each.

use http::Method;
use vestibule_core::scim::One;
use vestibule_protocol::scim::schema::Kind;

/// An address.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'p> {
    /// `/Users`, `/Groups`.
    All(Kind),
    /// One of them.
    One(One<'p>),
    /// `/Users/.search`, `/Groups/.search`, and `/.search` for both.
    Search(Option<Kind>),
    /// `/Bulk`.
    Bulk,
    /// `/Me`.
    Me,
    /// What describes the server.
    Described(Described<'p>),
}

/// What the server says of itself (RFC 7644 §4).
#[derive(Debug, Clone, Copy)]
pub(super) enum Described<'p> {
    /// `/ServiceProviderConfig`.
    Config,
    /// `/Schemas`, or one of them.
    Schemas(Option<&'p str>),
    /// `/ResourceTypes`, or one of them.
    ResourceTypes(Option<&'p str>),
}

/// A path below `/c/{connection}`, where everything is again for whoever wants an address for each connection, or one
/// without.
pub(super) fn connection(path: &str) -> (Option<&str>, &str) {
    match path.strip_prefix("c/") {
        Some(rest) => {
            let (connection, path) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(connection), path)
        }
        None => (None, path),
    }
}

impl<'p> Place<'p> {
    /// Reads a decoded path below `/scim/v2`.
    pub(super) fn parse(path: &'p str) -> Option<Self> {
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) if !rest.is_empty() && !rest.contains('/') => (first, Some(rest)),
            Some(_) => return None,
            None => (path, None),
        };
        let kind = [Kind::User, Kind::Group].into_iter().find(|kind| kind.endpoint().strip_prefix('/') == Some(first));
        match (first, kind, rest) {
            (_, Some(kind), None) => Some(Self::All(kind)),
            (_, Some(kind), Some(".search")) => Some(Self::Search(Some(kind))),
            (".search", None, None) => Some(Self::Search(None)),
            ("Bulk", None, None) => Some(Self::Bulk),
            (_, Some(kind), Some(id)) => Some(Self::One(One { kind, id })),
            ("Me", None, None) => Some(Self::Me),
            ("ServiceProviderConfig", None, None) => Some(Self::Described(Described::Config)),
            ("Schemas", None, id) => Some(Self::Described(Described::Schemas(id))),
            ("ResourceTypes", None, id) => Some(Self::Described(Described::ResourceTypes(id))),
            _ => None,
        }
    }

    /// What can be done there.
    pub(super) const fn methods(&self) -> &'static [Method] {
        match self {
            Self::All(_) => &[Method::GET, Method::POST],
            Self::Search(_) | Self::Bulk => &[Method::POST],
            Self::One(_) => &[Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
            Self::Me | Self::Described(_) => &[Method::GET],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_there_are_are_read() {
        let one = Place::parse("Users/abc");
        assert!(matches!(one, Some(Place::One(One { kind: Kind::User, id: "abc" }))));
        assert!(matches!(Place::parse("Groups"), Some(Place::All(Kind::Group))));
        assert!(matches!(Place::parse("Schemas/urn:x:y"), Some(Place::Described(Described::Schemas(Some("urn:x:y"))))));
        for nowhere in
            ["", "users", "Users/", "Users/a/b", "Me/a", "ServiceProviderConfig/x", "Schemas/", "Nope", "/Users"]
        {
            assert!(Place::parse(nowhere).is_none(), "{nowhere}");
        }
    }
}
