//! What an operation of the admin API is: which way it goes, whose business it is, where.

use http::Method;
use vestibule_core::admin::caller::Area;

/// What is known of an operation before it is called.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    /// Whose business it is.
    pub(crate) area: Area,
    /// Below `/admin/v1`.
    pub(crate) path: &'static str,
    /// One line for people.
    pub(crate) summary: &'static str,
}

/// The ways in which an operation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shows an object and its tag.
    Get,
    /// Shows a page of a list.
    List,
    /// Shows a page of events.
    Events,
    /// Shows what there is of each day.
    Days,
    /// Shows a page of events, a line of JSON each.
    Export,
    /// Shows what is no object.
    Show,
    /// Creates or replaces an object.
    Put,
    /// Removes an object.
    Delete,
    /// Makes an object whose name is ours to give.
    Create,
    /// Changes an object in a way of its own.
    Act,
    /// Changes several objects in a way of its own.
    Run,
    /// Looks at an object in a way of its own.
    Check,
}

impl Kind {
    /// The method.
    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Get | Self::List | Self::Days | Self::Events | Self::Export | Self::Show => Method::GET,
            Self::Put => Method::PUT,
            Self::Delete => Method::DELETE,
            Self::Create | Self::Act | Self::Run | Self::Check => Method::POST,
        }
    }

    /// Whether it changes something.
    pub(crate) const fn is_change(self) -> bool {
        matches!(self, Self::Put | Self::Delete | Self::Create | Self::Act | Self::Run)
    }

    /// How it ends when all is well.
    pub(crate) const fn successes(self) -> &'static [u16] {
        match self {
            Self::Get
            | Self::List
            | Self::Days
            | Self::Events
            | Self::Export
            | Self::Show
            | Self::Act
            | Self::Run
            | Self::Check => &[200],
            Self::Put => &[200, 201],
            Self::Create => &[201],
            Self::Delete => &[204],
        }
    }

    /// What its answer is written in.
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Export => "application/x-ndjson",
            _ => "application/json",
        }
    }

    /// Whether its answer has the tag of an object's state.
    pub(crate) const fn is_tagged(self) -> bool {
        matches!(self, Self::Get | Self::Put | Self::Create | Self::Act)
    }

    /// Whether it is about the state of an object: `If-Match` and `If-None-Match` are looked at.
    pub(crate) const fn is_conditional(self) -> bool {
        matches!(self, Self::Put | Self::Delete | Self::Act)
    }
}
