//! What people see of a tenant and of its connections: pictures, colours and texts that become part of our pages, so
//! they are looked at closely.

use url::{Host, Url};

use crate::error::AdminError;
use crate::model::routing;
use crate::model::sign_in::SignIn;

/// Least contrast of text that can be read (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;

/// A picture's address as it is kept: https, from a host that a page's policy can name.
pub(super) fn image_url(field: &'static str, text: Option<String>) -> Result<Option<String>, AdminError> {
    let Some(text) = text else { return Ok(None) };
    let invalid = |problem| AdminError::Invalid { field, problem };
    let url = Url::parse(&text).map_err(|_| invalid("is not a URL"))?;
    let named = matches!(url.host(), Some(Host::Domain(_)));
    if url.scheme() != "https" || !named || !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("must be https, with a host's name and without a user name"));
    }
    if text.len() > 1024 {
        return Err(invalid("is longer than 1024 bytes"));
    }
    Ok(Some(url.into()))
}

/// A colour on which white text can be read.
pub(super) fn colour(text: Option<String>) -> Result<Option<String>, AdminError> {
    let Some(text) = text else { return Ok(None) };
    let invalid = |problem| AdminError::Invalid { field: "colour", problem };
    let channels = channels(&text).ok_or(invalid("must be #rrggbb"))?;
    if 1.05 / (luminance(channels) + 0.05) < CONTRAST {
        return Err(invalid("is too light: white text on it must have a contrast of at least 4.5:1"));
    }
    Ok(Some(text.to_ascii_lowercase()))
}

fn channels(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    // `from_str_radix` would take a sign.
    let hexadecimal = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal)?.to_be_bytes();
    Some([red, green, blue])
}

/// Relative luminance (WCAG 2.2).
fn luminance(channels: [u8; 3]) -> f64 {
    let linear = channels.map(|channel| {
        let part = f64::from(channel) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    let [red, green, blue] = linear;
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// How a connection is offered, as it is kept: names in their one form.
pub(super) fn sign_in(mut input: SignIn) -> Result<SignIn, AdminError> {
    let invalid = |field, problem| AdminError::Invalid { field, problem };
    if let Some(text) = &input.button_text
        && (text.trim().is_empty() || text.chars().count() > 60 || text.chars().any(char::is_control))
    {
        return Err(invalid("sign_in.button_text", "must have 1 to 60 characters"));
    }
    input.button_image_url = image_url("sign_in.button_image_url", input.button_image_url)?;
    for (field, texts) in [("sign_in.domains", &mut input.domains), ("sign_in.hosts", &mut input.hosts)] {
        if texts.len() > 50 {
            return Err(invalid(field, "has more than 50 entries"));
        }
        for text in texts.iter_mut() {
            *text =
                routing::domain(text).ok_or(invalid(field, "has an entry that is not a name such as corp.example"))?;
        }
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_text_can_be_read_on_a_colour() {
        for fine in ["#000000", "#1f4fbf", "#1F4FBF", "#767676", "#c00000"] {
            assert_eq!(colour(Some(fine.to_owned())), Ok(Some(fine.to_ascii_lowercase())));
        }
        for wrong in ["#ffffff", "#777777", "#ffcc00", "#00ff00", "1f4fbf", "#1f4fb", "#1f4fbff", "#+f4fbf", "red", ""]
        {
            assert!(colour(Some(wrong.to_owned())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pictures_come_over_https_from_a_named_host() {
        let checked = |text: &str| image_url("logo_url", Some(text.to_owned()));
        assert_eq!(checked("https://IMG.example/a b"), Ok(Some("https://img.example/a%20b".to_owned())));
        for wrong in [
            "http://img.example/",
            "https://192.0.2.1/",
            "https://[::1]/",
            "https://me@img.example/",
            "data:image/png;base64,AA",
            "javascript:alert(1)",
            "/logo.png",
            &format!("https://img.example/{}", "x".repeat(1024)),
        ] {
            assert!(checked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_take_their_one_form() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let kept = sign_in(SignIn { domains: owned(&["Corp.Example"]), ..SignIn::default() }).unwrap();
        assert_eq!(kept.domains, ["corp.example"]);
        for wrong in ["*.example", "corp", "a@corp.example", ""] {
            assert!(sign_in(SignIn { hosts: owned(&[wrong]), ..SignIn::default() }).is_err(), "{wrong}");
        }
        for wrong in ["", " ", "two\nlines", &"x".repeat(61)] {
            assert!(
                sign_in(SignIn { button_text: Some((*wrong).to_owned()), ..SignIn::default() }).is_err(),
                "{wrong}"
            );
        }
    }
}
