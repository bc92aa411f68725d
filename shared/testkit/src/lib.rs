//! Parts for tests and the demo.

pub mod store_conformance;
