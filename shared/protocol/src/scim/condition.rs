//! A filter that the schemas have understood (RFC 7644 §3.4.2.2): every name is an attribute, every value is of its
//! type. What would be nonsense (`active gt true`) is refused here, once, and not found out record by record.

mod compare;
mod evaluate;
#[cfg(test)]
mod tests;

pub use self::compare::Comparison;
pub(super) use self::evaluate::values;
use super::filter::{Filter, Operator};
use super::path::AttributePath;
use super::schema::{Attribute, Place, ResourceType, UnknownAttribute};
use super::{Error, ScimType};

/// A filter that can be asked of resources.
#[derive(Debug, Clone)]
pub enum Condition<'s> {
    /// Every one must hold.
    All(Vec<Condition<'s>>),
    /// One must hold.
    Any(Vec<Condition<'s>>),
    /// It must not hold.
    Not(Box<Condition<'s>>),
    /// The attribute has a value.
    Present(Place<'s>),
    /// The attribute compares so to a value.
    Compare(Place<'s>, Comparison),
    /// One value of the attribute fulfils the element's condition.
    Element(Place<'s>, Box<ElementCondition<'s>>),
}

/// A condition on one value of a multi-valued attribute: names are its sub-attributes.
#[derive(Debug, Clone)]
pub enum ElementCondition<'s> {
    /// Every one must hold.
    All(Vec<ElementCondition<'s>>),
    /// One must hold.
    Any(Vec<ElementCondition<'s>>),
    /// It must not hold.
    Not(Box<ElementCondition<'s>>),
    /// The sub-attribute has a value.
    Present(&'s Attribute),
    /// The sub-attribute compares so to a value.
    Compare(&'s Attribute, Comparison),
}

impl<'s> Condition<'s> {
    /// Understands a filter. An attribute that no schema has is an error, never a condition that nothing fulfils.
    pub fn new(filter: &Filter, resource_type: &'s ResourceType) -> Result<Self, Error> {
        let all = |filters: &[Filter]| {
            filters.iter().map(|filter| Self::new(filter, resource_type)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match filter {
            Filter::And(filters) => Self::All(all(filters)?),
            Filter::Or(filters) => Self::Any(all(filters)?),
            Filter::Not(filter) => Self::Not(Box::new(Self::new(filter, resource_type)?)),
            Filter::Present(path) => Self::Present(resolve(path, resource_type)?),
            Filter::Compare { path, operator, value } => {
                let place = compared(resolve(path, resource_type)?)?;
                Self::Compare(place, Comparison::new(place.leaf(), *operator, value)?)
            }
            Filter::Element { path, filter } => {
                let place = resolve(path, resource_type)?;
                Self::Element(place, Box::new(ElementCondition::new(filter, &place)?))
            }
        })
    }

    /// Reads and understands a filter.
    pub fn parse(text: &str, resource_type: &'s ResourceType) -> Result<Self, Error> {
        Self::new(&Filter::parse(text).map_err(super::filter::SyntaxError::of_filter)?, resource_type)
    }

    /// The text that the attribute must be equal to in every resource that fulfils this, so that an index can be asked
    /// instead of everybody. `name` is as [`Place::name`] gives it. In lower case where case does not matter.
    pub fn must_equal(&self, name: &str) -> Option<&str> {
        match self {
            Self::All(conditions) => conditions.iter().find_map(|condition| condition.must_equal(name)),
            Self::Compare(place, comparison) if place.name() == name => comparison.equal_text(),
            Self::Element(place, condition) => {
                let sub = name.strip_prefix(&place.attribute.name)?.strip_prefix('.')?;
                if place.extension.is_none() { condition.must_equal(sub) } else { None }
            }
            _ => None,
        }
    }

    /// Which texts the parts of `attribute` are compared to, when all that is asked is whether one is equal to its
    /// `value`. A group of ten thousand is then asked for these members only. `None`: the whole list is needed.
    pub fn values_asked(&self, attribute: &str) -> Option<Vec<&str>> {
        match self {
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().try_fold(Vec::new(), |mut all, one| {
                all.extend(one.values_asked(attribute)?);
                Some(all)
            }),
            Self::Not(condition) => condition.values_asked(attribute),
            Self::Present(place) | Self::Compare(place, _) | Self::Element(place, _)
                if place.extension.is_some() || place.attribute.name != attribute =>
            {
                Some(Vec::new())
            }
            Self::Compare(place, comparison) if place.sub.is_some_and(|sub| sub.name == "value") => {
                comparison.equal_text().map(|text| vec![text])
            }
            Self::Element(_, condition) => condition.must_equal("value").map(|text| vec![text]),
            Self::Present(_) | Self::Compare(..) => None,
        }
    }
}

impl<'s> ElementCondition<'s> {
    /// Understands the filter between the brackets behind an attribute.
    pub fn new(filter: &Filter, place: &Place<'s>) -> Result<Self, Error> {
        if !place.attribute.is_complex() || place.sub.is_some() {
            return Err(invalid(format!("{} has no parts that could be filtered", place.name())));
        }
        Self::of(filter, place.attribute)
    }

    fn of(filter: &Filter, attribute: &'s Attribute) -> Result<Self, Error> {
        let all = |filters: &[Filter]| {
            filters.iter().map(|filter| Self::of(filter, attribute)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match filter {
            Filter::And(filters) => Self::All(all(filters)?),
            Filter::Or(filters) => Self::Any(all(filters)?),
            Filter::Not(filter) => Self::Not(Box::new(Self::of(filter, attribute)?)),
            Filter::Present(path) => Self::Present(part(path, attribute)?),
            Filter::Compare { path, operator, value } => {
                let part = part(path, attribute)?;
                Self::Compare(part, Comparison::new(part, *operator, value)?)
            }
            Filter::Element { .. } => return Err(invalid("a value path has no value path inside")),
        })
    }

    /// The text that the part must be equal to in every value that fulfils this.
    pub fn must_equal(&self, part: &str) -> Option<&str> {
        match self {
            Self::All(conditions) => conditions.iter().find_map(|condition| condition.must_equal(part)),
            Self::Compare(attribute, comparison) if attribute.name == part => comparison.equal_text(),
            _ => None,
        }
    }
}

/// A text as it is compared where case does not matter. An index of such an attribute is written so too, for
/// [`Condition::must_equal`] asks it so.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

fn invalid(detail: impl Into<String>) -> Error {
    Error::new(ScimType::InvalidFilter, detail)
}

fn resolve<'s>(path: &AttributePath, resource_type: &'s ResourceType) -> Result<Place<'s>, Error> {
    let place = resource_type.resolve(path).map_err(|error| error.as_error(ScimType::InvalidFilter))?;
    // What nobody may read can't be asked for letter by letter either (RFC 7644 §7.5.2).
    if place.attribute.returned == super::schema::Returned::Never {
        return Err(invalid(format!("{} can't be filtered by", place.name())));
    }
    Ok(place)
}

/// A sub-attribute as it is named between brackets.
fn part<'s>(path: &AttributePath, attribute: &'s Attribute) -> Result<&'s Attribute, Error> {
    let known = if path.schema.is_none() && path.sub.is_none() { attribute.sub(&path.name) } else { None };
    let name = || format!("{}.{path}", attribute.name);
    known.ok_or_else(|| UnknownAttribute::new(&name()).as_error(ScimType::InvalidFilter))
}

/// `emails co "x"` and `members eq "x"` mean the `value` (RFC 7643 §2.4). What has no value has nothing to compare.
fn compared(place: Place<'_>) -> Result<Place<'_>, Error> {
    if !place.leaf().is_complex() {
        return Ok(place);
    }
    match place.attribute.sub("value") {
        Some(value) => Ok(Place { sub: Some(value), ..place }),
        None => Err(invalid(format!("{} has parts: name the one that is compared", place.name()))),
    }
}
