//! Which claims an application's tokens hold, as an administrator names them.

use vestibule_protocol::oidc::added_claims::{is_name, is_protocols};

use super::problems::Problems;

/// Names of claims about a person: what the provider says, `connection`, and whatever a webhook may add.
pub(super) fn check(problems: &mut Problems, path: &str, names: &[String]) {
    if names.len() > 30 {
        problems.add(path, "has more than 30 names");
    }
    for (at, name) in names.iter().enumerate() {
        let known = names.iter().take(at).any(|other| other == name);
        if let Some(problem) = problem(name).or(known.then_some("is there twice")) {
            problems.add(format!("{path}/{at}"), problem);
        }
    }
}

fn problem(name: &str) -> Option<&'static str> {
    match name {
        name if !is_name(name) => Some("must be 1 to 64 letters, digits and _-.:/"),
        name if is_protocols(name) => Some("is in tokens in any case, or has a meaning of its own"),
        "groups_overage" => Some("comes with groups by itself"),
        _ => None,
    }
}

/// The same for access tokens, which a relay keeps in a cookie: a list of groups may not fit.
pub(super) fn check_access(problems: &mut Problems, names: &[String], relayed: bool) {
    if relayed && names.iter().any(|name| name == "groups") {
        let problem = "cannot have groups where the relay keeps the token in a cookie: there may be too many";
        problems.add("/access_token_claims", problem);
    }
    check(problems, "/access_token_claims", names);
}
