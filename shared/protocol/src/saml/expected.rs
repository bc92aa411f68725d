//! What a message must say to be for us, from the right party, now.

use super::Refused;
use super::instant;
use crate::time::{Seconds, Timestamp};

/// What is expected of a response.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Entity id of the identity provider.
    pub issuer: &'a str,
    /// Our entity id for this connection.
    pub audience: &'a str,
    /// The address of our assertion consumer service for this connection.
    pub acs: &'a str,
    /// The request of this browser, if it made one.
    pub request: Option<&'a str>,
    /// Whether a response may come without a request.
    pub unsolicited: bool,
    /// The present.
    pub now: Timestamp,
    /// How far clocks may differ.
    pub skew: Seconds,
}

/// What a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The answer to this browser's request.
    Requested,
    /// It came by itself.
    Unsolicited,
}

impl Expected<'_> {
    /// Whether `in_response_to` is what it should be.
    pub(super) fn check_answer(&self, in_response_to: Option<&str>) -> Result<Answer, Refused> {
        match (in_response_to, self.request) {
            (Some(named), Some(request)) if named == request => Ok(Answer::Requested),
            (None, _) if self.unsolicited => Ok(Answer::Unsolicited),
            (None, _) => Err(Refused::Unsolicited),
            (Some(_), None) if self.unsolicited => Err(Refused::DummyInResponseTo),
            (Some(_), _) => Err(Refused::InResponseTo),
        }
    }

    /// The instant in an attribute, if it is there and has not come.
    pub(super) fn check_end(&self, end: Option<&str>) -> Result<Option<Timestamp>, Refused> {
        let end = end.map(instant::parse).transpose()?;
        match end {
            Some(end) if (end + self.skew).has_passed(self.now) => Err(Refused::Expired),
            end => Ok(end),
        }
    }

    /// The instant in an attribute must have come, if it is there.
    pub(super) fn check_start(&self, start: Option<&str>) -> Result<(), Refused> {
        match start.map(instant::parse).transpose()? {
            Some(start) if start > self.now + self.skew => Err(Refused::NotYet),
            _ => Ok(()),
        }
    }
}
