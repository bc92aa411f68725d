//! See [`vestibule_fuzz::scim_filter`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::scim_filter(data));
