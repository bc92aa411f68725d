//! The sign-in page: an e-mail address first, or one button for each way to sign in. The authorization request travels
//! in hidden fields; whatever comes back is read as if it had never been seen.

use maud::{Markup, html};
use vestibule_core::login::Look;
use vestibule_core::login::choose::{Ask, Button, Question};

use super::{Extras, Page, origin, page_with};

/// Asks which way somebody signs in.
pub(crate) fn sign_in(question: &Question) -> Page {
    let Question { application, look, carried, ask } = question;
    let title = match ask {
        // A changed title is the first thing that a screen reader says of a page that came back.
        Ask::Email { unknown: Some(_) } => "Check your e-mail address – Sign in",
        _ => "Sign in",
    };
    let body = html! {
        @if let Some(logo) = &look.logo_url {
            img.logo src=(logo) alt=(look.name.as_deref().unwrap_or_default());
        }
        h1 { "Sign in" }
        p { "Continue to " strong { (application) } }
        form method="post" action="/oauth2/authorize" {
            @for (name, value) in carried {
                input type="hidden" name=(name) value=(value);
            }
            @match ask {
                Ask::Email { unknown } => (email(unknown.as_deref())),
                Ask::Connection(buttons) => (ways(buttons)),
            }
        }
    };
    let images: Vec<&str> = match ask {
        Ask::Connection(buttons) => buttons.iter().filter_map(|button| button.image_url.as_deref()).collect(),
        Ask::Email { .. } => Vec::new(),
    };
    page_with(title, &body, &extras(look, &images))
}

fn email(unknown: Option<&str>) -> Markup {
    html! {
        label for="email" { "E-mail address" }
        @if let Some(address) = unknown {
            p #problem .problem role="alert" {
                "We cannot sign you in with this address here. Check it, or ask your administrator how you sign in."
            }
            input #email type="email" name="login_hint" value=(address) required maxlength="254" autocomplete="email"
                aria-invalid="true" aria-describedby="problem" autofocus;
        } @else {
            input #email type="email" name="login_hint" required maxlength="254" autocomplete="email" autofocus;
        }
        button type="submit" { "Continue" }
    }
}

fn ways(buttons: &[Button]) -> Markup {
    html! {
        // Safari forgets that a list without bullets is one.
        ul.ways role="list" aria-label="Ways to sign in" {
            @for Button { connection, text, image_url } in buttons {
                li {
                    button.way type="submit" name="connection" value=(connection) {
                        @if let Some(image) = image_url { img src=(image) alt=""; }
                        span { (text) }
                    }
                }
            }
        }
    }
}

/// Style and pictures of a tenant's page; `images` are those beside its logo.
pub(super) fn extras(look: &Look, images: &[&str]) -> Extras {
    let mut image_origins: Vec<String> =
        images.iter().copied().chain(look.logo_url.as_deref()).filter_map(|image| origin(image, &["https"])).collect();
    image_origins.sort_unstable();
    image_origins.dedup();
    let style = look.colour.as_deref().filter(|colour| is_colour(colour)).map(|colour| {
        format!(":root {{ --brand: {colour}; --on-brand: #fff; }} main {{ border-top: 0.375rem solid {colour}; }}")
    });
    Extras { style, image_origins, ..Extras::default() }
}

/// It was checked when it was set; it becomes style here, so it is looked at once more.
fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(ask: Ask) -> Question {
        Question {
            application: "A & B".to_owned(),
            look: Look::default(),
            carried: vec![("state".to_owned(), "\"><script>alert(1)</script>".to_owned())],
            ask,
        }
    }

    fn two_ways(image: &str) -> Ask {
        let button = |connection: &str, image_url| Button {
            connection: connection.to_owned(),
            text: format!("With <{connection}>"),
            image_url,
        };
        Ask::Connection(vec![button("a", None), button("b", Some(image.to_owned()))])
    }

    #[test]
    fn whatever_is_put_in_is_escaped() {
        for ask in [Ask::Email { unknown: Some("\"><script>".to_owned()) }, two_ways("https://x.example/\"><script>")] {
            let page = sign_in(&question(ask));
            assert!(!page.html.contains("<script>"), "{}", page.html);
            assert!(page.html.contains("A &amp; B"));
        }
    }

    /// AZ-11: pictures load from where the tenant said, and from nowhere else.
    #[test]
    fn the_policy_names_the_pictures_hosts_only() {
        let policy = |question: &Question| sign_in(question).policy.to_str().unwrap().to_owned();
        let mut with_images = question(two_ways("https://img.example:8443/b.png"));
        with_images.look.logo_url = Some("https://logo.example/l.svg".to_owned());
        let allowed = policy(&with_images);
        assert!(allowed.contains("; img-src https://img.example:8443 https://logo.example;"), "{allowed}");
        assert!(!policy(&question(Ask::Email { unknown: None })).contains("img-src"));
        for odd in ["http://img.example/", "https://a;b/", "data:x", "https://u@img.example/", "/x"] {
            let policy = policy(&question(two_ways(odd)));
            assert!(!policy.contains("img-src"), "{odd}: {policy}");
        }
    }

    #[test]
    fn a_colour_is_style_that_the_policy_knows() {
        let mut tinted = question(Ask::Email { unknown: None });
        tinted.look.colour = Some("#1f4fbf".to_owned());
        let page = sign_in(&tinted);
        assert!(page.html.contains("--brand: #1f4fbf"));
        assert_eq!(page.policy.to_str().unwrap().matches("'sha256-").count(), 2);
        tinted.look.colour = Some("#1f4f}</".to_owned());
        let page = sign_in(&tinted);
        assert!(!page.html.contains("1f4f}"));
        assert_eq!(page.policy.to_str().unwrap().matches("'sha256-").count(), 1);
    }
}
