//! Finding sessions, and what belongs to one. `getActiveChatSession`, `getChatSessionByRequest`, `getChatSessionsByTripId`
//! and `getUserActiveChatSessions` are [`SessionService::list`] with a filter.

use uuid::Uuid;

use super::error::SessionError;
use super::service::{SessionService, shown};
use crate::domain::chat_session::page::{MAX_LIMIT, Page, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, Statistics, TimelineEntry};
use crate::postgres::transaction::Transaction;
use crate::store::chat_sessions::{aggregate, page, quotes, tx};

impl SessionService {
    /// Finds sessions, the newest activity first.
    ///
    /// # Errors
    /// The limit is not 1 to [`MAX_LIMIT`], or the database is busy.
    pub async fn list(
        &self,
        filter: &SessionFilter,
        page: &PageRequest<SessionCursor>,
    ) -> Result<Page<ChatSession, SessionCursor>, SessionError> {
        limited(page)?;
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        let trip_ids = match &filter.trip_id {
            Some(trip_id) => quotes::trip_ids(&mut tx, trip_id.as_str()).await.map_err(read)?,
            None => Vec::new(),
        };
        page::list(&mut tx, filter, &trip_ids, page).await.map_err(read)
    }

    /// Reads one session.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn get(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        shown(&mut tx, session).await
    }

    /// Reads the quotes in a session's ledger, by their ids.
    ///
    /// # Errors
    /// There is no such session, or the limit is wrong.
    pub async fn quotes(
        &self,
        session: Uuid,
        page: &PageRequest<String>,
    ) -> Result<Page<SessionQuote, String>, SessionError> {
        limited(page)?;
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        known(&mut tx, session).await?;
        let trip_ids = quotes::trip_ids_of_session(&mut tx, session).await.map_err(read)?;
        quotes::list(&mut tx, session, &trip_ids, page).await.map_err(read)
    }

    /// Reads a session's timeline, in the order in which things became known.
    ///
    /// # Errors
    /// There is no such session, or the limit is wrong.
    pub async fn timeline(
        &self,
        session: Uuid,
        page: &PageRequest<i64>,
    ) -> Result<Page<TimelineEntry, i64>, SessionError> {
        limited(page)?;
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        known(&mut tx, session).await?;
        aggregate::timeline(&mut tx, session, page).await.map_err(read)
    }

    /// Counts active sessions by step.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn statistics(&self) -> Result<Statistics, SessionError> {
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        aggregate::statistics(&mut tx).await.map_err(read)
    }
}

/// Refuses what is about no session.
async fn known(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
    match aggregate::exists(tx, session).await.map_err(read)? {
        true => Ok(()),
        false => Err(SessionError::NoSuchSession),
    }
}

/// Reading contends for nothing that would pass in a moment.
fn read(error: sqlx::Error) -> SessionError {
    match SessionError::from(error) {
        SessionError::Contended { .. } => SessionError::Busy,
        error => error,
    }
}

fn limited<P>(page: &PageRequest<P>) -> Result<(), SessionError> {
    match (1..=MAX_LIMIT).contains(&page.limit) {
        true => Ok(()),
        false => Err(SessionError::Refused {
            field: "limit",
            why: format!("is not a whole number from 1 to {MAX_LIMIT}"),
        }),
    }
}
