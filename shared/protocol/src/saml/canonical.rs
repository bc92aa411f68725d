//! Exclusive XML Canonicalization 1.0 (W3C Recommendation, 18 July 2002) of one element.
//!
//! The parser has resolved names; prefixes are taken from the source, where they stand. That is safe because there are no
//! entities: every element and attribute stands in the source as it was read.

use roxmltree::{Attribute, Document, Node};

use super::Refused;
use super::xml::{self, MESSAGE_LIMIT};

/// How an element is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Method {
    /// Whether comments stay.
    pub(super) comments: bool,
    /// Prefixes that are written even where they are not used; empty for the default namespace.
    pub(super) inclusive: Vec<String>,
}

/// The root element of `text`, as XML Signature digests it. `prefixes`: the `InclusiveNamespaces` list.
pub fn canonicalize(text: &str, prefixes: &[&str], comments: bool) -> Result<String, Refused> {
    let text = xml::lines(text);
    let document = xml::parse(&text, MESSAGE_LIMIT)?;
    let inclusive = prefixes.iter().map(|prefix| if *prefix == "#default" { "" } else { prefix });
    let method = Method { comments, inclusive: inclusive.map(str::to_owned).collect() };
    Ok(write(document.root_element(), None, &method))
}

/// `apex` and what is below it, without `omitted` (the signature that it holds).
pub(super) fn write(apex: Node<'_, '_>, omitted: Option<Node<'_, '_>>, method: &Method) -> String {
    let mut writer = Writer { source: apex.document(), omitted, method, out: String::new(), declared: Vec::new() };
    writer.out.reserve(apex.range().len());
    writer.node(apex);
    writer.out
}

struct Writer<'a, 'input> {
    source: &'a Document<'input>,
    omitted: Option<Node<'a, 'input>>,
    method: &'a Method,
    out: String,
    /// Declarations written so far by this element and those around it, innermost last.
    declared: Vec<(&'a str, &'a str)>,
}

impl<'a, 'input> Writer<'a, 'input> {
    /// Elements are nested at most as deep as the parser lets them.
    fn node(&mut self, node: Node<'a, 'input>) {
        if self.omitted == Some(node) {
            return;
        }
        if node.is_element() {
            self.element(node);
        } else if node.is_comment() && self.method.comments {
            self.out.push_str("<!--");
            self.out.push_str(node.text().unwrap_or_default());
            self.out.push_str("-->");
        } else if node.is_text() {
            write_text(node.text().unwrap_or_default(), &mut self.out);
        }
    }

    fn element(&mut self, node: Node<'a, 'input>) {
        let outer = self.declared.len();
        let name = self.name(node.range().start + 1);
        self.out.push('<');
        self.out.push_str(name);
        let mut attributes: Vec<_> =
            node.attributes().map(|attribute| (self.attribute_name(attribute), attribute)).collect();
        self.namespaces(node, name, &attributes);
        attributes.sort_unstable_by_key(|(_, attribute)| (attribute.namespace(), attribute.name()));
        for (name, attribute) in attributes {
            write_attribute(name, attribute.value(), &mut self.out);
        }
        self.out.push('>');
        for child in node.children() {
            self.node(child);
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self.declared.truncate(outer);
    }

    /// Declares what this element makes visible use of, or what the method lists, where it is not declared around it.
    fn namespaces(&mut self, node: Node<'a, 'input>, name: &'a str, attributes: &[(&'a str, Attribute<'a, 'input>)]) {
        let listed = self.method.inclusive.iter().map(String::as_str);
        let mut prefixes: Vec<&str> = std::iter::once(prefix(name).unwrap_or_default())
            .chain(attributes.iter().filter_map(|(name, _)| prefix(name)))
            .chain(listed.filter(|prefix| prefix.is_empty() || node.lookup_namespace_uri(Some(prefix)).is_some()))
            .filter(|prefix| *prefix != "xml")
            .collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        for prefix in prefixes {
            let uri = node.lookup_namespace_uri((!prefix.is_empty()).then_some(prefix)).unwrap_or_default();
            let around = self.declared.iter().rev().find(|(declared, _)| *declared == prefix).map(|(_, uri)| *uri);
            // Without any declaration the default namespace is none.
            if around.unwrap_or_default() == uri {
                continue;
            }
            self.declared.push((prefix, uri));
            let separator = if prefix.is_empty() { "" } else { ":" };
            write_attribute(&format!("xmlns{separator}{prefix}"), uri, &mut self.out);
        }
    }

    /// The qualified name that stands at `start` of the source.
    fn name(&self, start: usize) -> &'a str {
        let rest = self.source.input_text().get(start..).unwrap_or_default();
        let end = rest.find(|letter| xml::is_space(letter) || matches!(letter, '>' | '/' | '=')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn attribute_name(&self, attribute: Attribute<'a, 'input>) -> &'a str {
        self.name(attribute.range().start)
    }
}

fn prefix(name: &str) -> Option<&str> {
    name.split_once(':').map(|(prefix, _)| prefix)
}

/// A text, escaped.
pub(super) fn write_text(text: &str, out: &mut String) {
    escape(text, text_escape, out);
}

/// A space, and an attribute with its value escaped.
pub(super) fn write_attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, attribute_escape, out);
    out.push('"');
}

fn escape(text: &str, with: fn(char) -> Option<&'static str>, out: &mut String) {
    let mut rest = text;
    while let Some((at, reference)) = rest.char_indices().find_map(|(at, letter)| Some((at, with(letter)?))) {
        out.push_str(rest.get(..at).unwrap_or_default());
        out.push_str(reference);
        // Everything that is escaped is one byte long.
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Canonical XML 1.0 §2.3: text nodes.
const fn text_escape(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        _ => None,
    }
}

/// Canonical XML 1.0 §2.3: attribute values.
const fn attribute_escape(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
