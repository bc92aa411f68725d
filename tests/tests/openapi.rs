//! The description of the admin API is what the code says. `tests/js/openapi.test.mjs` holds it against the
//! specification, and a running broker against it.

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

/// A change of the API is a change of the checked-in description.
#[test]
fn the_description_is_made_from_the_code() {
    // A line for each member, so that a change can be read; not indented, because the Worker carries every byte.
    let mut made = Vec::new();
    let mut writer = Serializer::with_formatter(&mut made, PrettyFormatter::with_indent(b""));
    vestibule_web::admin_document().serialize(&mut writer).expect("JSON");
    let made = String::from_utf8(made).expect("text") + "\n";
    let checked_in = include_str!("../../shared/web/src/routes/admin/openapi.json");
    let new = concat!(env!("CARGO_TARGET_TMPDIR"), "/openapi.json");
    if made != checked_in {
        std::fs::write(new, made).expect("the new description is written");
        panic!(
            "the API has changed: look at the difference, then\n  cp {new} shared/web/src/routes/admin/openapi.json"
        );
    }
}
