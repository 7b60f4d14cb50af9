//! The value whose methods are the operations.

use crate::postgres::transaction::{Pool, Transaction};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::error::Error;
use crate::clock::Clock;
use crate::domain::tracking::view::ChatSession;
use crate::queue::enqueue::{NewJob, enqueue};
use crate::store::tracking::{find, lock, notes};

/// The kind of job that matches a session with what is known of its trip; the triggers queue it by the same word.
const REMATCH: &str = "rematch";

/// Chat-session tracking on one database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
}

impl Sessions {
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
pub(super) async fn locked(tx: &mut Transaction<'_>, session: Uuid) -> Result<lock::Locked, Error> {
    lock::session(tx, session).await?.ok_or(Error::NoSuchSession)
}

/// A session that must be there, as it is now.
pub(super) async fn shown(tx: &mut Transaction<'_>, session: Uuid) -> Result<ChatSession, Error> {
    find::one(tx, session).await?.ok_or(Error::NoSuchSession)
}

/// Has a session matched again, soon after this transaction commits.
pub(super) async fn match_again(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), Error> {
    let job = NewJob {
        kind: REMATCH,
        key: Some(session.to_string()),
        delivery_id: None,
        due_in: None,
    };
    enqueue(tx, &[job]).await?;
    notes::wake(tx).await?;
    Ok(())
}
