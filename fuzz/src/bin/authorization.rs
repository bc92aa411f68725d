//! See [`vestibule_fuzz::authorization`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::authorization(data));
