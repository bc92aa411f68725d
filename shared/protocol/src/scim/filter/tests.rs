//! The grammar of filters: the RFC's examples, what Entra and Okta send, and what nobody should.

use super::*;

fn parse(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn compare(path: &str, operator: Operator, value: Literal) -> Filter {
    Filter::Compare { path: AttributePath::parse(path).unwrap(), operator, value }
}

fn equals(path: &str, text: &str) -> Filter {
    compare(path, Operator::Eq, Literal::Text(text.to_owned()))
}

/// SC-8: what RFC 7644 §3.4.2.2 shows, written back as the same tree.
#[test]
fn the_examples_of_the_rfc_are_read() {
    for text in [
        r#"userName Eq "john""#,
        r#"name.familyName co "O'Malley""#,
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
        "title pr",
        r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
        r#"meta.lastModified le "2011-05-13T04:42:34Z""#,
        r#"title pr and userType eq "Employee""#,
        r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
        r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
        r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
        r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        r#"id eq "a" and members eq "b""#,
    ] {
        let filter = parse(text);
        assert_eq!(parse(&filter.to_string()), filter, "{text}");
    }
}

/// SC-7, SC-8
#[test]
fn and_binds_closer_than_or_and_case_does_not_matter() {
    let (a, b, c) = (equals("a", "1"), equals("b", "2"), equals("c", "3"));
    let text = r#"a EQ "1" OR b eQ "2" And c eq "3""#;
    assert_eq!(parse(text), Filter::Or(vec![a.clone(), Filter::And(vec![b.clone(), c.clone()])]));
    let text = r#"(a eq "1" or b eq "2") and c eq "3""#;
    assert_eq!(parse(text), Filter::And(vec![Filter::Or(vec![a.clone(), b.clone()]), c.clone()]));
    let text = r#"NOT(a eq "1") and ((b eq "2")and(c eq "3"))"#;
    assert_eq!(parse(text), Filter::And(vec![Filter::Not(Box::new(a)), b, c]));
}

#[test]
fn values_are_those_of_json() {
    for (text, value) in [
        ("null", Literal::Null),
        ("True", Literal::Boolean(true)),
        ("FALSE", Literal::Boolean(false)),
        ("-12", Literal::Integer(-12)),
        ("1.5e3", Literal::Decimal(1_500.0)),
        ("99999999999999999999", Literal::Decimal(1e20)),
        (r#""""#, Literal::Text(String::new())),
        (r#""a\"b\\""#, Literal::Text("a\"b\\".to_owned())),
        (r#""\u00e4\ud83d\ude00 ü""#, Literal::Text("ä😀 ü".to_owned())),
    ] {
        assert_eq!(parse(&format!("a eq {text}")), compare("a", Operator::Eq, value), "{text}");
    }
}

/// SC-8: a quote inside a text ends nothing.
#[test]
fn an_escaped_quote_does_not_break_out() {
    let filter = parse(r#"userName eq "a\" or userName pr or userName eq \"b""#);
    assert_eq!(filter, equals("userName", r#"a" or userName pr or userName eq "b"#));
}

/// What Entra asks for: the sub-attribute stands behind the value filter.
#[test]
fn a_comparison_behind_a_value_filter_is_one_more_term_of_it() {
    let filter = parse(r#"emails[type eq "work"].value eq "a@b.example""#);
    assert_eq!(filter, parse(r#"emails[type eq "work" and value eq "a@b.example"]"#));
    let present = parse(r#"emails[type eq "work" or type eq "home"].value pr and active eq true"#);
    assert_eq!(present, parse(r#"emails[(type eq "work" or type eq "home") and value pr] and active eq true"#));
}

/// SC-8
#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, position, what) in [
        ("", 1, "an attribute's name"),
        ("userName", 9, "an operator"),
        ("userName eq", 12, "a text in double quotes"),
        ("userName is \"x\"", 10, "an operator: eq"),
        ("userName eq 'x'", 13, "an attribute, an operator or a value"),
        ("userName eq x", 13, "a text in double quotes"),
        ("userName eq \"x", 15, "the quote"),
        (r#"userName eq "x\q""#, 13, "the escapes of JSON"),
        ("userName eq \"x\" userName pr", 17, "'and', 'or' or the end"),
        ("userName pr and", 16, "an attribute's name"),
        ("(userName pr", 13, "')'"),
        ("userName pr)", 12, "'and', 'or' or the end"),
        ("not userName pr", 5, "'('"),
        ("emails[type eq \"work\"", 22, "']'"),
        ("emails[a[b pr]]", 9, "no value path inside"),
        ("emails[type eq \"work\"].1 pr", 23, "a sub-attribute's name"),
        ("emails[type eq \"work\"].value", 29, "an operator"),
        ("a eq 01", 6, "a number"),
        ("a eq 1e999", 6, "a number"),
        ("a eq -", 6, "a number"),
        ("a.b.c pr", 1, "an attribute's name"),
        ("a eq \"ü\" ü", 10, "an attribute"),
        ("\"a\" eq \"b\"", 1, "an attribute's name"),
        ("a eq \"x\ny\"", 6, "the escapes of JSON"),
        ("a eq true false", 11, "'and', 'or' or the end"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        let SyntaxError::Expected { position: at, what: wanted } = error else { panic!("{text}: {error}") };
        assert!(at == position && wanted.contains(what), "{text}: {error}");
        assert_eq!(error.of_filter().body()["scimType"], "invalidFilter");
    }
}

/// A filter that was built to hurt is refused before it does.
#[test]
fn length_depth_and_terms_have_bounds() {
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Filter::parse(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(Filter::parse(&nested(MAX_DEPTH + 1)), Err(SyntaxError::TooDeep));
    assert_eq!(Filter::parse(&"(".repeat(MAX_LENGTH)), Err(SyntaxError::TooDeep));
    assert_eq!(Filter::parse(&"not (".repeat(MAX_LENGTH / 5)), Err(SyntaxError::TooDeep));
    assert!(Filter::parse(&vec!["a pr"; MAX_TERMS].join(" or ")).is_ok());
    assert_eq!(Filter::parse(&vec!["a pr"; MAX_TERMS + 1].join(" or ")), Err(SyntaxError::TooManyTerms));
    assert_eq!(Filter::parse(&" ".repeat(MAX_LENGTH + 1)), Err(SyntaxError::TooLong));
}

/// Any tree that is written is read as itself, and any part of its text gives an error or a tree, never a panic.
#[test]
fn every_tree_survives_being_written() {
    let mut seed = 7_u64;
    for _ in 0..200 {
        let filter = tree(&mut seed, 3);
        let text = filter.to_string();
        assert_eq!(Filter::parse(&text).as_ref(), Ok(&filter), "{text}");
        for (end, _) in text.char_indices() {
            drop(Filter::parse(&text[..end]));
            drop(Filter::parse(&text[end..]));
        }
    }
}

/// A number below `below`; the same ones in every run.
fn draw(seed: &mut u64, below: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

fn tree(seed: &mut u64, depth: usize) -> Filter {
    let paths = ["userName", "name.familyName", "urn:example:x:2.0:User:a.b", "members.$ref", "not-a_word"];
    let path = AttributePath::parse(paths[usize::try_from(draw(seed, 5)).unwrap()]).unwrap();
    let kinds = if depth == 0 { 2 } else { 6 };
    match draw(seed, kinds) {
        0 => Filter::Present(path),
        1 => {
            let values = [
                Literal::Null,
                Literal::Boolean(true),
                Literal::Integer(-7),
                Literal::Decimal(0.1),
                Literal::Decimal(-2e300),
                Literal::Text("a\"] and (\\ ü\u{1}".to_owned()),
            ];
            let value = values[usize::try_from(draw(seed, 6)).unwrap()].clone();
            let operator = Operator::ALL[usize::try_from(draw(seed, 9)).unwrap()];
            Filter::Compare { path, operator, value }
        }
        2 => Filter::Not(Box::new(tree(seed, depth - 1))),
        3 => Filter::and(vec![tree(seed, depth - 1), tree(seed, depth - 1), tree(seed, depth - 1)]),
        4 => Filter::or(vec![tree(seed, depth - 1), tree(seed, depth - 1)]),
        _ => Filter::Element { path, filter: Box::new(Filter::or(vec![tree(seed, 0), tree(seed, 0)])) },
    }
}
