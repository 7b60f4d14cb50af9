//! The integration tests: one binary.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod settings;
