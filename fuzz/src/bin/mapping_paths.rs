//! See [`vestibule_fuzz::mapping_paths`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| vestibule_fuzz::mapping_paths(data));
