//! From words to a tree. Each level of nesting is one level of recursion, and counted.

use super::token::{Token, Tokens};
use super::{Filter, Literal, MAX_DEPTH, MAX_TERMS, Operator};
use crate::scim::path::AttributePath;
use crate::scim::{Error, ScimType};

/// Why a filter or path can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Something else should stand there.
    #[error("at position {position}: expected {what}")]
    Expected {
        /// The character where it should begin, counted from 1.
        position: usize,
        /// What should stand there.
        what: &'static str,
    },
    /// More than [`super::MAX_LENGTH`] bytes.
    #[error("longer than 4096 bytes")]
    TooLong,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested deeper than 16 levels")]
    TooDeep,
    /// More comparisons than [`MAX_TERMS`].
    #[error("more than 100 comparisons")]
    TooManyTerms,
}

impl SyntaxError {
    /// The error of a filter.
    pub fn of_filter(self) -> Error {
        Error::new(ScimType::InvalidFilter, format!("the filter can't be read: {self}"))
    }
}

/// Reads filters and the paths of PATCH operations.
#[derive(Debug, Clone)]
pub struct Parser<'a> {
    tokens: Tokens<'a>,
    next: (usize, Token<'a>),
    depth: usize,
    terms: usize,
    in_brackets: bool,
}

impl<'a> Parser<'a> {
    /// Begins to read.
    pub fn new(text: &'a str) -> Result<Self, SyntaxError> {
        let mut tokens = Tokens::new(text)?;
        let next = tokens.next()?;
        Ok(Self { tokens, next, depth: 0, terms: 0, in_brackets: false })
    }

    /// Nothing may follow.
    pub fn end(&self) -> Result<(), SyntaxError> {
        if self.next.1 == Token::End { Ok(()) } else { Err(self.expected("'and', 'or' or the end")) }
    }

    /// A whole filter: `or` binds least.
    pub fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let mut alternatives = vec![self.conjunction()?];
        while self.take_word("or")? {
            alternatives.push(self.conjunction()?);
        }
        Ok(Filter::or(alternatives))
    }

    fn conjunction(&mut self) -> Result<Filter, SyntaxError> {
        let mut conditions = vec![self.condition()?];
        while self.take_word("and")? {
            conditions.push(self.condition()?);
        }
        Ok(Filter::and(conditions))
    }

    fn condition(&mut self) -> Result<Filter, SyntaxError> {
        let negated = self.take_word("not")?;
        if self.next.1 == Token::Open {
            let group = self.nested(&Token::Close, "')'")?;
            return Ok(if negated { Filter::Not(Box::new(group)) } else { group });
        }
        if negated {
            return Err(self.expected("'('"));
        }
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(SyntaxError::TooManyTerms);
        }
        let path = self.path()?;
        match self.value_filter()? {
            None => self.comparison(path),
            Some(filter) => {
                // Entra: `emails[type eq "work"].value eq "x"`. One value must fulfil both, so it is one more term.
                let filter = match self.sub_attribute()? {
                    None => filter,
                    Some(sub) => {
                        let sub = self.comparison(AttributePath { schema: None, name: sub, sub: None })?;
                        Filter::and(vec![filter, sub])
                    }
                };
                Ok(Filter::Element { path, filter: Box::new(filter) })
            }
        }
    }

    /// An attribute's path.
    pub fn path(&mut self) -> Result<AttributePath, SyntaxError> {
        let path = match self.next.1 {
            Token::Word(word) => AttributePath::parse(word),
            _ => None,
        };
        let path = path.ok_or_else(|| self.expected("an attribute's name"))?;
        self.advance()?;
        Ok(path)
    }

    /// `[…]`, where it is. There is none inside another.
    pub fn value_filter(&mut self) -> Result<Option<Filter>, SyntaxError> {
        if self.next.1 != Token::OpenBracket {
            return Ok(None);
        }
        if self.in_brackets {
            return Err(self.expected("an operator: a value path has no value path inside"));
        }
        self.in_brackets = true;
        let filter = self.nested(&Token::CloseBracket, "']'")?;
        self.in_brackets = false;
        Ok(Some(filter))
    }

    /// `.name`, right after `]`.
    pub fn sub_attribute(&mut self) -> Result<Option<String>, SyntaxError> {
        let Token::Word(word) = self.next.1 else { return Ok(None) };
        let Some(name) = word.strip_prefix('.') else { return Ok(None) };
        if !crate::scim::path::is_name(name) {
            return Err(self.expected("a sub-attribute's name"));
        }
        self.advance()?;
        Ok(Some(name.to_owned()))
    }

    fn comparison(&mut self, path: AttributePath) -> Result<Filter, SyntaxError> {
        let Token::Word(word) = self.next.1 else { return Err(self.expected("an operator")) };
        if word.eq_ignore_ascii_case("pr") {
            self.advance()?;
            return Ok(Filter::Present(path));
        }
        let operator = Operator::parse(word)
            .ok_or_else(|| self.expected("an operator: eq, ne, co, sw, ew, pr, gt, ge, lt or le"))?;
        self.advance()?;
        let value = self.literal()?;
        Ok(Filter::Compare { path, operator, value })
    }

    fn literal(&mut self) -> Result<Literal, SyntaxError> {
        let value = match &self.next.1 {
            Token::Literal(literal) => Some(literal.clone()),
            // Entra writes `True`.
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Some(Literal::Boolean(true)),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Some(Literal::Boolean(false)),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Some(Literal::Null),
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected("a text in double quotes, a number, true, false or null"))?;
        self.advance()?;
        Ok(value)
    }

    /// What stands between a bracket, which is next, and its closing one.
    fn nested(&mut self, close: &Token<'a>, closing: &'static str) -> Result<Filter, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(SyntaxError::TooDeep);
        }
        self.depth += 1;
        self.advance()?;
        let filter = self.filter()?;
        if self.next.1 != *close {
            return Err(self.expected(closing));
        }
        self.advance()?;
        self.depth -= 1;
        Ok(filter)
    }

    fn take_word(&mut self, word: &str) -> Result<bool, SyntaxError> {
        let is_next = matches!(self.next.1, Token::Word(next) if next.eq_ignore_ascii_case(word));
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    fn advance(&mut self) -> Result<(), SyntaxError> {
        self.next = self.tokens.next()?;
        Ok(())
    }

    fn expected(&self, what: &'static str) -> SyntaxError {
        self.tokens.expected(self.next.0, what)
    }
}
