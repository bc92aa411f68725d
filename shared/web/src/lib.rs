//! The broker over HTTP: one router for workerd, Lambda and hyper.
//!
//! This crate alone knows HTTP on our side. A route reads a request, calls one flow of `vestibule_core`, and shows what
//! comes back; what an error looks like is decided in [`error`].

mod cookie;
mod error;
mod fields;
mod origin;
mod page;
mod request;
mod response;
mod router;
mod routes;

pub use fields::Fields;
pub use origin::ClientAddress;
pub use router::router;
pub use routes::admin::openapi::document as admin_document;
