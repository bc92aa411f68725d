//! Parts for tests and for the demo. Each stands in for one thing of the world and does it for real: a clock that
//! moves when told, randomness that repeats, an OpenID provider that signs with a real key and can be told to lie.

pub mod clock;
#[cfg(feature = "collector")]
pub mod collector;
pub mod crypto_conformance;
#[cfg(feature = "server")]
pub mod demo;
pub mod html;
pub mod idp;
pub mod random;
#[cfg(feature = "server")]
pub mod relying_party;
pub mod saml_idp;
pub mod store_conformance;

pub use clock::TestClock;
pub use idp::{Account, Canned, ClientAuth, Demand, Document, FakeOidcIdp, Lie, Registration};
pub use random::SeededRandom;
pub use saml_idp::{Asked, FakeSamlIdp, Says, Signs};
