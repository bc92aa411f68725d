//! The suites are in `tests/`.
