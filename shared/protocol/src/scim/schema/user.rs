//! Users: the core schema (RFC 7643 §4.1) and the enterprise extension (§4.3).

use super::{Attribute, DataType, ENTERPRISE_USER, Mutability, Returned, Schema, USER};

/// The core schema of users.
pub(super) fn core() -> Schema {
    let mut attributes = identity();
    attributes.extend(contact());
    attributes.extend(rights());
    Schema { id: USER.to_owned(), name: "User".to_owned(), description: "A person's account".to_owned(), attributes }
}

fn identity() -> Vec<Attribute> {
    use Attribute as A;
    let name = vec![
        A::text("formatted", "The whole name as it is shown"),
        A::text("familyName", "The family name"),
        A::text("givenName", "The given name"),
        A::text("middleName", "The middle names"),
        A::text("honorificPrefix", "A title before the name"),
        A::text("honorificSuffix", "What follows the name"),
    ];
    vec![
        A::text("userName", "The name that identifies the person when signing in").required().unique(),
        A::complex("name", "The parts of the person's name", name),
        A::text("displayName", "The name as it is shown to others"),
        A::text("nickName", "The casual name"),
        A::reference("profileUrl", "A page about the person", &["external"]),
        A::text("title", "The job title"),
        A::text("userType", "How the person belongs to the organisation"),
        A::text("preferredLanguage", "Languages as in Accept-Language"),
        A::text("locale", "How dates and numbers are written, such as en-US"),
        A::text("timezone", "The time zone, such as Europe/Paris"),
        // Required, because it always has a value: removing it would say neither yes nor no.
        A::of(DataType::Boolean, "active", "Whether the person may sign in").required(),
        A::text("password", "Accepted and thrown away: people sign in at their identity provider")
            .exact()
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
    ]
}

fn contact() -> Vec<Attribute> {
    use Attribute as A;
    let address = vec![
        A::text("formatted", "The whole address as it is printed"),
        A::text("streetAddress", "Street and house"),
        A::text("locality", "The city"),
        A::text("region", "The state or region"),
        A::text("postalCode", "The postal code"),
        A::text("country", "The country, as two letters"),
        A::text("type", "What the address is for").usually(&["work", "home", "other"]),
        primary(),
    ];
    let phones = ["work", "home", "mobile", "fax", "pager", "other"];
    let messengers = ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"];
    let photo = A::reference("value", "Where the picture is", &["external"]);
    vec![
        several("emails", "E-mail addresses", A::text("value", "The address"), &["work", "home", "other"]),
        several("phoneNumbers", "Telephone numbers", A::text("value", "The number"), &phones),
        several("ims", "Instant messaging addresses", A::text("value", "The address"), &messengers),
        several("photos", "Pictures of the person", photo, &["photo", "thumbnail"]),
        A::complex("addresses", "Postal addresses", address).many(),
    ]
}

fn rights() -> Vec<Attribute> {
    use Attribute as A;
    let group = vec![
        A::text("value", "The group's id").exact(),
        A::reference("$ref", "The group's address", &["Group"]),
        A::text("display", "The group's name"),
        A::text("type", "Whether the person is in the group, or in a group that is").usually(&["direct", "indirect"]),
    ];
    let group = group.into_iter().map(|part| part.mutability(Mutability::ReadOnly)).collect();
    let certificate = A::of(DataType::Binary, "value", "The certificate").exact();
    vec![
        A::complex("groups", "The groups that the person is in; changed at the group", group)
            .many()
            .mutability(Mutability::ReadOnly),
        several("entitlements", "What the person may have", A::text("value", "The entitlement"), &[]),
        several("roles", "What the person is", A::text("value", "The role"), &[]),
        several("x509Certificates", "The person's certificates", certificate, &[]),
    ]
}

/// The usual multi-valued attribute (RFC 7643 §2.4).
fn several(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    let parts = vec![
        value,
        Attribute::text("display", "How it is shown"),
        Attribute::text("type", "What it is for").usually(types),
        primary(),
    ];
    Attribute::complex(name, description, parts).many()
}

fn primary() -> Attribute {
    Attribute::of(DataType::Boolean, "primary", "Whether it is the preferred one; at most one is")
}

/// The extension for people who work somewhere.
pub(super) fn enterprise() -> Schema {
    use Attribute as A;
    let manager = vec![
        A::text("value", "The manager's id").exact(),
        A::reference("$ref", "The manager's address", &["User"]),
        A::text("displayName", "The manager's name").mutability(Mutability::ReadOnly),
    ];
    Schema {
        id: ENTERPRISE_USER.to_owned(),
        name: "EnterpriseUser".to_owned(),
        description: "A person who works for an organisation".to_owned(),
        attributes: vec![
            A::text("employeeNumber", "The number that the organisation gave"),
            A::text("costCenter", "The cost centre"),
            A::text("organization", "The organisation"),
            A::text("division", "The division"),
            A::text("department", "The department"),
            A::complex("manager", "Whom the person reports to", manager),
        ],
    }
}
