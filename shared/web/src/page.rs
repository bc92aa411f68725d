//! The pages that people see. Plain HTML, readable on a phone, light and dark. Two of them have a script of one line.

mod checkpoint;
mod claims;
mod invitation;
mod post;
mod sign_in;
mod sign_out;

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub(crate) use checkpoint::{checkpoint, told};
pub(crate) use claims::test_login;
pub(crate) use invitation::{invited, opened};
pub(crate) use post::post;
pub(crate) use sign_in::sign_in;
pub(crate) use sign_out::{ask_sign_out, framed, signed_out, signed_out_here};

/// A page with the content security policy that fits it.
pub(crate) struct Page {
    pub(crate) html: String,
    pub(crate) policy: HeaderValue,
}

const STYLE: &str = include_str!("page.css");

/// The style sheet's hash, by which it is allowed.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| hash(STYLE));

fn hash(content: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)))
}

/// What a page has beyond the style sheet.
#[derive(Default)]
struct Extras {
    /// More style, ours alone.
    style: Option<String>,
    /// The only script.
    script: Option<&'static str>,
    /// Origins of its pictures.
    image_origins: Vec<String>,
    /// Origins of what it frames.
    frame_origins: Vec<String>,
    /// The only origin that may frame it; nobody when left out.
    framed_by: Option<String>,
}

impl Extras {
    /// Style and script by their hashes, pictures and frames by their origins; nothing else loads. `form-action` is left
    /// out: browsers apply it to the redirect after a form too, and ours leads to identity providers.
    fn policy(&self) -> HeaderValue {
        let own = self.style.as_deref().map(|style| format!(" {}", hash(style))).unwrap_or_default();
        let script = self.script.map(|script| format!("; script-src {}", hash(script))).unwrap_or_default();
        let images = sources("img-src", &self.image_origins);
        let frames = sources("frame-src", &self.frame_origins);
        let style = &*STYLE_HASH;
        let by = self.framed_by.as_deref().unwrap_or("'none'");
        let policy = format!(
            "default-src 'none'; style-src {style}{own}{script}{images}{frames}; base-uri 'none'; frame-ancestors {by}"
        );
        let nothing = "default-src 'none'; frame-ancestors 'none'";
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(nothing))
    }
}

fn sources(directive: &str, origins: &[String]) -> String {
    if origins.is_empty() { String::new() } else { format!("; {directive} {}", origins.join(" ")) }
}

/// Scheme, host and port of an address with one of these schemes, for the policy: there they must not be read as
/// something else.
fn origin(address: &str, schemes: &[&str]) -> Option<String> {
    let address: Uri = address.parse().ok()?;
    let (scheme, host) = (address.scheme_str()?, address.authority()?);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    (schemes.contains(&scheme) && host.as_str().bytes().all(plain)).then(|| format!("{scheme}://{host}"))
}

fn page(title: &str, body: &Markup) -> Page {
    page_with(title, body, &Extras::default())
}

fn page_with(title: &str, body: &Markup, extras: &Extras) -> Page {
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
                @if let Some(style) = &extras.style { style { (PreEscaped(style)) } }
            }
            body { main { (body) } }
        }
    };
    Page { html: html.into_string(), policy: extras.policy() }
}

/// Something went wrong: what happened, what to do, and what to tell whoever looks into it. `detail` is for whoever
/// made the link.
pub(crate) fn problem(title: &str, what_to_do: &str, detail: Option<&str>, reference: &str) -> Page {
    page(
        title,
        &html! {
            h1 { (title) }
            p { (what_to_do) }
            @if let Some(detail) = detail {
                p.reference { "For the people who run the application: " (detail) "." }
            }
            p.reference { "Reference: " code { (reference) } }
        },
    )
}

/// Nothing is here.
pub(crate) fn not_found() -> Page {
    page(
        "Page not found",
        &html! {
            h1 { "Page not found" }
            p { "There is nothing at this address. If a link brought you here, tell whoever gave it to you." }
        },
    )
}

/// The broker itself.
pub(crate) fn home() -> Page {
    page(
        "Vestibule",
        &html! {
            h1 { "Vestibule" }
            p { "This is a sign-in service. It is running. To sign in, start from your application." }
            p { a href="/.well-known/openid-configuration" { "OpenID Connect configuration" } }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AZ-11
    #[test]
    fn the_policy_allows_the_style_sheet_and_nothing_else() {
        let policy = home().policy.to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}
