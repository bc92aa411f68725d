//! Parameters of a query string or a form body (`application/x-www-form-urlencoded`), read strictly.
//!
//! RFC 6749 §3.1: a parameter that is sent without a value counts as left out, one that is sent twice is an error,
//! an unknown one is ignored.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Decoded parameters, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Why parameters cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// A percent sign without two hex digits, or bytes that are not UTF-8.
    #[error("parameters are not valid percent-encoded UTF-8")]
    Encoding,
    /// A parameter came more than once.
    #[error("a parameter is repeated")]
    Repeated,
}

impl<'a> Params<'a> {
    /// Decodes `text`.
    pub fn parse(text: &'a str) -> Result<Self, ParamsError> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((decode(name)?, decode(value)?))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of `name`, or `None` when it was left out or sent empty.
    pub fn get(&self, name: &str) -> Result<Option<&str>, ParamsError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(ParamsError::Repeated),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// Every pair, as it came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, and the bytes are UTF-8.
pub fn decode(text: &str) -> Result<Cow<'_, str>, ParamsError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let complete =
                [bytes.next(), bytes.next()].iter().all(|hex| hex.is_some_and(|hex| hex.is_ascii_hexdigit()));
            if !complete {
                return Err(ParamsError::Encoding);
            }
        }
    }
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| ParamsError::Encoding)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(|_| ParamsError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_count_as_left_out() {
        let params = Params::parse("a=1%202+3&b=&c&&%C3%A9=%F0%9F%94%91").unwrap();
        assert_eq!(params.get("a"), Ok(Some("1 2 3")));
        assert_eq!(params.get("b"), Ok(None));
        assert_eq!(params.get("c"), Ok(None));
        assert_eq!(params.get("é"), Ok(Some("🔑")));
        assert_eq!(params.get("d"), Ok(None));
    }

    /// AZ-2: a repeated parameter is refused where it is asked for; an unknown one disturbs nobody.
    #[test]
    fn a_repeated_parameter_is_an_error_for_its_reader() {
        let params = Params::parse("a=1&b=2&a=1").unwrap();
        assert_eq!(params.get("a"), Err(ParamsError::Repeated));
        assert_eq!(params.get("b"), Ok(Some("2")));
    }

    /// AZ-13
    #[test]
    fn broken_encodings_are_refused() {
        for broken in ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%C3%28", "a=%+1"] {
            assert_eq!(Params::parse(broken), Err(ParamsError::Encoding), "{broken}");
        }
    }
}
