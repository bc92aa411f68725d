//! Which claims an application learns of a person, and what it calls them, as an administrator sets it.

use std::collections::{BTreeMap, BTreeSet};

use vestibule_protocol::oidc::added_claims::{is_name, is_protocols, is_providers};

use super::clients::ClientInput;
use super::problems::{Problems, escaped};

/// All that an application's input says of claims.
pub(super) fn check_client(problems: &mut Problems, input: &ClientInput) {
    let in_id_tokens = input.id_token_claims.as_deref().unwrap_or_default();
    check(problems, "/id_token_claims", in_id_tokens);
    check_access(problems, &input.access_token_claims, input.relay.is_some());
    check(problems, "/userinfo_claims", &input.userinfo_claims);
    let named = in_id_tokens.iter().chain(&input.access_token_claims).chain(&input.userinfo_claims);
    check_names(problems, &named.map(String::as_str).collect(), &input.claim_names);
}

/// Names of claims about a person: what the provider says, `connection`, what rules and attributes make of it, and
/// whatever a webhook may add.
fn check(problems: &mut Problems, path: &str, names: &[String]) {
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

/// The same for access tokens, which a relay keeps in a cookie: a list may not fit.
fn check_access(problems: &mut Problems, names: &[String], relayed: bool) {
    let is_list = |name: &String| matches!(name.as_str(), "groups" | "teams" | "business_units");
    if relayed && names.iter().any(is_list) {
        let problem = "cannot have groups, teams or business_units where the relay keeps the token in a cookie: there \
                       may be too many";
        problems.add("/access_token_claims", problem);
    }
    check(problems, "/access_token_claims", names);
}

/// What the application calls claims: none gets the name of another one.
fn check_names(problems: &mut Problems, chosen: &BTreeSet<&str>, names: &BTreeMap<String, String>) {
    let kept: BTreeSet<&str> = chosen.iter().filter(|name| !names.contains_key(**name)).copied().collect();
    let mut given = BTreeSet::new();
    for (ours, theirs) in names {
        let problem = match theirs.as_str() {
            _ if !chosen.contains(ours.as_str()) => Some("is in none of the three lists"),
            theirs if ours == theirs => Some("is its name already"),
            theirs if problem(theirs).is_some() => problem(theirs),
            // What the scope reveals stands under these, and an application rests on what they mean.
            theirs if theirs != "groups" && is_providers(theirs) => Some("is the name of another claim"),
            theirs if kept.contains(theirs) || !given.insert(theirs) => Some("is the name of another claim"),
            _ => None,
        };
        if let Some(problem) = problem {
            problems.add(format!("/claim_names/{}", escaped(ours)), problem);
        }
    }
}
