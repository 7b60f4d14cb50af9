//! Updates one session: its activity, status, trip and proposal. Timestamps only move forward.

use crate::postgres::transaction::Transaction;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::chat_session::conversation_type::ConversationType;
use crate::domain::chat_session::patch::TripPatch;
use crate::domain::chat_session::status::SessionStatus;

/// Raises the last activity to `now` and adds messages; returns false if the session does not exist.
pub async fn activity(
    tx: &mut Transaction<'_>,
    session: Uuid,
    messages: i32,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET last_activity_at = greatest(session.last_activity_at, $3),
            -- A counter at its maximum stays there.
            message_count = least(coalesce(session.message_count, 0)::bigint + $2, 2147483647)::integer,
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        i64::from(messages),
        now,
    )
    .execute(tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Sets the status of a locked session, and its end unless it has one.
pub async fn status(
    tx: &mut Transaction<'_>,
    session: Uuid,
    status: SessionStatus,
    activity: Option<DateTime<Utc>>,
    ended: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET status = ($2::text)::public.chat_session_status,
            last_activity_at = greatest(session.last_activity_at, $3),
            session_ended_at = coalesce(session.session_ended_at, $4),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        status.as_str(),
        activity,
        ended,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The complete new values of columns that hold an object; `None` keeps the stored one.
#[derive(Debug, Clone, Default)]
pub struct TripDocuments {
    pub workflow_state: Option<Value>,
    pub metadata: Option<Value>,
}

/// Writes a patch to the trip columns of a locked session. Its status and its conversation type are written separately.
pub async fn trip(
    tx: &mut Transaction<'_>,
    session: Uuid,
    patch: &TripPatch,
    documents: TripDocuments,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET avinode_trip_id = CASE WHEN $2 THEN $3 ELSE session.avinode_trip_id END,
            avinode_rfp_id = CASE WHEN $4 THEN $5 ELSE session.avinode_rfp_id END,
            avinode_rfq_id = CASE WHEN $6 THEN $7 ELSE session.avinode_rfq_id END,
            request_id = CASE WHEN $8 THEN $9 ELSE session.request_id END,
            current_step = CASE WHEN $10 THEN $11 ELSE session.current_step END,
            workflow_state = coalesce($12, session.workflow_state),
            quotes_expected_count = coalesce($13, session.quotes_expected_count),
            operators_contacted_count = coalesce($14, session.operators_contacted_count),
            last_activity_at = greatest(session.last_activity_at, $15),
            metadata = coalesce($16, session.metadata),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        patch.avinode_trip_id.is_some(),
        patch.avinode_trip_id.as_ref().and_then(Option::as_deref),
        patch.avinode_rfp_id.is_some(),
        patch.avinode_rfp_id.as_ref().and_then(Option::as_deref),
        patch.avinode_rfq_id.is_some(),
        patch.avinode_rfq_id.as_ref().and_then(Option::as_deref),
        patch.request_id.is_some(),
        patch.request_id.flatten(),
        patch.current_step.is_some(),
        patch.current_step.as_ref().and_then(Option::as_deref),
        documents.workflow_state,
        patch.quotes_expected_count.map(Option::unwrap_or_default),
        patch.operators_contacted_count.map(Option::unwrap_or_default),
        now,
        documents.metadata,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Sets the proposal and the step of a locked session.
pub async fn proposal(
    tx: &mut Transaction<'_>,
    session: Uuid,
    proposal: Uuid,
    step: &str,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET proposal_id = $2, current_step = $3, last_activity_at = greatest(session.last_activity_at, $4),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        proposal,
        step,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Sets the type of a session's conversation; returns false if the session does not exist.
///
/// # Errors
/// `undefined_column` (42703) where the application's table has no such column.
pub async fn conversation_type(
    tx: &mut Transaction<'_>,
    session: Uuid,
    conversation_type: ConversationType,
) -> Result<bool, sqlx::Error> {
    let conversation_type: &str = conversation_type.into();
    let updated = sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET conversation_type = $2, updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        conversation_type,
    )
    .execute(tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}
