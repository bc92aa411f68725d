//! Which attributes of a resource are shown (RFC 7644 §3.9, RFC 7643 §7 `returned`).

use serde_json::{Map, Value};

use super::path::AttributePath;
use super::schema::{Attribute, Mutability, Place, ResourceType, Returned};
use super::{Error, ScimType};

/// Most names in `attributes` or `excludedAttributes`.
const MAX_NAMES: usize = 100;

/// What is shown of a resource.
#[derive(Debug, Clone)]
pub struct Projection<'s> {
    resource_type: &'s ResourceType,
    choice: Choice<'s>,
}

#[derive(Debug, Clone)]
enum Choice<'s> {
    Everything,
    Only(Vec<Chosen<'s>>),
    Without(Vec<Chosen<'s>>),
}

/// What a name of the list means.
#[derive(Debug, Clone)]
enum Chosen<'s> {
    Place(Place<'s>),
    /// All attributes of the extension with this URI.
    Extension(&'s str),
}

impl<'s> Projection<'s> {
    /// Understands `attributes` and `excludedAttributes`; empty is absent. They exclude each other. A name that we don't
    /// know is an error where it should be shown, and nothing to leave out where it should not.
    pub fn new(
        resource_type: &'s ResourceType,
        attributes: &[String],
        excluded_attributes: &[String],
    ) -> Result<Self, Error> {
        let choice = match (attributes, excluded_attributes) {
            ([], []) => Choice::Everything,
            (names, []) => Choice::Only(chosen(names, resource_type)?.into_iter().collect::<Result<_, _>>()?),
            ([], names) => Choice::Without(chosen(names, resource_type)?.into_iter().flatten().collect()),
            _ => return Err(Error::invalid_value("attributes and excludedAttributes exclude each other")),
        };
        Ok(Self { resource_type, choice })
    }

    /// Whether anything of an attribute of the core schema is shown. A group's members are not read if not.
    pub fn shows(&self, name: &str) -> bool {
        let attribute = self.resource_type.attributes().find(|attribute| attribute.name == name);
        attribute.is_some_and(|attribute| self.shows_attribute(None, attribute))
    }

    /// Whether nothing in particular was asked for.
    pub fn is_usual(&self) -> bool {
        matches!(self.choice, Choice::Everything)
    }

    /// Whether an attribute of the core schema is shown with all its parts.
    pub fn shows_whole(&self, name: &str) -> bool {
        let attribute = self.resource_type.attributes().find(|attribute| attribute.name == name);
        attribute.is_some_and(|attribute| {
            let mut parts = attribute.sub_attributes.iter();
            self.shows_attribute(None, attribute) && parts.all(|part| self.shows_part(None, attribute, part))
        })
    }

    /// Leaves of a resource only what is shown.
    pub fn apply(&self, resource: &mut Value) {
        let Value::Object(members) = resource else { return };
        let types = self.resource_type;
        members.retain(|name, value| {
            if let Some(attribute) = types.attributes().find(|attribute| attribute.name == *name) {
                return self.keeps(None, attribute, value);
            }
            let Some(extension) = types.extensions().iter().find(|extension| extension.id == *name) else {
                return false;
            };
            let Value::Object(parts) = value else { return false };
            parts.retain(|name, value| {
                let attribute = extension.attributes.iter().find(|attribute| attribute.name == *name);
                attribute.is_some_and(|attribute| self.keeps(Some(&extension.id), attribute, value))
            });
            !parts.is_empty()
        });
    }

    /// Whether an attribute stays, of which only the parts are left that are shown.
    fn keeps(&self, extension: Option<&str>, attribute: &Attribute, value: &mut Value) -> bool {
        if !self.shows_attribute(extension, attribute) {
            return false;
        }
        let values = match &mut *value {
            Value::Array(values) => values.as_mut_slice(),
            only => std::slice::from_mut(only),
        };
        for parts in values.iter_mut().filter_map(Value::as_object_mut) {
            parts.retain(|name, _| {
                let part = attribute.sub(name);
                part.is_some_and(|part| self.shows_part(extension, attribute, part))
            });
        }
        !value.as_object().is_some_and(Map::is_empty)
    }

    fn shows_attribute(&self, extension: Option<&str>, attribute: &Attribute) -> bool {
        match (rule(attribute), &self.choice) {
            (Returned::Always, _) | (Returned::Default, Choice::Everything) => true,
            (Returned::Never, _) | (Returned::Request, Choice::Everything | Choice::Without(_)) => false,
            (Returned::Default | Returned::Request, Choice::Only(chosen)) => {
                chosen.iter().any(|chosen| chosen.is_about(extension, attribute))
            }
            (Returned::Default, Choice::Without(chosen)) => {
                !chosen.iter().any(|chosen| chosen.is_about(extension, attribute) && chosen.part().is_none())
            }
        }
    }

    fn shows_part(&self, extension: Option<&str>, attribute: &Attribute, part: &Attribute) -> bool {
        let names = |chosen: &&Chosen<'_>| chosen.is_about(extension, attribute);
        let is_part = |chosen: &Chosen<'_>| chosen.part().is_some_and(|chosen| chosen.name == part.name);
        match (rule(part), &self.choice) {
            (Returned::Always, _) | (Returned::Default, Choice::Everything) => true,
            (Returned::Never, _) | (Returned::Request, Choice::Everything | Choice::Without(_)) => false,
            // A name without a part means all of them; an attribute that is shown anyway is shown whole.
            (Returned::Default, Choice::Only(chosen)) => {
                let mut about = chosen.iter().filter(names).peekable();
                about.peek().is_none() || about.any(|chosen| chosen.part().is_none() || is_part(chosen))
            }
            (Returned::Request, Choice::Only(chosen)) => chosen.iter().filter(names).any(is_part),
            (Returned::Default, Choice::Without(chosen)) => !chosen.iter().filter(names).any(is_part),
        }
    }
}

impl Chosen<'_> {
    fn is_about(&self, extension: Option<&str>, attribute: &Attribute) -> bool {
        match self {
            Self::Place(place) => {
                place.attribute.name == attribute.name && place.extension.map(|schema| schema.id.as_str()) == extension
            }
            Self::Extension(uri) => extension == Some(uri),
        }
    }

    fn part(&self) -> Option<&Attribute> {
        match self {
            Self::Place(place) => place.sub,
            Self::Extension(_) => None,
        }
    }
}

/// When an attribute is shown. What nobody may read is not, whatever its schema says of showing it.
fn rule(attribute: &Attribute) -> Returned {
    if attribute.mutability == Mutability::WriteOnly { Returned::Never } else { attribute.returned }
}

fn chosen<'s>(names: &[String], resource_type: &'s ResourceType) -> Result<Vec<Result<Chosen<'s>, Error>>, Error> {
    if names.len() > MAX_NAMES {
        return Err(Error::invalid_value(format!("at most {MAX_NAMES} attributes can be named")));
    }
    let chosen = |name: &String| {
        if let Some(extension) = resource_type.extension(name) {
            return Ok(Chosen::Extension(&extension.id));
        }
        let path = AttributePath::parse(name);
        let path = path.ok_or_else(|| Error::invalid_value("attributes has what is no attribute's name"))?;
        let place = resource_type.resolve(&path).map_err(|error| error.as_error(ScimType::InvalidValue))?;
        Ok(Chosen::Place(place))
    };
    Ok(names.iter().map(chosen).collect())
}

#[cfg(test)]
mod tests;
