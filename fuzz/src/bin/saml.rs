//! See [`vestibule_fuzz::saml`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::saml(data));
