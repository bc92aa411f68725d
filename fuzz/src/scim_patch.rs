//! Bodies of PATCH, as any directory may send them.

use serde_json::{Value, json};
use vestibule_protocol::scim::patch;
use vestibule_protocol::scim::resource::{self, Body};
use vestibule_protocol::scim::schema::ResourceType;

/// A PATCH that is carried out leaves a resource as a PUT of it would leave it, with nothing in it that only we write;
/// nobody both joins and leaves a group; and what is not carried out is the directory's fault.
pub fn scim_patch(data: &[u8]) {
    let Ok(body) = serde_json::from_slice::<Value>(data) else { return };
    let person = json!({
        "userName": "alice@corp.example", "displayName": "Alice", "externalId": "x", "active": true,
        "name": { "givenName": "Alice" }, "emails": [{ "value": "alice@corp.example", "type": "work", "primary": true }],
    });
    let group = json!({ "displayName": "Tea", "externalId": "g" });
    drop(Body::parse(&ResourceType::user(Vec::new()), &body));
    drop(Body::parse(&ResourceType::group(Vec::new()), &body));
    for (resource_type, before) in [(ResourceType::user(Vec::new()), person), (ResourceType::group(Vec::new()), group)]
    {
        let patched = match patch::apply(&resource_type, &before, &body) {
            Ok(patched) => patched,
            Err(error) => {
                assert!((400..500).contains(&error.status), "{error}");
                continue;
            }
        };
        for never in ["id", "meta", "schemas", "groups", "password", "members"] {
            assert!(patched.resource.get(never).is_none(), "{never} is in {}", patched.resource);
        }
        let mut whole = patched.resource.clone();
        whole["schemas"] = resource::schemas(&resource_type, &whole).into();
        let put = Body::parse(&resource_type, &whole).expect("what a PATCH leaves can be PUT");
        assert_eq!(put.resource, patched.resource);
        let joins = |id: &str| patched.members.added().any(|member| member.id == id);
        assert!(!patched.members.removed().any(joins), "somebody joins and leaves");
    }
}
