//! `/v1/admin/audit`: who did what.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::cursors::AuditCursor;
use super::values::{limit, position, printable, time};
use crate::domain::chat_session::page::Page;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::cursor;
use crate::http::v1::problem::{ApiProblem, QueryProblems};
use crate::http::v1::query::QueryParams;
use crate::http::v1::response::{ApiResult, ListResponse, list as list_response};
use crate::http::v1::state::ApiState;
use crate::store::audit::{AuditAction, AuditEntry, AuditFilter};

type AuditList = ListResponse<AuditEntry>;

/// Parameters of the audit log. Filters are combined with AND.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditListParams {
    /// Only of this actor: `cli:USER@HOST`, `token:NAME` or `user:NAME`.
    actor: Option<String>,
    /// Only this action.
    action: Option<AuditAction>,
    /// Only since this time.
    since: Option<DateTime<Utc>>,
    /// Maximum number of rows; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl AuditListParams {
    pub fn parse(self) -> Result<AuditFilter, ApiProblem> {
        Ok(AuditFilter {
            actor: printable("actor", self.actor)?,
            action: self.action,
            since: time("since", self.since)?,
            before: position(self.cursor)?.map(|AuditCursor(id)| id),
            limit: limit(self.limit)?,
        })
    }
}

impl From<&AuditFilter> for AuditListParams {
    /// All but the limit, which is that of a page.
    fn from(filter: &AuditFilter) -> Self {
        Self {
            actor: filter.actor.clone(),
            action: filter.action,
            since: filter.since,
            limit: None,
            cursor: filter.before.map(|id| cursor::encode(&AuditCursor(id))),
        }
    }
}

/// List the audit log
///
/// Every retry, discard, replay, export and purge, and every change of a session through the API, with its actor. The newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/audit",
    operation_id = "listAuditEntries",
    params(AuditListParams),
    responses((status = 200, body = AuditList, description = "A page of the audit log."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<AuditListParams>,
) -> ApiResult {
    let filter = params.parse()?;
    let entries = state.admin.audit_entries(&filter).await?;
    Ok(list_response(Page::from_rows(entries, filter.limit, |entry| {
        AuditCursor(entry.id)
    })))
}
