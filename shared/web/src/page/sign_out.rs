//! The pages of a sign-out: the question, the end with the applications' frames, and what a provider's page frames.

use maud::{Markup, PreEscaped, html};
use vestibule_core::saml::sending::PostForm;

use super::{Extras, Page, origin, page, page_with};

/// Where applications and providers are; plain http on loopback only, which is for the admin API to see to.
const WEB: [&str; 2] = ["https", "http"];

/// Asks whether to sign out; a yes carries the request's own parameters along.
pub(crate) fn ask_sign_out(parameters: &[(&str, &str)]) -> Page {
    page(
        "Sign out?",
        &html! {
            h1 { "Sign out?" }
            p { "You are signed in. Do you want to sign out in this browser?" }
            form method="post" action="/oauth2/logout" {
                @for (name, value) in parameters {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="confirm" value="yes";
                button type="submit" { "Sign out" }
            }
        },
    )
}

/// It is done. Applications end their own sessions in `frames`, which may run their scripts and use their cookies, and
/// can do nothing to this page; then the browser goes on to `location`, if there is one.
pub(crate) fn signed_out(location: Option<&str>, frames: &[&str]) -> Page {
    let (hidden, frame_origins) = framing(frames);
    let body = html! {
        (hidden)
        h1 { "Signed out" }
        @if let Some(location) = location {
            p { "You are signed out here. You will be taken on in a moment." }
            p { a href=(location) { "Continue" } }
        } @else {
            p { "You are signed out here. You can close this window." }
        }
    };
    page_with("Signed out", &body, &Extras { frame_origins, ..Extras::default() })
}

/// The same, where the browser goes on with a form: after the time that frames get, or by its button.
pub(crate) fn signed_out_here(form: &PostForm, frames: &[&str]) -> Page {
    const SCRIPT: &str = "setTimeout(()=>document.forms[0].submit(),2000)";
    let (hidden, frame_origins) = framing(frames);
    let body = html! {
        (hidden)
        h1 { "Signed out" }
        p { "You are signed out here. You will be taken to your identity provider in a moment." }
        form method="post" action=(form.to.as_str()) {
            @for (name, value) in &form.fields {
                input type="hidden" name=(name) value=(value);
            }
            button type="submit" { "Continue" }
        }
        script { (PreEscaped(SCRIPT)) }
    };
    page_with("Signed out", &body, &Extras { frame_origins, script: Some(SCRIPT), ..Extras::default() })
}

/// Frames of applications, and their origins. What the policy cannot name is left out.
fn framing(frames: &[&str]) -> (Markup, Vec<String>) {
    let (frames, mut origins): (Vec<&str>, Vec<String>) =
        frames.iter().filter_map(|frame| Some((*frame, origin(frame, &WEB)?))).unzip();
    origins.sort_unstable();
    origins.dedup();
    let hidden = html! {
        @for frame in frames {
            iframe hidden title="Sign-out of an application" src=(frame) sandbox="allow-scripts allow-same-origin" {}
        }
    };
    (hidden, origins)
}

/// What nobody sees, in a frame of the page of a provider at this origin.
pub(crate) fn framed(provider: &str) -> Page {
    let extras = Extras { framed_by: origin(provider, &WEB), ..Extras::default() };
    page_with("Signed out", &html! { p { "Signed out" } }, &extras)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(page: &Page) -> &str {
        page.policy.to_str().unwrap()
    }

    #[test]
    fn whatever_is_put_in_is_escaped() {
        let page = ask_sign_out(&[("state", "\"><script>alert(1)</script>")]);
        assert!(!page.html.contains("<script>"));
        assert!(page.html.contains("&quot;&gt;&lt;script&gt;"));
        let address = "https://app.example/?a=1&b='\"><script>";
        let page = signed_out(Some(address), &["https://app.example/?a=1&b=%22><script>"]);
        assert!(!page.html.contains("<script>"), "{}", page.html);
        assert!(page.html.contains("a=1&amp;b="), "{}", page.html);
    }

    /// LO-6, AZ-11: frames load from where applications are, and from nowhere else.
    #[test]
    fn the_policy_names_the_frames_origins_only() {
        let frames =
            ["https://b.example:8443/out?sid=1", "https://a.example/x", "https://a.example/y", "https://c;d.example/"];
        let page = signed_out(None, &frames);
        assert!(policy(&page).contains("; frame-src https://a.example https://b.example:8443;"), "{}", policy(&page));
        assert!(policy(&page).contains("frame-ancestors 'none'"));
        assert!(!page.html.contains("c;d.example"), "what the policy cannot name is not framed");
        assert_eq!(page.html.matches("<iframe").count(), 3);
        assert!(!policy(&signed_out(None, &[])).contains("frame-src"));
    }

    #[test]
    fn a_form_waits_for_the_frames() {
        let fields = vec![("SAMLRequest", "\"><script>".to_owned())];
        let form = PostForm { to: "https://idp.example/slo".parse().unwrap(), fields };
        let page = signed_out_here(&form, &["https://a.example/out"]);
        assert_eq!((page.html.matches("<script").count(), page.html.matches("<iframe").count()), (1, 1));
        assert!(policy(&page).contains("; script-src 'sha256-"), "{}", policy(&page));
        assert!(policy(&page).contains("; frame-src https://a.example;"), "{}", policy(&page));
    }

    /// LO-6
    #[test]
    fn the_provider_alone_frames_what_it_asks_for() {
        assert!(policy(&framed("https://idp.example:444")).ends_with("frame-ancestors https://idp.example:444"));
        for odd in ["null", "", "https://a;b", "*", "'self'", "data:x"] {
            assert!(policy(&framed(odd)).ends_with("frame-ancestors 'none'"), "{odd}");
        }
    }
}
