//! What the suites share: a browser, a deployment under test, and a world in it that belongs to one test.

pub mod browser;
pub mod client_key;
pub mod control_plane;
pub mod cookie;
pub mod deployment;
pub mod dns;
pub mod encryption;
pub mod form;
pub mod idp_metadata;
pub mod in_process;
pub mod passing;
pub mod platform;
pub mod python;
pub mod reply;
pub mod revocation;
pub mod saml;
pub mod saml_world;
pub mod scim;
pub mod status_list;
pub mod watched_store;
pub mod webhook;
pub mod world;

pub use browser::Browser;
pub use control_plane::ControlPlane;
pub use deployment::Deployment;
pub use reply::Reply;
pub use world::World;
