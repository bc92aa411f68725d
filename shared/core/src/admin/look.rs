//! What people see of a tenant and of its connections: pictures, colours and texts that become part of our pages, so
//! they are looked at closely.

use url::{Host, Url};

use super::problems::Problems;
use crate::model::routing;
use crate::model::sign_in::SignIn;

/// Least contrast of text that can be read (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;

/// A picture's address as it is kept: https, from a host that a page's policy can name.
pub(super) fn image_url(text: &str) -> Result<String, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    let named = matches!(url.host(), Some(Host::Domain(_)));
    if url.scheme() != "https" || !named || !url.username().is_empty() || url.password().is_some() {
        return Err("must be https, with a host's name and without a user name");
    }
    if text.len() > 1024 { Err("is longer than 1024 bytes") } else { Ok(url.into()) }
}

/// A colour on which white text can be read.
pub(super) fn colour(text: &str) -> Result<String, &'static str> {
    let channels = channels(text).ok_or("must be #rrggbb")?;
    if 1.05 / (luminance(channels) + 0.05) < CONTRAST {
        return Err("is too light: white text on it must have a contrast of at least 4.5:1");
    }
    Ok(text.to_ascii_lowercase())
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
pub(super) fn sign_in(problems: &mut Problems, mut input: SignIn) -> SignIn {
    if let Some(text) = &input.button_text
        && (text.trim().is_empty() || text.chars().count() > 60 || text.chars().any(char::is_control))
    {
        problems.add("/sign_in/button_text", "must have 1 to 60 characters");
    }
    let picture = input.button_image_url.take();
    input.button_image_url = picture.and_then(|text| problems.take("/sign_in/button_image_url", image_url(&text)));
    for (path, texts) in [("/sign_in/domains", &mut input.domains), ("/sign_in/hosts", &mut input.hosts)] {
        if texts.len() > 50 {
            problems.add(path, "has more than 50 entries");
        }
        for (index, text) in texts.iter_mut().enumerate() {
            let name = routing::domain(text).ok_or("is not a name such as corp.example");
            *text = problems.take(&format!("{path}/{index}"), name).unwrap_or_default();
        }
    }
    let finds = &input.finds_provisioned_by;
    for (index, by) in finds.iter().enumerate() {
        if finds.iter().take(index).any(|other| other == by) {
            problems.add(format!("/sign_in/finds_provisioned_by/{index}"), "is there twice");
        }
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_text_can_be_read_on_a_colour() {
        for fine in ["#000000", "#1f4fbf", "#1F4FBF", "#767676", "#c00000"] {
            assert_eq!(colour(fine), Ok(fine.to_ascii_lowercase()));
        }
        for wrong in ["#ffffff", "#777777", "#ffcc00", "#00ff00", "1f4fbf", "#1f4fb", "#1f4fbff", "#+f4fbf", "red", ""]
        {
            assert!(colour(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pictures_come_over_https_from_a_named_host() {
        assert_eq!(image_url("https://IMG.example/a b").as_deref(), Ok("https://img.example/a%20b"));
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
            assert!(image_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_take_their_one_form() {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let kept = sign_in(&mut Problems::default(), SignIn { domains: owned(&["Corp.Example"]), ..SignIn::default() });
        assert_eq!(kept.domains, ["corp.example"]);
        let refused = |input| {
            let mut problems = Problems::default();
            sign_in(&mut problems, input);
            problems.none().is_err()
        };
        for wrong in ["*.example", "corp", "a@corp.example", ""] {
            assert!(refused(SignIn { hosts: owned(&["corp.example", wrong]), ..SignIn::default() }), "{wrong}");
        }
        for wrong in ["", " ", "two\nlines", &"x".repeat(61)] {
            assert!(refused(SignIn { button_text: Some((*wrong).to_owned()), ..SignIn::default() }), "{wrong}");
        }
    }
}
