//! The rules held against generated facts, tables, and a second, naive reading of them.

mod deciding;
mod election;
mod generate;
mod learning;
mod oracle;
