//! Groups (RFC 7643 §4.2), and what every resource has (§3.1).

use super::{Attribute, DataType, GROUP, Mutability, Returned, Schema};

/// The core schema of groups.
pub(super) fn core() -> Schema {
    use Attribute as A;
    let member = vec![
        A::text("value", "The member's id").exact().required(),
        A::reference("$ref", "The member's address", &["User", "Group"]),
        A::text("type", "What the member is").usually(&["User", "Group"]),
    ];
    let mut member: Vec<A> = member.into_iter().map(|part| part.mutability(Mutability::Immutable)).collect();
    member.push(A::text("display", "The member's name").mutability(Mutability::ReadOnly));
    Schema {
        id: GROUP.to_owned(),
        name: "Group".to_owned(),
        description: "People who belong together".to_owned(),
        attributes: vec![
            A::text("displayName", "The group's name").required(),
            A::complex("members", "Who is in the group", member).many(),
        ],
    }
}

/// What every resource has, whatever its schema.
pub(super) fn common() -> Vec<Attribute> {
    use Attribute as A;
    let meta = vec![
        A::text("resourceType", "What kind of resource it is").exact(),
        A::of(DataType::DateTime, "created", "When it was made"),
        A::of(DataType::DateTime, "lastModified", "When it was changed last"),
        A::reference("location", "Its address", &["uri"]),
        A::text("version", "Its ETag").exact(),
    ];
    let meta = meta.into_iter().map(|part| part.mutability(Mutability::ReadOnly)).collect();
    let schemas = A::reference("schemas", "The schemas that it has attributes of", &["uri"]);
    vec![
        schemas.many().mutability(Mutability::ReadOnly).returned(Returned::Always),
        A::text("id", "The name that we gave it").exact().mutability(Mutability::ReadOnly).returned(Returned::Always),
        A::text("externalId", "The name that the directory gave it").exact(),
        A::complex("meta", "Facts about the record", meta).mutability(Mutability::ReadOnly),
    ]
}
