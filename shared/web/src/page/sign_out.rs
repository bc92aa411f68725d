//! The pages of a sign-out: the question, the end with the applications' frames, and what a provider's page frames.

use maud::html;

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
    let (frames, mut frame_origins): (Vec<&str>, Vec<String>) =
        frames.iter().filter_map(|frame| Some((*frame, origin(frame, &WEB)?))).unzip();
    frame_origins.sort_unstable();
    frame_origins.dedup();
    let body = html! {
        h1 { "Signed out" }
        @if let Some(location) = location {
            p { "You are signed out here. You will be taken on in a moment." }
            p { a href=(location) { "Continue" } }
        } @else {
            p { "You are signed out here. You can close this window." }
        }
        @for frame in frames {
            iframe hidden title="Sign-out of an application" src=(frame) sandbox="allow-scripts allow-same-origin" {}
        }
    };
    page_with("Signed out", &body, &Extras { frame_origins, ..Extras::default() })
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

    /// LO-6
    #[test]
    fn the_provider_alone_frames_what_it_asks_for() {
        assert!(policy(&framed("https://idp.example:444")).ends_with("frame-ancestors https://idp.example:444"));
        for odd in ["null", "", "https://a;b", "*", "'self'", "data:x"] {
            assert!(policy(&framed(odd)).ends_with("frame-ancestors 'none'"), "{odd}");
        }
    }
}
