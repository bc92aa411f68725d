//! Forms on a page: enough of HTML to post them as a browser without scripts would.

/// A form with its fields as the page fills them in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// Where it goes, relative to the page.
    pub action: String,
    /// Whether it is sent by POST.
    pub post: bool,
    /// Names and values, in order.
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// The forms of a page, in order.
    pub fn all(html: &str) -> Vec<Self> {
        let mut forms = Vec::new();
        for part in html.split("<form").skip(1) {
            let (inside, _) = part.split_once("</form").unwrap_or((part, ""));
            let (tag, content) = inside.split_once('>').unwrap_or((inside, ""));
            let fields = content.split("<input").skip(1).filter_map(|input| {
                let tag = input.split_once('>')?.0;
                Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
            });
            forms.push(Self {
                action: attribute(tag, "action").unwrap_or_default(),
                post: attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")),
                fields: fields.collect(),
            });
        }
        forms
    }

    /// Types a value into a field, which is added when the page has none of this name.
    #[must_use]
    pub fn fill(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(key, _)| key != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// An attribute's value. The values that are looked for here are always quoted.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once(name) {
        let starts = before.is_empty() || before.ends_with(char::is_whitespace);
        if starts && let Some(value) = after.trim_start().strip_prefix('=') {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return value.split(quote).nth(1).map(unescape);
        }
        rest = after;
    }
    None
}

fn unescape(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&#x27;", "'").replace("&#x2F;", "/").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_the_page_means_them() {
        let html = r#"<form autocomplete="off" action="/go?a=1&amp;b=2" method="post">
            <input required type="text" name="login" placeholder="name=x">
            <input type='hidden' name='csrf' value='a&#39;b'></form><form action="/other"></form>"#;
        let forms = Form::all(html);
        assert_eq!(forms.len(), 2);
        let first = forms.into_iter().next().unwrap_or_default().fill("login", "alice");
        assert_eq!((first.action.as_str(), first.post), ("/go?a=1&b=2", true));
        assert_eq!(first.fields, [("csrf".to_owned(), "a'b".to_owned()), ("login".to_owned(), "alice".to_owned())]);
    }
}
