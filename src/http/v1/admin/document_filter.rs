//! The query parameters of the list of documents.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::cursors::DocumentCursor;
use super::values::{limit, position, printable};
use crate::http::v1::cursor;
use crate::http::v1::problem::ApiProblem;

/// Parameters of the list of documents.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DocumentListParams {
    /// Only documents of this resource, for example `arfq-12345678`.
    resource: Option<String>,
    /// Maximum number of documents; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// Selects documents to list.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    pub resource: Option<String>,
    /// Only documents stored before this one.
    pub before: Option<i64>,
    pub limit: i64,
}

impl DocumentListParams {
    pub fn parse(self) -> Result<DocumentFilter, ApiProblem> {
        Ok(DocumentFilter {
            resource: printable("resource", self.resource)?,
            before: position(self.cursor)?.map(|DocumentCursor(id)| id),
            limit: limit(self.limit)?,
        })
    }
}

impl From<&DocumentFilter> for DocumentListParams {
    /// All but the limit, which is that of a page.
    fn from(filter: &DocumentFilter) -> Self {
        Self {
            resource: filter.resource.clone(),
            limit: None,
            cursor: filter.before.map(|id| cursor::encode(&DocumentCursor(id))),
        }
    }
}
