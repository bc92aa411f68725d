//! The description of the admin API is what the code says. `tests/js/openapi.test.mjs` holds it against the
//! specification, and a running broker against it.

/// A change of the API is a change of the checked-in description.
#[test]
fn the_description_is_made_from_the_code() {
    let made = serde_json::to_string_pretty(&vestibule_web::admin_document()).expect("JSON") + "\n";
    let checked_in = include_str!("../../shared/web/src/routes/admin/openapi.json");
    let new = concat!(env!("CARGO_TARGET_TMPDIR"), "/openapi.json");
    if made != checked_in {
        std::fs::write(new, made).expect("the new description is written");
        panic!(
            "the API has changed: look at the difference, then\n  cp {new} shared/web/src/routes/admin/openapi.json"
        );
    }
}
