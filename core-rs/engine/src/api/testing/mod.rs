//! Test side of the data plane's APIs: messages as trees, encoded and decoded by tables of their own, so that tests do
//! not believe the code they test.

pub mod message;
pub mod schema;
pub mod world;

pub use message::{Value, decode, encode};
pub use world::World;
