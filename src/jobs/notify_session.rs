//! Sends a webhook about a changed session. The content is read when the job runs, so one job covers every change before; each
//! different content has a version of its own, and each attempt to send a version the same `webhook-id`.

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use metrics::counter;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::chat_session::page::PageRequest;
use crate::notify::message::{SessionMessage, SessionSummary};
use crate::notify::sender::{NotifySender, SendError};
use crate::postgres::transaction::Pool;
use crate::queue::claim;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::{self, JobOutcome};
use crate::store::chat_sessions::{aggregate, page, tx};
use crate::store::session_webhooks;

/// The most timeline entries that a webhook names.
const CHANGES: u16 = 100;

pub struct NotifySessionHandler {
    pub pool: Pool,
    pub sender: NotifySender,
    pub clock: Clock,
}

/// The webhook of a session, if one is to be sent.
enum Prepared {
    Message(Box<SessionMessage>),
    /// The receiver has this content.
    Unchanged,
    Gone,
}

impl JobHandler for NotifySessionHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let mut unfinished = Vec::new();
            for job in &batch.jobs {
                if let Err(error) = self.notify(job, self.clock.now()).await {
                    unfinished.push((job.id, error));
                }
            }
            Ok(unfinished)
        }
        .boxed()
    }
}

impl NotifySessionHandler {
    async fn notify(&self, job: &ClaimedJob, now: DateTime<Utc>) -> Result<(), JobError> {
        let key = job.key.as_deref().unwrap_or_default();
        let session: Uuid = key
            .parse()
            .map_err(|_| JobError::fail(format!("invalid key {key:?}: not a session id")))?;
        let message = match self.prepare(session).await? {
            Prepared::Message(message) => message,
            Prepared::Unchanged => return self.complete(job, "nothing", "the receiver has this version").await,
            Prepared::Gone => return self.complete(job, "gone", "the session was deleted").await,
        };
        let body = serde_json::to_vec(&message).map_err(|error| JobError::fail(error.to_string()))?;
        self.sender.send(&message.id(), body, now).await?;
        let mut tx = tx::writing(&self.pool).await?;
        // Another worker took the job over: it sends the same version under the same id.
        if claim::lock_held(&mut tx, std::slice::from_ref(job)).await?.is_empty() {
            return Ok(());
        }
        let (version, seq) = (message.version(), message.timeline_seq());
        session_webhooks::acknowledge(&mut tx, session, version, seq).await?;
        let outcome = JobOutcome::new(job.id, "sent", format!("version {version}"));
        outcomes::complete(&mut tx, &[outcome]).await?;
        tx.commit().await?;
        count("sent");
        Ok(())
    }

    /// Reads a session under the lock of its record, so that a higher version never has an older content. The version is durable
    /// before it is sent: after a crash, another content would have the same id.
    async fn prepare(&self, session: Uuid) -> Result<Prepared, JobError> {
        let mut tx = tx::writing(&self.pool).await?;
        let Some(record) = session_webhooks::lock(&mut tx, session).await? else {
            return Ok(Prepared::Gone);
        };
        let Some(view) = page::get(&mut tx, session).await? else {
            return Ok(Prepared::Gone);
        };
        let last_seq = session_webhooks::last_seq(&mut tx, session).await?;
        let since = PageRequest {
            after: Some(record.acknowledged_seq),
            limit: CHANGES,
        };
        let entries = aggregate::timeline(&mut tx, session, &since).await?;
        let state = SessionSummary::new(view, last_seq);
        let digest = state.digest().map_err(|error| JobError::fail(error.to_string()))?;
        let is_new = record.digest.as_deref() != Some(&digest);
        if !is_new && record.acknowledged_version >= record.version {
            return Ok(Prepared::Unchanged);
        }
        let version = record.version + i64::from(is_new);
        if is_new {
            session_webhooks::set_version(&mut tx, session, version, &digest).await?;
        }
        tx.commit().await?;
        let is_truncated = entries.next.is_some();
        let message = SessionMessage::new(session, version, state, entries.data, is_truncated);
        Ok(Prepared::Message(Box::new(message)))
    }

    async fn complete(&self, job: &ClaimedJob, outcome: &'static str, detail: &str) -> Result<(), JobError> {
        let finished = |job: &ClaimedJob| JobOutcome::new(job.id, outcome, detail);
        outcomes::complete_held(&self.pool, std::slice::from_ref(job), finished).await?;
        count(outcome);
        Ok(())
    }
}

fn count(outcome: &'static str) {
    let kind = JobKind::NotifySession.as_str();
    counter!("avinode_ingest_jobs_finished_total", "kind" => kind, "outcome" => outcome).increment(1);
}

impl From<SendError> for JobError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Status {
                retry_after: Some(after),
                ..
            } => Self::retry_after(error.to_string(), after),
            error => Self::retry(error.to_string()),
        }
    }
}
