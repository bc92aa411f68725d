//! The black-box suite in which time passes: lives that end and slots that come, on any runtime. Each test moves the clock of
//! the broker, of the providers and of the tests themselves, so they run one by one, after all others
//! (`--test-threads=1`). See `vestibule_tests::Deployment` for how to run it.

#[path = "later/clock.rs"]
mod clock;
#[path = "later/deliveries.rs"]
mod deliveries;
#[path = "later/keeper.rs"]
mod keeper;
#[path = "later/origin.rs"]
mod origin;
#[path = "later/slots.rs"]
mod slots;
