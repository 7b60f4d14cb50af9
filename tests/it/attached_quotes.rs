//! Quotes on the database of an application, whose tables are stricter than ours and hold rows of its own.

mod known;
mod setup;
mod shown;
