//! The flows of the broker. They reach the world through the traits of [`platform`] and [`store`] only.

pub mod admin;
mod audit;
pub mod broker;
mod cache;
mod client_auth;
pub mod config;
mod delivery;
mod directory;
mod dns;
pub mod error;
pub mod handle;
pub mod invitations;
mod last_use;
pub mod login;
pub mod logout;
mod mapping;
pub mod metadata;
pub mod model;
pub mod origin;
mod outbox;
pub mod platform;
pub mod relay;
mod routing;
pub mod scim;
pub mod seal;
pub mod secret;
mod sessions;
mod signing;
pub mod store;
pub mod token;
mod upstream;
pub mod userinfo;
mod webhook_signature;

pub use broker::Broker;
pub use config::Config;
pub use error::Error;
