//! Reading XML: one strict parser for everything, with limits, and the few questions that SAML asks of a document.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::{Document, Node, ParsingOptions};

use super::Refused;

/// Most bytes of a message, decoded.
pub const MESSAGE_LIMIT: usize = 384 * 1024;
/// Most bytes of metadata: AD FS publishes about a hundred kilobytes.
pub const METADATA_LIMIT: usize = 1024 * 1024;

/// Most nodes of a document, and how deep they may lie.
const NODES: u32 = 20_000;
const DEPTH: usize = 64;

/// `text` with line ends as a parser sees them (XML 1.0 §2.11). What arrives goes through this once, before it is parsed:
/// the parser's own way with a carriage return beside a reference to one is not the standard's.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() }
}

/// A message that arrived as bytes.
pub(super) fn message(bytes: &[u8]) -> Result<String, Refused> {
    Ok(lines(std::str::from_utf8(bytes).map_err(|_| Refused::Encoding)?).into_owned())
}

/// Parses a message of at most `limit` bytes whose [`lines`] are in order. There is no document type, no processing
/// instruction, and no id twice.
pub(super) fn parse(text: &str, limit: usize) -> Result<Document<'_>, Refused> {
    if text.len() > limit {
        return Err(Refused::TooLarge);
    }
    if text.contains('\r') {
        return Err(Refused::Malformed);
    }
    if has_declaration(text) {
        return Err(Refused::Doctype);
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES, entity_resolver: None };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => Refused::Doctype,
        roxmltree::Error::NodesLimitReached => Refused::TooComplex,
        _ => Refused::Malformed,
    })?;
    check(&document)?;
    Ok(document)
}

/// Whether anything starts like a declaration. The text of a CDATA section counts too: no message needs it.
fn has_declaration(text: &str) -> bool {
    text.match_indices("<!").any(|(at, _)| {
        let rest = text.get(at + 2..).unwrap_or_default();
        !rest.starts_with("--") && !rest.starts_with("[CDATA[")
    })
}

/// Walks the document once, without recursion.
fn check(document: &Document<'_>) -> Result<(), Refused> {
    let mut ids: Vec<&str> = Vec::new();
    let mut node = document.root();
    let mut depth = 0;
    loop {
        if node.is_pi() {
            return Err(Refused::ProcessingInstruction);
        }
        // Whatever a consumer could take for an id.
        let named = node.attributes().filter(|attribute| attribute.name().eq_ignore_ascii_case("id"));
        ids.extend(named.map(|attribute| attribute.value()));
        if let Some(child) = node.first_child() {
            depth += 1;
            if depth > DEPTH {
                return Err(Refused::TooComplex);
            }
            node = child;
            continue;
        }
        loop {
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return if has_twins(ids) { Err(Refused::DuplicateId) } else { Ok(()) },
            }
            depth = depth.saturating_sub(1);
        }
    }
}

fn has_twins(mut ids: Vec<&str>) -> bool {
    ids.sort_unstable();
    ids.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
}

/// Whether `node` is the element `name` of `namespace`.
pub(super) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name && node.tag_name().namespace() == Some(namespace)
}

/// The elements directly below `node`.
pub(super) fn elements<'a, 'input>(node: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(Node::is_element)
}

/// The elements `name` of `namespace` directly below `node`.
pub(super) fn all<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    elements(node).filter(move |child| is(*child, namespace, name))
}

/// The one such element directly below `node`, or none; two are refused.
pub(super) fn one<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Option<Node<'a, 'input>>, Refused> {
    let mut found = all(node, namespace, name);
    let first = found.next();
    if found.next().is_some() {
        return Err(Refused::Shape(name));
    }
    Ok(first)
}

/// The one such element directly below `node`, which must be there.
pub(super) fn the<'a, 'input>(
    node: Node<'a, 'input>,
    namespace: &'static str,
    name: &'static str,
) -> Result<Node<'a, 'input>, Refused> {
    one(node, namespace, name)?.ok_or(Refused::Shape(name))
}

/// The whole text of an element without elements in it. A comment does not end it: all its parts are joined.
pub(super) fn text(node: Node<'_, '_>) -> Result<String, Refused> {
    if elements(node).next().is_some() {
        return Err(Refused::Shape("an element in a text"));
    }
    let parts = node.children().filter(Node::is_text).filter_map(|part| part.text());
    Ok(parts.collect::<String>().trim_matches(is_space).to_owned())
}

