//! The application's table of quotes, as far as new rows need it.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct QuotesTable {
    /// The rows of the wanted quotes, by quote id.
    pub(super) existing: BTreeMap<String, Uuid>,
    /// An older application may lack some of the columns.
    pub(super) columns: BTreeSet<String>,
}
