//! What came of a test login: what the provider said in its ID token and at userinfo, or in its assertion, or why it did not
//! work.

use maud::{Markup, html};
use serde_json::{Map, Value};
use vestibule_core::login::test_login::Shown;
use vestibule_core::model::test_login::TestClaims;

use super::{Extras, Page, page, page_with};

/// Claims need more room than a question does. Names and values break anywhere: they may be long.
const STYLE: &str = "main{max-width:48rem}\
    h2{margin:1.5rem 0 .5rem;font-size:1.125rem}\
    table{width:100%;table-layout:fixed;border-collapse:collapse}\
    th,td{padding:.5rem .5rem .5rem 0;border-top:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}\
    thead th,tbody th{font-weight:600}\
    th:first-child{width:35%}\
    td code{white-space:pre-wrap}\
    @media(max-width:32rem){table{font-size:.8125rem}th:first-child{width:42%}}";

/// Shows it.
pub(crate) fn test_login(shown: &Shown) -> Page {
    match shown {
        Shown::Over => {
            let body = html! {
                h1 { "This test login is over" }
                p { "Its link works once, for fifteen minutes, and in the browser that followed it. Make another one." }
            };
            page("This test login is over", &body)
        }
        Shown::Failed(reason) => {
            let body = html! {
                h1 { "The test login did not work" }
                p { (reason) }
                p.reference { "Nobody was signed in. When the connection is mended, make another test login." }
            };
            page("The test login did not work", &body)
        }
        Shown::Claims(claims) => {
            let body = html! {
                h1 { "The test login works" }
                p {
                    "This is what the identity provider said. Nobody was signed in and nobody was created. \
                     You can close this window."
                }
                @match &claims.assertion {
                    Some(assertion) => (table("Assertion", assertion)),
                    None => (tokens(claims)),
                }
            };
            let extras = Extras { style: Some(STYLE.to_owned()), ..Extras::default() };
            page_with("The test login works", &body, &extras)
        }
    }
}

fn tokens(claims: &TestClaims) -> Markup {
    html! {
        (table("ID token", &claims.id_token))
        @match &claims.userinfo {
            Some(userinfo) => (table("Userinfo", userinfo)),
            None => {
                h2 { "Userinfo" }
                p { "The identity provider has no userinfo endpoint." }
            }
        }
    }
}

fn table(source: &str, claims: &Map<String, Value>) -> Markup {
    html! {
        h2 { (source) }
        table {
            thead { tr { th scope="col" { "Claim" } th scope="col" { "Value" } } }
            tbody {
                @for (name, value) in claims {
                    tr { th scope="row" { (name) } td { code { (format!("{value:#}")) } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whatever_is_put_in_is_escaped() {
        let claims = json!({"<script>1": "</code><script>2", "b": ["<script>3"]});
        let id_token = claims.as_object().unwrap().clone();
        let none = TestClaims { id_token: id_token.clone(), userinfo: None, assertion: None };
        let both = TestClaims { userinfo: Some(id_token.clone()), ..none.clone() };
        let assertion = TestClaims { assertion: Some(id_token), ..none.clone() };
        for claims in [none, both, assertion] {
            let page = test_login(&Shown::Claims(claims));
            assert!(!page.html.contains("<script>"), "{}", page.html);
        }
        let page = test_login(&Shown::Failed("<script>".to_owned()));
        assert!(!page.html.contains("<script>"), "{}", page.html);
    }
}
