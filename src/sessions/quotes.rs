//! `updateChatSessionWithQuote`: a quote counts once, whoever says it first, the application or Avinode's webhook.

use crate::postgres::transaction::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::error::SessionError;
use super::retry::retried;
use super::service::{SessionService, locked, match_again, shown};
use super::validate::{self, given};
use crate::domain::chat_session::input::QuoteUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::domain::ids::QuoteId;
use crate::domain::timeline::TimelineEvent;
use crate::domain::workflow::{WorkflowStep, advance_to};
use crate::store::chat_sessions::lock::LockedChatSession;
use crate::store::chat_sessions::quotes::{self, QuoteRow, QuoteWrite};
use crate::store::chat_sessions::{timeline_and_pin, tx};

impl SessionService {
    /// Enters a quote into a session's ledger and counts it, once. A primary quote that is given is pinned.
    ///
    /// A quote is known by Avinode's id where it has one (that of the fact that its row shows, or else the row's own), so that
    /// the same quote told by the webhook, before or after, is the same ledger entry; otherwise by its row.
    ///
    /// # Errors
    /// There is no such session; a field has a wrong value or refers to nothing; or a quote belongs to another request
    /// than the session, and is not known to be of the session's trip either (sessions of one trip share their quotes).
    pub async fn update_quote(&self, session: Uuid, update: &QuoteUpdate) -> Result<ChatSession, SessionError> {
        given(update.quotes_received_count.as_ref(), |count| {
            validate::count("quotes_received_count", *count)
        })?;
        given(update.quotes_expected_count.as_ref(), |count| {
            validate::count("quotes_expected_count", *count)
        })?;
        let update = &QuoteUpdate {
            current_step: given(update.current_step.as_deref(), validate::step)?,
            ..update.clone()
        };
        retried(|| self.take_quote(session, update)).await
    }

    async fn take_quote(&self, session: Uuid, update: &QuoteUpdate) -> Result<ChatSession, SessionError> {
        let now = self.now();
        let mut tx = tx::writing(&self.pool).await?;
        let before = locked(&mut tx, session).await?;
        let trip_ids = quotes::trip_ids_of_session(&mut tx, session).await?;
        let quote = of_session(&mut tx, &before, "quote_id", update.quote_id, &trip_ids).await?;
        if let Some(primary) = update.primary_quote_id.filter(|primary| *primary != update.quote_id) {
            of_session(&mut tx, &before, "primary_quote_id", primary, &trip_ids).await?;
        }
        let key = ledger_key(update.quote_id, &quote);
        let entered = quotes::insert_into_ledger(&mut tx, session, &key).await?;
        let is_closed = SessionStatus::from_word(&before.status).is_some_and(SessionStatus::is_closed);
        let step = update.current_step.clone().or_else(|| {
            let step = (!is_closed).then(|| advance_to(before.current_step.as_deref(), WorkflowStep::RequestingQuotes));
            step.flatten().map(|step| step.as_str().to_owned())
        });
        let written = QuoteWrite {
            new_quotes: i32::from(entered),
            received_count: update.quotes_received_count,
            expected_count: update.quotes_expected_count,
            primary_quote_id: update.primary_quote_id,
            current_step: step,
        };
        quotes::write(&mut tx, session, &written, now).await?;
        if update.primary_quote_id.is_some() {
            timeline_and_pin::pin(&mut tx, session).await?;
        }
        if entered {
            let detail = json!({"quote": key, "operator": quote.operator_name, "source": "api"});
            let received = TimelineEvent::quote_received(&key, Some(now), detail);
            timeline_and_pin::append(&mut tx, session, received).await?;
        }
        let session = shown(&mut tx, session).await?;
        tx.commit().await?;
        Ok(session)
    }

    /// Takes the pin off a session's primary quote: the workers elect one anew, within moments. Until then the column keeps
    /// what it has. A session without a pin stays as it is.
    ///
    /// # Errors
    /// There is no such session.
    pub async fn unpin(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        retried(|| async {
            let mut tx = tx::writing(&self.pool).await?;
            locked(&mut tx, session).await?;
            if timeline_and_pin::unpin(&mut tx, session).await? {
                match_again(&mut tx, session).await?;
            }
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }
}

/// A row of `quotes` that may stand in this session.
async fn of_session(
    tx: &mut Transaction<'_>,
    session: &LockedChatSession,
    field: &'static str,
    row: Uuid,
    trip_ids: &[String],
) -> Result<QuoteRow, SessionError> {
    let quote = quotes::find_row(tx, row, trip_ids).await?;
    let quote = quote.ok_or(SessionError::ReferenceNotFound { field })?;
    let elsewhere = match (quote.request_id, session.request_id) {
        (Some(its), Some(ours)) => its != ours && !quote.is_of_trip,
        _ => false,
    };
    match elsewhere {
        true => Err(SessionError::Refused {
            field,
            why: "is a quote of another request".to_owned(),
        }),
        false => Ok(quote),
    }
}

/// The ledger's word for a quote. What is no id by our rules is none that a webhook could bring, either.
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
