//! The tags of resources (RFC 7644 §3.14): weak, because what they name is a state of the record and not bytes.

use vestibule_protocol::scim;

use crate::admin::change::{Condition, Tags};
use crate::model::group::{Group, Touch};
use crate::store::Version;
use crate::store::record::Stored;

/// The tag of a person's state.
pub(super) fn user(version: &Version) -> String {
    format!("W/\"{}\"", version.as_str())
}

/// The tag of a group's state, members included.
pub(super) fn group(found: &Stored<Group>, touch: Option<&Stored<Touch>>) -> String {
    let touch = touch.map_or("0", |touch| touch.version.as_str());
    format!("W/\"{}.{touch}\"", found.version.as_str())
}

/// Whether one of these is the tag. `W/` makes no difference: a server that has weak tags is asked with them.
pub fn names(tags: &Tags, current: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    match tags {
        Tags::Any => true,
        Tags::These(tags) => tags.iter().any(|tag| opaque(tag) == opaque(current)),
    }
}

/// Holds the condition of a change against the state that was read.
pub(super) fn check(condition: &Condition, current: &str) -> Result<(), scim::Error> {
    let changed = condition.if_match.as_ref().is_some_and(|tags| !names(tags, current));
    let unwanted = condition.if_none_match.as_ref().is_some_and(|tags| names(tags, current));
    if changed {
        return Err(scim::Error::status(412, "the resource is in another state than If-Match says: read it again"));
    }
    if unwanted {
        return Err(scim::Error::status(412, "the resource is in the state that If-None-Match excludes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SC-14
    #[test]
    fn weak_tags_are_compared_by_what_they_say() {
        let tags = |text| Tags::parse(text).unwrap();
        let current = "W/\"7.3\"";
        for fine in ["W/\"7.3\"", "\"7.3\"", "*", "W/\"1\", W/\"7.3\""] {
            let if_match = Condition { if_match: Some(tags(fine)), if_none_match: None };
            assert_eq!(check(&if_match, current), Ok(()), "{fine}");
            let if_none_match = Condition { if_match: None, if_none_match: Some(tags(fine)) };
            assert_eq!(check(&if_none_match, current).map_err(|error| error.status), Err(412), "{fine}");
        }
        for stale in ["W/\"7.4\"", "\"7\"", "W/\"nope\""] {
            let if_match = Condition { if_match: Some(tags(stale)), if_none_match: None };
            assert_eq!(check(&if_match, current).map_err(|error| error.status), Err(412), "{stale}");
        }
    }
}
