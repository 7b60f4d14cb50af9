//! Redacts stored material, table by table, in steps: each is a transaction over a bounded number of rows, and can be repeated.

pub mod bodies;
pub mod documents;
pub mod records;
pub mod scope;
pub mod text_table;

/// The rows that one step reads at most.
pub const ROWS_PER_STEP: i64 = 200;
/// Bodies are longer than other rows.
pub const BODIES_PER_STEP: i64 = 50;
