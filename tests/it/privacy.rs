//! Personal data: what is stored about a person or a trip can be redacted, and everything else stays as it was.

mod audit;
mod command;
mod person;
mod retention;
mod runs;
pub mod story;
mod trip;
