//! The operator API's operations.

use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::actions::{self, ActionError, DeliveriesReplayed, JobsChanged};
use super::activity::{self, HourActivity};
use super::batches::error::BatchError;
use super::batches::{self, NewBatch, StepsBy, record};
use super::check;
use super::check::finding::CheckResults;
use super::check::migrations::CheckSettings;
use super::dead_letters::{self, DeadLetters};
use super::export::{self, ExportPage};
use super::fetching::{self, FetchingStatus};
use super::job_list::{self, JobListFilter, JobPage};
use super::maintenance::{self, MaintenanceStatus};
use super::selection::DeliverySelection;
use super::summary::{self, OperatorSummary};
use super::trace::{self, Trace};
use super::views::{DeliveryRecord, DocumentRecord};
use crate::domain::actor::{Acting, Actor};
use crate::postgres::transaction::Pool;
use crate::queue::admin::JobView;
use crate::store::admin::delivery_list::{self, DeliveryFilter, DeliveryPage};
use crate::store::admin::documents::{self, DocumentView};
use crate::store::audit::{self, AuditAction, AuditEntry, AuditFilter};
use crate::store::batches::{BatchFilter, BatchRow};

/// The operations on one database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct AdminService {
    pool: Pool,
    /// One check at a time: it reads a lot.
    checking: Arc<Semaphore>,
}

impl AdminService {
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            checking: Arc::new(Semaphore::new(1)),
        }
    }

    /// Lists deliveries, the newest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage, sqlx::Error> {
        delivery_list::list(&self.pool, filter).await
    }

    pub async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryRecord>, sqlx::Error> {
        let stored = crate::store::admin::delivery(&self.pool, id).await?;
        Ok(stored.map(|stored| DeliveryRecord::new(id, stored)))
    }

    /// Reads a page of an export, and records it in the audit log.
    pub async fn export_deliveries(
        &self,
        selection: &DeliverySelection,
        before: Option<Uuid>,
        limit: i64,
        actor: &Actor,
    ) -> Result<ExportPage, sqlx::Error> {
        // Before the transaction, which would hold a connection meanwhile.
        let (ids, next) = selection.ids(&self.pool, before, limit).await?;
        let mut tx = self.pool.begin().await?;
        let page = export::page(&mut tx, &ids, next).await?;
        let counts = json!({"deliveries": page.data.iter().filter(|delivery| delivery.body.is_some()).count()});
        let details = export::audit_details(selection, before, limit);
        audit::append_change(&mut tx, actor, AuditAction::ExportDeliveries, details, &counts).await?;
        tx.commit().await?;
        Ok(page)
    }

    /// Lists jobs: dead ones first, then in the order in which they are due.
    pub async fn jobs(&self, filter: &JobListFilter) -> Result<JobPage, sqlx::Error> {
        job_list::list(&self.pool, filter).await
    }

    pub async fn job(&self, id: i64) -> Result<Option<JobView>, sqlx::Error> {
        job_list::get(&self.pool, id).await
    }

    pub async fn dead_letters(&self) -> Result<DeadLetters, sqlx::Error> {
        dead_letters::read(&self.pool).await
    }

    /// Lists the documents that were stored before this one: the last stored first.
    pub async fn documents(
        &self,
        resource: Option<&str>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<DocumentView>, sqlx::Error> {
        documents::documents(&self.pool, resource, before, limit).await
    }

    pub async fn document(&self, id: i64) -> Result<Option<DocumentRecord>, sqlx::Error> {
        Ok(documents::document(&self.pool, id).await?.map(DocumentRecord::from))
    }

    pub async fn fetching(&self) -> Result<FetchingStatus, sqlx::Error> {
        fetching::read(&self.pool).await
    }

    pub async fn maintenance(&self) -> Result<MaintenanceStatus, sqlx::Error> {
        maintenance::read(&self.pool).await
    }

    pub async fn summary(&self) -> Result<OperatorSummary, sqlx::Error> {
        summary::read(&self.pool).await
    }

    /// Reads the last hour by minutes.
    pub async fn activity(&self) -> Result<HourActivity, sqlx::Error> {
        activity::read(&self.pool).await
    }

    /// Checks the database. It may take seconds, because it counts what is stored.
    pub async fn check(&self, settings: &CheckSettings) -> Result<CheckResults, sqlx::Error> {
        // It is never closed.
        let _permit = self.checking.acquire().await.ok();
        check::run::run(&self.pool, settings).await
    }

    /// Reads the story of an id; `None` if it is the id of nothing.
    pub async fn trace(&self, id: &str) -> Result<Option<Trace>, sqlx::Error> {
        trace::read(&self.pool, id).await
    }

    /// Makes jobs due now: dead, scheduled and retryable ones.
    pub async fn retry(&self, ids: &[i64], acting: &Acting) -> Result<JobsChanged, ActionError> {
        actions::retry(&self.pool, ids, acting).await
    }

    /// Takes dead and unclaimed jobs out of the queue.
    ///
    /// # Errors
    /// A timer is among them, without `force`: nothing was discarded.
    pub async fn discard(&self, ids: &[i64], force: bool, acting: &Acting) -> Result<JobsChanged, ActionError> {
        actions::discard(&self.pool, ids, force, acting).await
    }

    /// Records a batch, which workers of the service run.
    pub async fn begin_batch(&self, new: &NewBatch) -> Result<BatchRow, BatchError> {
        let id = batches::begin(&self.pool, new, StepsBy::Worker).await?;
        record::get(&self.pool, id).await
    }

    /// Begins the action that a finished dry run counted. `text`: that of its filter.
    pub async fn begin_counted(
        &self,
        dry_run: Uuid,
        text: Option<&str>,
        acting: Acting,
    ) -> Result<BatchRow, BatchError> {
        let id = batches::begin_counted(&self.pool, dry_run, text, acting, StepsBy::Worker).await?;
        record::get(&self.pool, id).await
    }

    /// Lists batches, the newest first, and one more if there is another page.
    pub async fn batches(&self, filter: &BatchFilter) -> Result<Vec<BatchRow>, sqlx::Error> {
        let filter = BatchFilter {
            limit: filter.limit + 1,
            ..*filter
        };
        crate::store::batches::list(&self.pool, &filter).await
    }

    pub async fn batch(&self, id: Uuid) -> Result<BatchRow, BatchError> {
        record::get(&self.pool, id).await
    }

    /// Continues a batch that was interrupted, failed or killed: workers of the service make its steps.
    ///
    /// # Errors
    /// The batch is unknown, or finished.
    pub async fn resume_batch(&self, id: Uuid, acting: &Acting) -> Result<BatchRow, BatchError> {
        batches::resume(&self.pool, id, acting, StepsBy::Worker).await?;
        record::get(&self.pool, id).await
    }

    /// Lists rows of the audit log, the newest first, and one more if there is another page.
    pub async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, sqlx::Error> {
        let filter = AuditFilter {
            limit: filter.limit + 1,
            ..filter.clone()
        };
        audit::list(&self.pool, &filter).await
    }

    /// Enqueues a job for each delivery.
    pub async fn replay(&self, ids: &[Uuid], acting: &Acting) -> Result<DeliveriesReplayed, ActionError> {
        actions::replay(&self.pool, ids, acting).await
    }
}
