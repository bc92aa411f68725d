//! See [`vestibule_fuzz::scim_patch`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::scim_patch(data));