/// The bytes in an element that holds base64 (RFC 4648 §4) and white space, and nothing else, not even a comment.
pub(super) fn bytes(node: Node<'_, '_>) -> Result<Vec<u8>, Refused> {
    if node.children().any(|child| !child.is_text()) {
        return Err(Refused::Shape("something in a base64 value"));
    }
    base64(&text(node)?)
}

/// Decodes strictly, white space apart.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, Refused> {
    let dense: String = text.chars().filter(|letter| !is_space(*letter)).collect();
    STANDARD.decode(dense).map_err(|_| Refused::Encoding)
}

/// XML's white space, which is less than Unicode's.
pub(super) const fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

/// An attribute without a namespace.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|attribute| attribute.namespace().is_none() && attribute.name() == name).map(|it| it.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Refused {
        parse(text, MESSAGE_LIMIT).unwrap_err()
    }

    #[test]
    fn what_no_message_needs_is_refused() {
        for text in [
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<!doctype a><a/>",
            "<a><![CDATA[<!DOCTYPE a>]]></a>",
        ] {
            assert_eq!(refused(text), Refused::Doctype, "{text}");
        }
        assert_eq!(refused("<?php die ?><a/>"), Refused::ProcessingInstruction);
        assert_eq!(refused("<a><b><?x?></b></a>"), Refused::ProcessingInstruction);
        for text in ["", "<a>", "<a/><b/>", "<a b='1' b='2'/>", "<x:a/>", "<a>&b;</a>", "a"] {
            assert_eq!(refused(text), Refused::Malformed, "{text}");
        }
    }

    #[test]
    fn size_and_depth_have_limits() {
        let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(parse(&deep(DEPTH), MESSAGE_LIMIT).is_ok());
        assert_eq!(refused(&deep(DEPTH + 1)), Refused::TooComplex);
        assert_eq!(refused(&deep(50_000)), Refused::TooComplex);
        assert_eq!(refused(&format!("<a>{}</a>", "<b/>".repeat(30_000))), Refused::TooComplex);
        assert_eq!(refused(&format!("<a>{}</a>", " ".repeat(MESSAGE_LIMIT))), Refused::TooLarge);
        let wide = format!("<a>{}</a>", "<b><c/></b>".repeat(1_000));
        assert!(parse(&wide, MESSAGE_LIMIT).is_ok());
    }

    #[test]
    fn an_id_is_there_once_however_it_is_written() {
        for text in [
            "<a ID='x'><b ID='x'/></a>",
            "<a ID='x'><b id='x'/></a>",
            "<a ID='x'><b><c Id='x'/></b></a>",
            "<a xml:id='x' ID='x'/>",
        ] {
            assert_eq!(refused(text), Refused::DuplicateId, "{text}");
        }
        assert!(parse("<a ID='x'><b ID='X'/><c ID='y'/></a>", MESSAGE_LIMIT).is_ok());
    }

    #[test]
    fn a_comment_does_not_end_a_text() {
        let document = parse("<a> ada@corp<!-- -->.example<![CDATA[.evil]]>\n</a>", MESSAGE_LIMIT).unwrap();
        assert_eq!(text(document.root_element()).unwrap(), "ada@corp.example.evil");
        let document = parse("<a>ada<b/></a>", MESSAGE_LIMIT).unwrap();
        assert!(text(document.root_element()).is_err());
    }

    #[test]
    fn line_ends_are_one_character() {
        assert_eq!(lines("a\r\nb\rc\n\r\r\n"), "a\nb\nc\n\n\n");
        assert_eq!(refused("<a>\r</a>"), Refused::Malformed);
        let document = parse("<a>x\n&#13;</a>", MESSAGE_LIMIT).unwrap();
        assert_eq!(document.root_element().text(), Some("x\n\r"));
    }

    #[test]
    fn base64_is_strict_but_for_white_space() {
        let of = |text: &str| {
            let document = format!("<a>{text}</a>");
            bytes(parse(&document, MESSAGE_LIMIT).unwrap().root_element())
        };
        assert_eq!(of(" aGV\n&#13;sbG8= ").unwrap(), b"hello");
        for text in ["aGVsbG8", "aGVsbG9=", "aGV<!-- -->sbG8=", "aGV-", "aGVsbG8=\u{a0}"] {
            assert!(of(text).is_err(), "{text}");
        }
    }
}
