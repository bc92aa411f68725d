//! Rules over values, with their reasons.

use serde_json::{Value, json};

use super::*;
use crate::oidc::claims::Claims;

const ROLES: [&str; 3] = ["admin", "editor", "viewer"];

fn rules(json: Value) -> Vec<Rule> {
    serde_json::from_value(json).unwrap()
}

fn outcome(rules: &[Rule], claims: Value) -> Outcome {
    let Value::Object(members) = claims else { panic!("no object") };
    let claims = Claims::from(members);
    Outcome::of(rules, &ROLES, |rule| Some(Said::of(&claims, &rule.claim, rule.split.as_ref())))
}

fn names(outcome: &Outcome, kind: Kind) -> Vec<&str> {
    outcome.names(kind).collect()
}

#[test]
fn all_team_and_unit_rules_apply() {
    let rules = rules(json!([
        { "claim": "groups", "value": "/${*}", "grants": "team" },
        { "claim": "groups", "value": "/Engineering", "grants": "team", "name": "builders" },
        { "claim": "department", "value": "*", "grants": "business_unit", "name": "*" },
        { "claim": "department", "value": "*", "grants": "business_unit", "name": "all" },
        { "claim": "groups", "value": "/ops", "grants": "team" },
    ]));
    let outcome = outcome(&rules, json!({ "groups": ["/Engineering", "/engineering", "x"], "department": "R and D" }));
    assert_eq!(names(&outcome, Kind::Team), ["Engineering", "builders"], "one team in any case");
    assert_eq!(names(&outcome, Kind::BusinessUnit), ["R-and-D--ldgxf42c", "all"]);
    let reasons: Vec<_> = outcome.granted[0].reasons.iter().map(|reason| (reason.rule, &*reason.value)).collect();
    assert_eq!(reasons, [(0, "/Engineering"), (0, "/engineering")]);
    assert_eq!(outcome.unmet, [Unmet { rule: 4, because: Obstacle::NoMatch }]);
}

#[test]
fn roles_are_those_of_the_list() {
    let rules = rules(json!([
        { "claim": "roles", "value": "*", "grants": "role" },
        { "claim": "groups", "value": "staff", "grants": "role", "name": "Viewer" },
        { "claim": "roles", "value": "app-${*}", "grants": "role", "name": "${*}" },
        { "claim": "none", "value": "*", "grants": "role" },
    ]));
    let outcome = outcome(&rules, json!({ "roles": ["EDITOR", "owner", "app-owner"], "groups": "Staff" }));
    assert_eq!(names(&outcome, Kind::Role), ["editor", "viewer"], "as the list spells them");
    let [third, fourth] = [(2, Obstacle::NoSuchRole), (3, Obstacle::NoValue)];
    assert_eq!(outcome.unmet, [third, fourth].map(|(rule, because)| Unmet { rule, because }));
}

