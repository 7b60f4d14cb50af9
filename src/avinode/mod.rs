//! STAND-IN.
pub mod json;
pub mod notification;
pub mod signature;
