//! The session service: its methods are the operations.

use crate::postgres::transaction::{Pool, Transaction};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::SessionError;
use crate::clock::Clock;
use crate::domain::chat_session::view::ChatSession;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::queue::job_kind::JobKind;
use crate::queue::listener;
use crate::store::chat_sessions::references::{self, References};
use crate::store::chat_sessions::{lock, page};

/// Chat-session tracking on one database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SessionService {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
}

impl SessionService {
    pub fn new(pool: Pool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// Returns the current time, in the precision of Postgres.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

pub(super) async fn lock_session(
    tx: &mut Transaction<'_>,
    session: Uuid,
) -> Result<lock::LockedChatSession, SessionError> {
    lock::session(tx, session).await?.ok_or(SessionError::SessionNotFound)
}

/// Returns a session as this transaction sees it.
pub(super) async fn load_session(tx: &mut Transaction<'_>, session: Uuid) -> Result<ChatSession, SessionError> {
    page::get(tx, session).await?.ok_or(SessionError::SessionNotFound)
}

pub(super) async fn check_references(tx: &mut Transaction<'_>, references: References) -> Result<(), SessionError> {
    match references::first_missing(tx, references).await? {
        Some(field) => Err(SessionError::ReferenceNotFound { field }),
        None => Ok(()),
    }
}

/// Enqueues a rematch of a session, and wakes a worker when this transaction commits.
pub(super) async fn enqueue_rematch(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
    let job = NewJob::new(JobKind::Rematch, session.to_string());
    enqueue::insert(tx, &[job], InsertOptions::default()).await?;
    listener::wake(tx).await?;
    Ok(())
}
