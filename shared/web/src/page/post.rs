//! The page between us and an identity provider that takes messages by POST only: a form that posts itself.

use maud::{PreEscaped, html};
use vestibule_core::saml::sending::PostForm;

use super::{Extras, Page, page_with};

/// The only script of the page. The policy knows it by its hash.
const SCRIPT: &str = "document.forms[0].submit()";

/// Posts a form. Browsers without scripts have its button.
///
/// The policy does not say where forms may lead: browsers would hold the provider's own redirects against it, and many
/// providers pass people on from one host to another.
pub(crate) fn post(form: &PostForm) -> Page {
    let body = html! {
        h1 { "One moment" }
        p { "You are being taken to your identity provider. If nothing happens, press the button." }
        form method="post" action=(form.to.as_str()) {
            @for (name, value) in &form.fields {
                input type="hidden" name=(name) value=(value);
            }
            button type="submit" { "Continue" }
        }
        script { (PreEscaped(SCRIPT)) }
    };
    page_with("One moment", &body, &Extras { script: Some(SCRIPT), ..Extras::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(to: &str, value: &str) -> Page {
        post(&PostForm { to: to.parse().unwrap(), fields: vec![("RelayState", value.to_owned())] })
    }

    /// AZ-11
    #[test]
    fn the_policy_allows_one_script() {
        let page = form("https://idp.example/sso?a=1&b=2", "x");
        let policy = page.policy.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        // openssl dgst -sha256 -binary | base64
        assert!(policy.contains("; script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE=';"), "{policy}");
        assert_eq!(page.html.matches("<script").count(), 1);
        assert!(page.html.contains(r#"action="https://idp.example/sso?a=1&amp;b=2""#), "{}", page.html);
    }

    #[test]
    fn whatever_is_put_in_is_escaped() {
        let page = form("https://idp.example/\"><script>", "\"><script>alert(1)</script>");
        assert_eq!(page.html.matches("<script").count(), 1, "{}", page.html);
        assert!(page.html.contains("&quot;&gt;&lt;script&gt;alert(1)"), "{}", page.html);
    }
}
