//! The operator API of a service, or the database: the commands that can use either see the same rows.

pub mod api_client;
pub mod audit;
pub mod batches;
pub mod changes;
pub mod export;
pub mod sessions;

use uuid::Uuid;

use self::api_client::{ApiCall, ApiClient};
use super::database::CommandDatabase;
use super::error::{CliError, Context};
use crate::admin::job_list::JobListFilter;
use crate::admin::service::AdminService;
use crate::admin::summary::OperatorSummary;
use crate::admin::trace::Trace;
use crate::admin::views::{DeliveryRecord, DocumentRecord};
use crate::config::database::DatabaseArgs;
use crate::config::operator_api::OperatorApiArgs;
use crate::http::v1::admin::cursors::{DeliveryCursor, JobCursor};
use crate::http::v1::admin::delivery_filter::DeliveryListParams;
use crate::http::v1::admin::document_filter::{DocumentFilter, DocumentListParams};
use crate::http::v1::admin::job_filter::JobListParams;
use crate::http::v1::cursor;
use crate::http::v1::response::ListResponse;
use crate::queue::admin::JobView;
use crate::store::admin::delivery_list::{self, DeliveryFilter, DeliveryPage, DeliveryView};
use crate::store::admin::documents::DocumentView;

/// The operator API, or the database.
#[derive(Debug, clap::Args)]
pub struct OperatorArgs {
    #[command(flatten)]
    pub api: OperatorApiArgs,

    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// The arguments of a command that prints what operators look at.
#[derive(Debug, clap::Args)]
pub struct OperatorCommandArgs {
    /// Print JSON, for scripts.
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub target: OperatorArgs,
}

pub enum Operator {
    Database(Box<CommandDatabase>, AdminService),
    Api(ApiClient),
}

impl Operator {
    /// Opens the operator API if it is set, and otherwise the database.
    pub async fn open(args: &OperatorArgs) -> Result<Self, CliError> {
        if let Some(api) = args.api.api(&args.database)? {
            return ApiClient::new(api).map(Self::Api);
        }
        let database = CommandDatabase::open_current(&args.database).await?;
        let service = AdminService::new(database.pool.clone());
        Ok(Self::Database(Box::new(database), service))
    }

    pub async fn close(self) -> Result<(), CliError> {
        match self {
            Self::Database(database, _) => database.close().await,
            Self::Api(_) => Ok(()),
        }
    }

    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<ListResponse<DeliveryView>, CliError> {
        let attempt = "list the deliveries";
        match self {
            Self::Database(_, service) => {
                let page = service.deliveries(filter).await.context(attempt)?;
                Ok(ListResponse {
                    data: page.data,
                    next_cursor: page.next.map(|id| cursor::encode(&DeliveryCursor(id))),
                })
            }
            Self::Api(api) => {
                let params = DeliveryListParams::from(filter);
                api.list(attempt, &["admin", "deliveries"], &params, filter.limit).await
            }
        }
    }

    /// Reads the deliveries of a page whose ids are `wanted`. In the database only the ids of the others are read, from an index.
    pub async fn deliveries_with(
        &self,
        filter: &DeliveryFilter,
        wanted: impl Fn(Uuid) -> bool,
    ) -> Result<DeliveryPage, CliError> {
        match self {
            Self::Database(database, _) => {
                let attempt = "list the deliveries";
                let (mut ids, next) = delivery_list::ids(&database.pool, filter).await.context(attempt)?;
                ids.retain(|id| wanted(*id));
                let data = delivery_list::of_ids(&database.pool, &ids).await.context(attempt)?;
                Ok(DeliveryPage { data, next })
            }
            Self::Api(_) => {
                let mut page = self.deliveries(filter).await?;
                page.data.retain(|delivery| wanted(delivery.id));
                let next = page.next_cursor.as_deref().and_then(cursor::decode);
                Ok(DeliveryPage {
                    data: page.data,
                    next: next.map(|DeliveryCursor(id)| id),
                })
            }
        }
    }

    /// Counts the deliveries of a page: in the database by their ids.
    pub async fn count_deliveries(&self, filter: &DeliveryFilter) -> Result<usize, CliError> {
        match self {
            Self::Database(database, _) => {
                let ids = delivery_list::ids(&database.pool, filter).await;
                ids.map(|(ids, _)| ids.len()).context("count the deliveries")
            }
            Self::Api(_) => Ok(self.deliveries(filter).await?.data.len()),
        }
    }

    pub async fn delivery(&self, id: Uuid) -> Result<Option<DeliveryRecord>, CliError> {
        let attempt = "read the delivery";
        match self {
            Self::Database(_, service) => service.delivery(id).await.context(attempt),
            Self::Api(api) => api.find(attempt, &["admin", "deliveries", &id.to_string()]).await,
        }
    }

    pub async fn jobs(&self, filter: &JobListFilter) -> Result<ListResponse<JobView>, CliError> {
        let attempt = "list the jobs";
        match self {
            Self::Database(_, service) => {
                let page = service.jobs(filter).await.context(attempt)?;
                Ok(ListResponse {
                    data: page.data,
                    next_cursor: page.next.map(|position| cursor::encode(&JobCursor(position))),
                })
            }
            Self::Api(api) => {
                let params = JobListParams::from(filter);
                api.list(attempt, &["admin", "jobs"], &params, filter.limit).await
            }
        }
    }

    pub async fn job(&self, id: i64) -> Result<Option<JobView>, CliError> {
        let attempt = "read the job";
        match self {
            Self::Database(_, service) => service.job(id).await.context(attempt),
            Self::Api(api) => api.find(attempt, &["admin", "jobs", &id.to_string()]).await,
        }
    }

    pub async fn documents(&self, filter: &DocumentFilter) -> Result<Vec<DocumentView>, CliError> {
        let attempt = "list the documents";
        match self {
            Self::Database(_, service) => {
                let resource = filter.resource.as_deref();
                let documents = service.documents(resource, filter.before, filter.limit).await;
                documents.context(attempt)
            }
            Self::Api(api) => {
                let params = DocumentListParams::from(filter);
                let list = api
                    .list(attempt, &["admin", "documents"], &params, filter.limit)
                    .await?;
                Ok(list.data)
            }
        }
    }

    pub async fn document(&self, id: i64) -> Result<Option<DocumentRecord>, CliError> {
        let attempt = "read the document";
        match self {
            Self::Database(_, service) => service.document(id).await.context(attempt),
            Self::Api(api) => api.find(attempt, &["admin", "documents", &id.to_string()]).await,
        }
    }

    pub async fn trace(&self, id: &str) -> Result<Option<Trace>, CliError> {
        let attempt = "read what is stored about the id";
        match self {
            Self::Database(_, service) => service.trace(id).await.context(attempt),
            Self::Api(api) => api.find(attempt, &["admin", "trace", id]).await,
        }
    }

    pub async fn summary(&self) -> Result<OperatorSummary, CliError> {
        let attempt = "read the summary";
        match self {
            Self::Database(_, service) => service.summary().await.context(attempt),
            Self::Api(api) => api.read(attempt, ApiCall::get(&["admin", "summary"])).await,
        }
    }
}
