//! Finding sessions, and what belongs to one. `getActiveChatSession`, `getChatSessionByRequest`, `getChatSessionsByTripId`
//! and `getUserActiveChatSessions` are [`Sessions::list`] with a filter.

use uuid::Uuid;

use super::error::Error;
use super::service::{Sessions, shown};
use crate::domain::chat_session::page::{Filter, Listed, MAX_LIMIT, Page, Position};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, Statistics, TimelineLine};
use crate::postgres::transaction::Transaction;
use crate::store::chat_sessions::{aggregate, page, quotes, tx};

impl Sessions {
    /// Finds sessions, the newest activity first.
    ///
    /// # Errors
    /// The limit is not 1 to [`MAX_LIMIT`], or the database is busy.
    pub async fn list(&self, filter: &Filter, page: &Page<Position>) -> Result<Listed<ChatSession, Position>, Error> {
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
    pub async fn get(&self, session: Uuid) -> Result<ChatSession, Error> {
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        shown(&mut tx, session).await
    }

    /// Reads the quotes in a session's ledger, by their ids.
    ///
    /// # Errors
    /// There is no such session, or the limit is wrong.
    pub async fn quotes(&self, session: Uuid, page: &Page<String>) -> Result<Listed<SessionQuote, String>, Error> {
        limited(page)?;
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        known(&mut tx, session).await?;
        let trip_ids = quotes::trips_of(&mut tx, session).await.map_err(read)?;
        quotes::list(&mut tx, session, &trip_ids, page).await.map_err(read)
    }

    /// Reads a session's timeline, in the order in which things became known.
    ///
    /// # Errors
    /// There is no such session, or the limit is wrong.
    pub async fn timeline(&self, session: Uuid, page: &Page<i64>) -> Result<Listed<TimelineLine, i64>, Error> {
        limited(page)?;
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        known(&mut tx, session).await?;
        aggregate::timeline(&mut tx, session, page).await.map_err(read)
    }

    /// Counts active sessions by step.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        let mut tx = tx::reading(&self.pool).await.map_err(read)?;
        aggregate::statistics(&mut tx).await.map_err(read)
    }
}

/// Refuses what is about no session.
async fn known(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), Error> {
    match aggregate::exists(tx, session).await.map_err(read)? {
        true => Ok(()),
        false => Err(Error::NoSuchSession),
    }
}

/// Reading contends for nothing that would pass in a moment.
fn read(error: sqlx::Error) -> Error {
    match Error::from(error) {
        Error::Contended { .. } => Error::Busy,
        error => error,
    }
}

fn limited<P>(page: &Page<P>) -> Result<(), Error> {
    match (1..=MAX_LIMIT).contains(&page.limit) {
        true => Ok(()),
        false => Err(Error::Refused {
            field: "limit",
            why: format!("is not a whole number from 1 to {MAX_LIMIT}"),
        }),
    }
}
