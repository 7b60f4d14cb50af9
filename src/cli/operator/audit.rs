//! The audit log.

use super::Operator;
use crate::cli::error::{CliError, Context};
use crate::domain::chat_session::page::Page;
use crate::http::v1::admin::audit::AuditListParams;
use crate::http::v1::admin::cursors::AuditCursor;
use crate::http::v1::response::ListResponse;
use crate::store::audit::{AuditEntry, AuditFilter};

impl Operator {
    pub async fn audit_entries(&self, filter: &AuditFilter) -> Result<ListResponse<AuditEntry>, CliError> {
        let attempt = "list the audit log";
        match self {
            Self::Database(_, service) => {
                let rows = service.audit_entries(filter).await.context(attempt)?;
                Ok(Page::from_rows(rows, filter.limit, |entry| AuditCursor(entry.id)).into())
            }
            Self::Api(api) => {
                let params = AuditListParams::from(filter);
                api.list(attempt, &["admin", "audit"], &params, filter.limit).await
            }
        }
    }
}
