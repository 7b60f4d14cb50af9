//! `updateChatSessionWithQuote`: a quote is counted once, whether the application or Avinode's webhook reports it first.

use crate::postgres::transaction::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::error::SessionError;
use super::service::{SessionService, enqueue_rematch, lock_session};
use super::validate::{self, optional};
use crate::domain::chat_session::input::QuoteUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::ids::QuoteId;
use crate::domain::timeline::TimelineEvent;
use crate::domain::workflow::{WorkflowStep, advance_to};
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::lock::LockedChatSession;
use crate::store::chat_sessions::quotes::{self, QuoteRow};
use crate::store::chat_sessions::timeline_and_pin;

impl SessionService {
    /// Enters a quote into a session's ledger and counts it, once. A primary quote given here is pinned.
    ///
    /// The ledger key is Avinode's quote id, if the quote has one (that of the fact which its row shows, or else the row's
    /// own), so that the same quote from the webhook is the same ledger entry; otherwise the key is the row's id.
    ///
    /// # Errors
    /// The session does not exist; a field is invalid or refers to a missing row; or a quote belongs to another request
    /// than the session and to none of its trips (sessions of one trip share their quotes).
    pub async fn update_quote(&self, session: Uuid, update: &QuoteUpdate) -> Result<ChatSession, SessionError> {
        optional(update.quotes_received_count.as_ref(), |count| {
            validate::count("quotes_received_count", *count)
        })?;
        optional(update.quotes_expected_count.as_ref(), |count| {
            validate::count("quotes_expected_count", *count)
        })?;
        let update = &QuoteUpdate {
            current_step: optional(update.current_step.as_deref(), validate::step)?,
            ..update.clone()
        };
        let details = json!({
            "session": session,
            "quote": update.quote_id,
            "primary_quote": update.primary_quote_id,
        });
        self.change_with(session, AuditAction::RecordQuote, details, |mut tx| async move {
            self.record_quote(&mut tx, session, update).await?;
            Ok(tx)
        })
        .await
    }

    async fn record_quote(
        &self,
        tx: &mut Transaction<'_>,
        session: Uuid,
        update: &QuoteUpdate,
    ) -> Result<(), SessionError> {
        let now = self.now();
        let before = lock_session(tx, session).await?;
        let trip_ids = quotes::trip_ids_of_session(tx, session).await?;
        let quote = load_quote(tx, &before, "quote_id", update.quote_id, &trip_ids).await?;
        let key = ledger_key(update.quote_id, &quote);
        let primary = match update.primary_quote_id {
            Some(row) if row == update.quote_id => Some((row, key.clone())),
            Some(row) => {
                let primary = load_quote(tx, &before, "primary_quote_id", row, &trip_ids).await?;
                Some((row, ledger_key(row, &primary)))
            }
            None => None,
        };
        let pinned = match primary {
            Some(_) => timeline_and_pin::pinned(tx, session).await?,
            None => None,
        };
        let entered = quotes::insert_into_ledger(tx, session, &key).await?;
        let is_closed = SessionStatus::is_closed_word(&before.status);
        let step = update.current_step.clone().or_else(|| {
            let step = (!is_closed).then(|| advance_to(before.current_step.as_deref(), WorkflowStep::RequestingQuotes));
            step.flatten().map(|step| step.as_str().to_owned())
        });
        let write = QuoteUpdate {
            current_step: step,
            ..update.clone()
        };
        quotes::write(tx, session, &write, i64::from(entered), now).await?;
        if entered {
            let detail = json!({"quote": key, "operator": quote.operator_name, "source": "api"});
            let event = TimelineEvent::quote_received(&key, Some(now), detail);
            timeline_and_pin::append(tx, session, event, &self.actor).await?;
        }
        if let Some((row, key)) = primary {
            timeline_and_pin::pin(tx, session).await?;
            if pinned != Some(row) {
                let event = TimelineEvent::primary_quote_pinned(&key, now);
                timeline_and_pin::append(tx, session, event, &self.actor).await?;
            }
        }
        Ok(())
    }

    /// Unpins a session's primary quote: a worker selects one by the policy within moments, and the column keeps its
    /// value until then. A session without a pin stays unchanged.
    ///
    /// # Errors
    /// The session does not exist.
    pub async fn unpin(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        self.change(session, AuditAction::UnpinPrimaryQuote, |mut tx| async move {
            lock_session(&mut tx, session).await?;
            let pinned = timeline_and_pin::pinned(&mut tx, session).await?;
            if timeline_and_pin::unpin(&mut tx, session).await? {
                if let Some(row) = pinned {
                    let quote = quotes::find_row(&mut tx, row, &[]).await?;
                    let key = quote.map_or_else(|| format!("row:{row}"), |quote| ledger_key(row, &quote));
                    let event = TimelineEvent::primary_quote_unpinned(&key, self.now());
                    timeline_and_pin::append(&mut tx, session, event, &self.actor).await?;
                }
                enqueue_rematch(&mut tx, session).await?;
            }
            Ok(tx)
        })
        .await
    }
}

/// Returns a row of `quotes`, if it may belong to this session.
async fn load_quote(
    tx: &mut Transaction<'_>,
    session: &LockedChatSession,
    field: &'static str,
    row: Uuid,
    trip_ids: &[String],
) -> Result<QuoteRow, SessionError> {
    let quote = quotes::find_row(tx, row, trip_ids).await?;
    let quote = quote.ok_or(SessionError::ReferenceNotFound { field })?;
    let foreign = match (quote.request_id, session.request_id) {
        (Some(its), Some(ours)) => its != ours && !quote.is_of_trip,
        _ => false,
    };
    match foreign {
        true => Err(SessionError::invalid(field, "is a quote of another request")),
        false => Ok(quote),
    }
}

/// Returns the ledger key of a quote. The webhook cannot report an id that is not a valid [`QuoteId`], so such a quote is
/// keyed by its row.
fn ledger_key(row: Uuid, quote: &QuoteRow) -> String {
    let id = quote
        .projected_quote_id
        .as_deref()
        .or(quote.avinode_quote_id.as_deref());
    match id.and_then(|id| QuoteId::parse(id).ok()) {
        Some(id) => id.as_str().to_owned(),
        None => format!("row:{row}"),
    }
}
