//! A row of the application's as JSON, without the values that are too large to read: the SQL function `readable_row`.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Stands in [`ReadableRow::omitted`] for all columns.
pub const EVERY_COLUMN: &str = "*";

/// A row by column.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct ReadableRow {
    /// The values; `false` for one that is too large to read.
    pub columns: Map<String, Value>,
    /// The columns whose values are too large to read, or [`EVERY_COLUMN`] if nothing of the row can be read.
    pub omitted: Vec<String>,
}
