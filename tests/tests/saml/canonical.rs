//! Our canonical form of generated documents against libxml2's.

use vestibule_protocol::saml::canonicalize;

use vestibule_tests::python::Program;

/// SA-3, SA-7: what is digested is what every other implementation digests, over 10,000 generated documents with
/// namespaces, prefixes declared anew, listed prefixes, comments, sections, references and white space.
#[test]
fn ten_thousand_documents_are_canonical_as_elsewhere() {
    let mut program = Program::start("documents.py", &["10000"]);
    let mut count = 0;
    while let Some(case) = program.line() {
        let text = |name: &str| case[name].as_str().expect("a text").to_owned();
        let prefixes: Vec<_> =
            case["prefixes"].as_array().expect("a list").iter().filter_map(|it| it.as_str()).collect();
        let ours = canonicalize(&text("text"), &prefixes, case["comments"] == true).expect("a document");
        assert_eq!(ours, text("canonical"), "{case}");
        count += 1;
    }
    assert_eq!(count, 10_000);
}
