//! The words of a filter, each with the place where it begins.

use super::parse::SyntaxError;
use super::{Literal, MAX_LENGTH};

/// A word of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// An attribute's path, an operator, `and`, `true` …; after `]` it may begin with a dot.
    Word(&'a str),
    /// A text or a number.
    Literal(Literal),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// Nothing more.
    End,
}

/// Takes a filter apart.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_LENGTH { Err(SyntaxError::TooLong) } else { Ok(Self { text, at: 0 }) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The error that `what` should have begun at the byte `at`. People count characters, from 1.
    pub(super) fn expected(&self, at: usize, what: &'static str) -> SyntaxError {
        let before = self.text.get(..at).unwrap_or(self.text);
        SyntaxError::Expected { position: before.chars().count() + 1, what }
    }

    /// The next word and the byte where it begins.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'a>), SyntaxError> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let (start, rest) = (self.at, self.rest());
        let (length, token) = match rest.bytes().next() {
            None => (0, Token::End),
            Some(b'(') => (1, Token::Open),
            Some(b')') => (1, Token::Close),
            Some(b'[') => (1, Token::OpenBracket),
            Some(b']') => (1, Token::CloseBracket),
            Some(b'"') => self.text(rest)?,
            Some(b'-' | b'0'..=b'9') => self.number(rest)?,
            Some(_) => self.word(rest)?,
        };
        self.at += length;
        Ok((start, token))
    }

    fn word(&self, rest: &'a str) -> Result<(usize, Token<'a>), SyntaxError> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$:./".contains(&byte);
        let length = rest.bytes().take_while(|byte| is_part(*byte)).count();
        match rest.get(..length) {
            Some(word) if length > 0 => Ok((length, Token::Word(word))),
            _ => Err(self.expected(self.at, "an attribute, an operator or a value")),
        }
    }

    /// A JSON string: the first quote that no backslash stands before ends it.
    fn text(&self, rest: &'a str) -> Result<(usize, Token<'a>), SyntaxError> {
        let mut escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let length = end.ok_or_else(|| self.expected(self.text.len(), "the quote that ends the text"))? + 2;
        let text = serde_json::from_str(rest.get(..length).unwrap_or_default());
        let text = text.map_err(|_| self.expected(self.at, "a text with the escapes of JSON"))?;
        Ok((length, Token::Literal(Literal::Text(text))))
    }

    fn number(&self, rest: &'a str) -> Result<(usize, Token<'a>), SyntaxError> {
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        let number = rest.get(..length).unwrap_or_default();
        let literal = number_literal(number).ok_or_else(|| self.expected(self.at, "a number of JSON"))?;
        Ok((length, Token::Literal(literal)))
    }
}

/// A number as JSON writes it. Rust reads more than that (`1.`, `inf`), so JSON's own grammar is asked first.
fn number_literal(text: &str) -> Option<Literal> {
    serde_json::from_str::<serde_json::Number>(text).ok()?;
    if let Ok(whole) = text.parse() {
        return Some(Literal::Integer(whole));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Literal::Decimal)
}
