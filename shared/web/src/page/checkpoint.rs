//! The checkpoint's page: why somebody signs in, in their own words or as one of several reasons.

use maud::{Markup, html};
use vestibule_core::login::Told;
use vestibule_core::login::checkpoint::Question;
use vestibule_core::model::checkpoint::{Justification, Unacceptable};

use super::sign_in::extras;
use super::{Page, page_with};

/// Asks the tenant's question.
pub(crate) fn checkpoint(question: &Question) -> Page {
    let Question { id, application, look, asks, problem } = question;
    // A changed title is the first thing that a screen reader says of a page that came back.
    let title = if problem.is_some() { "Check your answer – Sign in" } else { "One more step – Sign in" };
    let (said, wrong) = match problem {
        Some((said, wrong)) => (said.as_str(), Some(words(*wrong))),
        None => ("", None),
    };
    let body = html! {
        @if let Some(logo) = &look.logo_url {
            img.logo src=(logo) alt=(look.name.as_deref().unwrap_or_default());
        }
        h1 { "One more step" }
        p {
            "You are about to sign in to " strong { (application) } ". "
            @if let Some(name) = &look.name { (name) } @else { "Your organisation" }
            " keeps your answer and shows it to its administrators."
        }
        form method="post" action="/oauth2/checkpoint" {
            input type="hidden" name="login" value=(id);
            @if asks.reasons.is_empty() { (own_words(asks, said, wrong.as_deref())) }
            @else { (reasons(asks, said, wrong.as_deref())) }
            button type="submit" { "Continue" }
            button.quiet type="submit" name="cancel" value="yes" formnovalidate { "Cancel" }
        }
    };
    page_with(title, &body, &extras(look, &[]))
}

fn own_words(asks: &Justification, said: &str, wrong: Option<&str>) -> Markup {
    let Justification { prompt, min_length, max_length, .. } = asks;
    html! {
        label for="justification" { (prompt) }
        @if let Some(wrong) = wrong { p #problem .problem role="alert" { (wrong) } }
        p #bounds .hint { (min_length) " to " (max_length) " characters" }
        // A line break right behind the tag does not count, one of the answer's own does.
        textarea #justification name="justification" rows="4" required minlength=(min_length) maxlength=(max_length)
            aria-invalid=[wrong.map(|_| "true")]
            aria-describedby=(if wrong.is_some() { "problem bounds" } else { "bounds" }) autofocus { "\n" (said) }
    }
}

fn reasons(asks: &Justification, said: &str, wrong: Option<&str>) -> Markup {
    html! {
        fieldset aria-describedby=[wrong.map(|_| "problem")] {
            legend { (asks.prompt) }
            @if let Some(wrong) = wrong { p #problem .problem role="alert" { (wrong) } }
            @for reason in &asks.reasons {
                label.choice {
                    input type="radio" name="justification" value=(reason) required checked[reason == said];
                    span { (reason) }
                }
            }
        }
    }
}

/// Says what a tenant's webhook said to somebody whom it does not let in. The way on is the application's: it gets its
/// answer by the link.
pub(crate) fn told(told: &Told) -> Page {
    let Told { application, look, message, back } = told;
    let body = html! {
        @if let Some(logo) = &look.logo_url {
            img.logo src=(logo) alt=(look.name.as_deref().unwrap_or_default());
        }
        h1 { "You are not signed in" }
        p { @if let Some(name) = &look.name { (name) } @else { "Your organisation" } " did not let you in:" }
        blockquote { (message) }
        p { a href=(back) { "Back to " (application) } }
    };
    page_with("You are not signed in", &body, &extras(look, &[]))
}

fn words(wrong: Unacceptable) -> String {
    match wrong {
        Unacceptable::NotAReason => "Choose one of the reasons.".to_owned(),
        Unacceptable::TooShort(least) => format!("Write at least {least} characters."),
        Unacceptable::TooLong(most) => format!("Write at most {most} characters."),
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::login::Look;

    use super::*;

    fn question(reasons: &[&str]) -> Question {
        let reasons = reasons.iter().map(|reason| (*reason).to_owned()).collect();
        Question {
            id: "\"><script>1".to_owned(),
            application: "<script>2".to_owned(),
            look: Look { name: Some("<script>3".to_owned()), ..Look::default() },
            asks: Justification { prompt: "<script>4".to_owned(), reasons, ..Justification::default() },
            problem: Some(("</textarea><script>5".to_owned(), Unacceptable::TooShort(10))),
        }
    }

    #[test]
    fn whatever_is_put_in_is_escaped() {
        for asked in [question(&[]), question(&["\"><script>6", "b"])] {
            let page = checkpoint(&asked);
            assert!(!page.html.contains("<script>"), "{}", page.html);
            assert_eq!(page.html.matches("</textarea>").count(), usize::from(asked.asks.reasons.is_empty()));
        }
        let page = told(&Told {
            application: "<script>1".to_owned(),
            look: question(&[]).look,
            message: "</blockquote><script>2".to_owned(),
            back: "https://app.example/?error=access_denied&state=%22%3E%3Cscript%3E".parse().unwrap(),
        });
        assert!(!page.html.contains("<script>") && page.html.matches("</blockquote>").count() == 1, "{}", page.html);
    }
}
