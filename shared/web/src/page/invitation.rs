//! The pages behind the link of an invitation: who invites, and where to go on.

use maud::{Markup, html};
use vestibule_core::invitations::Welcome;

use super::sign_in::extras;
use super::{Page, page_with};

/// Says who invites. `token` goes along with the button.
pub(crate) fn invited(welcome: &Welcome, token: &str) -> Page {
    let Welcome { look, application } = welcome;
    let body = html! {
        (logo(welcome))
        h1 { "You are invited" }
        p {
            @if let Some(name) = &look.name { strong { (name) } } @else { "Your organisation" }
            " invites you to sign in"
            @if let Some(application) = application { " to " strong { (application) } }
            "."
        }
        p { "Go on, and then sign in with the e-mail address that this invitation was sent to." }
        form method="post" action="/oauth2/invitation" {
            input type="hidden" name="token" value=(token);
            button type="submit" { "Continue" }
        }
    };
    page_with("You are invited", &body, &extras(look, &[]))
}

/// Says where to sign in, where we cannot lead there.
pub(crate) fn opened(welcome: &Welcome) -> Page {
    let Welcome { look, application } = welcome;
    let body = html! {
        (logo(welcome))
        h1 { "One step is left" }
        p {
            "Open "
            @if let Some(application) = application { strong { (application) } }
            @else { "the application that you were invited to" }
            " in this browser within the next 30 minutes, and sign in there with the e-mail address that this "
            "invitation was sent to."
        }
        p { "You can close this window. If you need more time, open the link of the invitation again." }
    };
    page_with("One step is left – Invitation", &body, &extras(look, &[]))
}

fn logo(welcome: &Welcome) -> Markup {
    let look = &welcome.look;
    html! {
        @if let Some(logo) = &look.logo_url {
            img.logo src=(logo) alt=(look.name.as_deref().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::invitations::OPENED_LIFE;
    use vestibule_core::login::Look;

    use super::*;

    #[test]
    fn whatever_is_put_in_is_escaped() {
        let look = Look { name: Some("<script>1".to_owned()), ..Look::default() };
        let welcome = Welcome { look, application: Some("<script>2".to_owned()) };
        for page in [invited(&welcome, "\"><script>3"), opened(&welcome)] {
            assert!(!page.html.contains("<script>"), "{}", page.html);
        }
    }

    #[test]
    fn the_page_says_how_long_the_browser_remembers() {
        let welcome = Welcome { look: Look::default(), application: None };
        assert!(opened(&welcome).html.contains(&format!("{} minutes", OPENED_LIFE.0 / 60)));
    }
}
