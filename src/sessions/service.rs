//! The value whose methods are the operations.

use crate::postgres::transaction::{Pool, Transaction};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::SessionError;
use crate::clock::Clock;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::job_kind::JobKind;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::store::chat_sessions::references::{self, References};
use crate::store::chat_sessions::{lock, page, timeline_and_pin};

/// Chat-session tracking on one database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SessionService {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
}

impl SessionService {
    /// Tracking on this database, by this clock.
    pub fn new(pool: Pool, clock: Clock) -> Self {
        Self { pool, clock }
    }

    /// The moment of a call, as precisely as Postgres keeps it.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// A session that must be there, locked.
pub(super) async fn locked(tx: &mut Transaction<'_>, session: Uuid) -> Result<lock::LockedChatSession, SessionError> {
    lock::session(tx, session).await?.ok_or(SessionError::NoSuchSession)
}

/// A session that must be there, as it is now.
pub(super) async fn shown(tx: &mut Transaction<'_>, session: Uuid) -> Result<ChatSession, SessionError> {
    page::one(tx, session).await?.ok_or(SessionError::NoSuchSession)
}

/// Refuses references to rows that are not there.
pub(super) async fn referring(tx: &mut Transaction<'_>, to: References) -> Result<(), SessionError> {
    match references::missing(tx, to).await? {
        Some(field) => Err(SessionError::ReferenceNotFound { field }),
        None => Ok(()),
    }
}

/// Has a session matched again, soon after this transaction commits.
pub(super) async fn match_again(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
    let job = NewJob::new(JobKind::Rematch, session.to_string());
    enqueue::insert(tx, &[job], InsertOptions::default()).await?;
    timeline_and_pin::wake(tx).await?;
    Ok(())
}
