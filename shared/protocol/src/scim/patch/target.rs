//! Where an operation works: the path of RFC 7644 §3.5.2, `attribute`, `attribute.part` or `attribute[filter].part`.

use crate::scim::condition::ElementCondition;
use crate::scim::filter::{Filter, Literal, Operator, Parser, SyntaxError};
use crate::scim::path::AttributePath;
use crate::scim::schema::{Place, ResourceType};
use crate::scim::{Error, ScimType};

/// A path as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PatchPath {
    path: AttributePath,
    filter: Option<Filter>,
}

/// Where an operation works.
#[derive(Debug, Clone)]
pub(super) struct Target<'s> {
    /// The attribute, and the part of it.
    pub(super) place: Place<'s>,
    /// Which of its values.
    pub(super) selection: Option<Selection<'s>>,
}

/// Which values of an attribute are meant.
#[derive(Debug, Clone)]
pub(super) struct Selection<'s> {
    /// What they fulfil.
    pub(super) condition: ElementCondition<'s>,
    /// The parts that a value has to have to be one of them; `None` where the filter says more than that.
    pub(super) parts: Option<Vec<(String, Literal)>>,
}

impl PatchPath {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|error| invalid_path(format!("the path can't be read: {error}")))
    }

    fn read(text: &str) -> Result<Self, SyntaxError> {
        let mut parser = Parser::new(text)?;
        let mut path = parser.path()?;
        let filter = parser.value_filter()?;
        if filter.is_some()
            && path.sub.is_none()
            && let Some(sub) = parser.sub_attribute()?
        {
            path.sub = Some(sub);
        } else if filter.is_some() && path.sub.is_some() {
            // `emails.value[…]`: only whole values can be chosen from.
            return Err(SyntaxError::Expected { position: 1, what: "no sub-attribute before '['" });
        }
        parser.end()?;
        Ok(Self { path, filter })
    }

    /// The attribute that is meant; `None` where there is none of that name.
    pub(super) fn is_known(&self, resource_type: &ResourceType) -> bool {
        resource_type.resolve(&self.path).is_ok()
    }

    pub(super) fn resolve<'s>(&self, resource_type: &'s ResourceType) -> Result<Target<'s>, Error> {
        let place = resource_type.resolve(&self.path).map_err(|error| error.as_error(ScimType::InvalidPath))?;
        let Some(filter) = &self.filter else { return Ok(Target { place, selection: None }) };
        if !place.attribute.multi_valued {
            return Err(invalid_path(format!("{} has one value: there is nothing to filter", place.name())));
        }
        let condition = ElementCondition::new(filter, &Place { sub: None, ..place });
        let condition = condition.map_err(|error| Error { scim_type: Some(ScimType::InvalidPath), ..error })?;
        Ok(Target { place, selection: Some(Selection { condition, parts: equal_parts(filter) }) })
    }
}

/// The parts that a filter of the form `a eq "x" and b eq "y"` asks for.
fn equal_parts(filter: &Filter) -> Option<Vec<(String, Literal)>> {
    match filter {
        Filter::And(filters) => filters.iter().try_fold(Vec::new(), |mut parts, filter| {
            parts.extend(equal_parts(filter)?);
            Some(parts)
        }),
        Filter::Compare { path, operator: Operator::Eq, value } if *value != Literal::Null => {
            Some(vec![(path.name.clone(), value.clone())])
        }
        _ => None,
    }
}

pub(super) fn invalid_path(detail: impl Into<String>) -> Error {
    Error::new(ScimType::InvalidPath, detail)
}
