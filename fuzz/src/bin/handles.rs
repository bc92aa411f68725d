//! See [`vestibule_fuzz::handles`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::handles(data));