#[test]
fn one_of_several_roles_counts() {
    use RoleChoice::{FirstMatch, MostPrivileged};
    let choose = |choice: RoleChoice, granted: &[&'static str]| choice.choose(&ROLES, granted.iter().copied());
    assert_eq!(choose(MostPrivileged, &["viewer", "admin", "editor"]), Some("admin"));
    assert_eq!(choose(FirstMatch, &["viewer", "admin", "editor"]), Some("viewer"));
    assert_eq!(choose(FirstMatch, &["gone", "editor"]), Some("editor"), "a role that is no more does not count");
    for choice in [MostPrivileged, FirstMatch] {
        assert_eq!((choose(choice, &[]), choose(choice, &["gone"])), (None, None));
    }
}

/// RP-9
#[test]
fn what_is_not_known_is_not_nothing() {
    let rules = rules(json!([
        { "claim": "groups", "value": "*", "grants": "team" },
        { "claim": "department", "value": "*", "grants": "business_unit" },
    ]));
    let outcome = outcome(&rules, json!({ "_claim_names": { "groups": "src1" } }));
    assert!(outcome.is_partial(&rules, Kind::Team) && !outcome.is_partial(&rules, Kind::BusinessUnit));
}

#[test]
fn names_are_bounded() {
    let rules = rules(
        json!([{ "claim": "groups", "value": "*", "grants": "team" }, { "claim": "x", "value": "*", "grants": "team" }]),
    );
    let many: Vec<String> = (0..MAX_NAMES + 5).map(|at| format!("team-{at}")).collect();
    let outcome = outcome(&rules, json!({ "groups": many, "x": "one-more" }));
    assert_eq!(names(&outcome, Kind::Team).len(), MAX_NAMES);
    assert_eq!(outcome.unmet, [0, 1].map(|rule| Unmet { rule, because: Obstacle::TooManyNames }));
}

/// Over many small sets of rules and values: every name has a reason that its rule bears out, no name is there twice,
/// every rule either grants or says why not, and the order of values changes no set of names.
#[test]
fn every_outcome_is_borne_out() {
    let patterns = ["*", "a", "A", "/${*}", "${*}-x", "b"];
    let values = ["a", "A", "/a", "/A-x", "b-x", "b"];
    for seed in 0_usize..3_000 {
        let pick = |turn: usize, of: usize| (seed / of.pow(u32::try_from(turn % 4).unwrap()) + turn) % of;
        let kinds = ["role", "team", "business_unit"];
        let set: Vec<Value> = (0..3)
            .map(|turn| json!({ "claim": "c", "value": patterns[pick(turn, 6)], "grants": kinds[pick(turn, 3)] }))
            .collect();
        let rules = rules(Value::Array(set));
        let mut said: Vec<&str> = (0..3).map(|turn| values[pick(turn + 1, 6)]).collect();
        let outcome = |said: &[&str]| {
            let said: Vec<String> = said.iter().map(|text| (*text).to_owned()).collect();
            Outcome::of(&rules, &["a", "b"], |_| Some(Said::Values(said.clone())))
        };
        let forward = outcome(&said);
        for granted in &forward.granted {
            assert!(!granted.reasons.is_empty());
            for reason in &granted.reasons {
                let rule = &rules[reason.rule];
                let taken = rule.value.take(&reason.value).expect("the rule is for the value");
                assert_eq!(
                    (rule.grants, fold(&rule.name_of(taken, &["a", "b"]).unwrap())),
                    (granted.grants, fold(&granted.name))
                );
            }
            let same = forward
                .granted
                .iter()
                .filter(|other| other.grants == granted.grants && fold(&other.name) == fold(&granted.name));
            assert_eq!(same.count(), 1);
        }
        let effective: std::collections::BTreeSet<usize> =
            forward.granted.iter().flat_map(|granted| granted.reasons.iter().map(|reason| reason.rule)).collect();
        let idle: std::collections::BTreeSet<usize> = forward.unmet.iter().map(|rule| rule.rule).collect();
        assert!(effective.is_disjoint(&idle) && effective.len() + idle.len() == rules.len());
        said.reverse();
        let set = |outcome: &Outcome| {
            let names = outcome.granted.iter().map(|granted| (granted.grants, fold(&granted.name)));
            names.collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(set(&forward), set(&outcome(&said)));
    }
}

/// Many rules over many values: each claim is read once, and of reasons there are some.
#[test]
fn much_is_bounded() {
    let rule = json!({ "claim": "groups", "value": "*", "grants": "team", "name": "all" });
    let rules = rules(Value::Array(vec![rule; 500]));
    let values: Vec<String> = (0..1_000).map(|at| format!("value-{at}")).collect();
    let mut reads = 0;
    let outcome = Outcome::of(&rules, &[], |_| {
        reads += 1;
        Some(Said::Values(values.clone()))
    });
    assert_eq!((reads, outcome.granted.len(), outcome.granted[0].reasons.len()), (1, 1, MAX_REASONS));
}
