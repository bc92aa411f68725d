//! Writing XML that is canonical as it stands, so that what is digested is what is sent: attributes are given in canonical
//! order, every element has an end tag, and nothing is indented.

use super::canonical;

/// XML under construction.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    open: Vec<&'static str>,
}

impl Writer {
    /// Opens an element. Attributes without a value are left out.
    pub(super) fn open(&mut self, name: &'static str, attributes: &[(&str, Option<&str>)]) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            if let Some(value) = value {
                canonical::write_attribute(name, value, &mut self.out);
            }
        }
        self.out.push('>');
        self.open.push(name);
        self
    }

    /// Closes the innermost element.
    pub(super) fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
        self
    }

    /// An element that holds `text`.
    pub(super) fn text(&mut self, name: &'static str, attributes: &[(&str, Option<&str>)], text: &str) -> &mut Self {
        self.open(name, attributes);
        canonical::write_text(text, &mut self.out);
        self.close()
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: &[(&str, Option<&str>)]) -> &mut Self {
        self.text(name, attributes, "")
    }

    /// The document; what is open is closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }
}

/// `true` or nothing: what is false is not written.
pub(super) const fn flag(set: bool) -> Option<&'static str> {
    if set { Some("true") } else { None }
}
