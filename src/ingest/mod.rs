//! STAND-IN.
pub mod receiver;
