//! The flows of the broker. They reach the world through the traits of [`platform`] and [`store`] only.

pub mod broker;
pub mod config;
pub mod error;
pub mod platform;
pub mod secret;
pub mod store;

pub use broker::Broker;
pub use config::Config;
pub use error::Error;
