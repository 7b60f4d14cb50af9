//! Queries. `getActiveChatSession`, `getChatSessionByRequest`, `getChatSessionsByTripId` and `getUserActiveChatSessions`
//! are [`SessionService::list`] with a filter.

use uuid::Uuid;

use super::error::SessionError;
use super::service::{SessionService, load_session};
use super::validate::{self, optional};
use crate::domain::chat_session::page::{MAX_LIMIT, Page, PageRequest, SessionCursor, SessionFilter};
use crate::domain::chat_session::view::{ChatSession, SessionQuote, Statistics, TimelineEntry};
use crate::postgres::transaction::Transaction;
use crate::store::chat_sessions::{aggregate, lock, page, quotes, search};

impl SessionService {
    /// Lists sessions, newest activity first.
    ///
    /// # Errors
    /// A filter is invalid, the limit is not 1 to [`MAX_LIMIT`], or the database is busy.
    pub async fn list(
        &self,
        filter: &SessionFilter,
        page: &PageRequest<SessionCursor>,
    ) -> Result<Page<ChatSession, SessionCursor>, SessionError> {
        let filter = &validated(filter)?;
        validate_limit(page)?;
        self.read(|mut tx| async move {
            let trip_ids = match &filter.trip_id {
                Some(trip_id) => quotes::trip_ids(&mut tx, trip_id.as_str()).await?,
                None => Vec::new(),
            };
            Ok(page::list(&mut tx, filter, &trip_ids, page).await?)
        })
        .await
    }

    /// Returns one session.
    ///
    /// # Errors
    /// The session does not exist.
    pub async fn get(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        self.read(|mut tx| async move { load_session(&mut tx, session).await })
            .await
    }

    /// Returns the name of an agent; `None` if it has none.
    pub async fn agent_name(&self, agent: Uuid) -> Result<Option<String>, SessionError> {
        self.read(|mut tx| async move { Ok(search::agent_name(&mut tx, agent).await?) })
            .await
    }

    /// Lists the quotes in a session's ledger, ordered by id.
    ///
    /// # Errors
    /// The session does not exist, or the page is invalid.
    pub async fn quotes(
        &self,
        session: Uuid,
        page: &PageRequest<String>,
    ) -> Result<Page<SessionQuote, String>, SessionError> {
        validate_limit(page)?;
        optional(page.after.as_deref(), |after| validate::id("cursor", after))?;
        self.read(|mut tx| async move {
            check_exists(&mut tx, session).await?;
            let trip_ids = quotes::trip_ids_of_session(&mut tx, session).await?;
            Ok(quotes::list(&mut tx, session, &trip_ids, page).await?)
        })
        .await
    }

    /// Lists a session's timeline, in the order in which the events became known.
    ///
    /// # Errors
    /// The session does not exist, or the limit is invalid.
    pub async fn timeline(
        &self,
        session: Uuid,
        page: &PageRequest<i64>,
    ) -> Result<Page<TimelineEntry, i64>, SessionError> {
        validate_limit(page)?;
        self.read(|mut tx| async move {
            check_exists(&mut tx, session).await?;
            Ok(aggregate::timeline(&mut tx, session, page).await?)
        })
        .await
    }

    /// Lists a session's timeline, the newest entry first.
    ///
    /// # Errors
    /// The session does not exist, or the limit is invalid.
    pub async fn newest_timeline(
        &self,
        session: Uuid,
        page: &PageRequest<i64>,
    ) -> Result<Page<TimelineEntry, i64>, SessionError> {
        validate_limit(page)?;
        self.read(|mut tx| async move {
            check_exists(&mut tx, session).await?;
            Ok(aggregate::newest_timeline(&mut tx, session, page).await?)
        })
        .await
    }

    /// Counts active sessions by step.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn statistics(&self) -> Result<Statistics, SessionError> {
        self.read(|mut tx| async move { Ok(aggregate::statistics(&mut tx).await?) })
            .await
    }
}

async fn check_exists(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
    match lock::place_of(tx, session).await? {
        Some(_) => Ok(()),
        None => Err(SessionError::SessionNotFound),
    }
}

fn validated(filter: &SessionFilter) -> Result<SessionFilter, SessionError> {
    Ok(SessionFilter {
        rfp_id: optional(filter.rfp_id.as_deref(), |text| validate::id("rfp_id", text))?,
        rfq_id: optional(filter.rfq_id.as_deref(), |text| validate::id("rfq_id", text))?,
        current_step: optional(filter.current_step.as_deref(), validate::step)?,
        ..filter.clone()
    })
}

fn validate_limit<P>(page: &PageRequest<P>) -> Result<(), SessionError> {
    match (1..=MAX_LIMIT).contains(&page.limit) {
        true => Ok(()),
        false => Err(SessionError::invalid(
            "limit",
            format!("is not an integer from 1 to {MAX_LIMIT}"),
        )),
    }
}
