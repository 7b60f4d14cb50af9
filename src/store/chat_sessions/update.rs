//! Changes of one session: its activity, status, trip and proposal. Moments only ever move forward.

use crate::postgres::transaction::Transaction;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::chat_session::status::SessionStatus;

/// Moves the last activity to `now` and adds messages. `false`: there is no such session.
pub async fn activity(
    tx: &mut Transaction<'_>,
    session: Uuid,
    messages: i32,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET last_activity_at = greatest(session.last_activity_at, $3),
            -- A counter at its end stays there.
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
    Ok(done.rows_affected() == 1)
}

/// Gives a locked session another status. Completing gives it an end, unless it has one.
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

/// What a patch makes of the columns: outer `None` leaves one as it is.
#[derive(Debug, Clone, Default)]
pub struct TripColumns {
    /// `avinode_trip_id`.
    pub avinode_trip_id: Option<Option<String>>,
    /// `avinode_rfp_id`.
    pub avinode_rfp_id: Option<Option<String>>,
    /// `avinode_rfq_id`.
    pub avinode_rfq_id: Option<Option<String>>,
    /// `request_id`.
    pub request_id: Option<Option<Uuid>>,
    /// `current_step`.
    pub current_step: Option<Option<String>>,
    /// `workflow_state`, whole.
    pub workflow_state: Option<Option<Value>>,
    /// `quotes_expected_count`.
    pub quotes_expected_count: Option<i32>,
    /// `operators_contacted_count`.
    pub operators_contacted_count: Option<i32>,
}

/// Writes the trip's columns of a locked session.
pub async fn trip(
    tx: &mut Transaction<'_>,
    session: Uuid,
    columns: &TripColumns,
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
            workflow_state = CASE WHEN $12 THEN $13 ELSE session.workflow_state END,
            quotes_expected_count = coalesce($14, session.quotes_expected_count),
            operators_contacted_count = coalesce($15, session.operators_contacted_count),
            last_activity_at = greatest(session.last_activity_at, $16),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        columns.avinode_trip_id.is_some(),
        columns.avinode_trip_id.clone().flatten(),
        columns.avinode_rfp_id.is_some(),
        columns.avinode_rfp_id.clone().flatten(),
        columns.avinode_rfq_id.is_some(),
        columns.avinode_rfq_id.clone().flatten(),
        columns.request_id.is_some(),
        columns.request_id.flatten(),
        columns.current_step.is_some(),
        columns.current_step.clone().flatten(),
        columns.workflow_state.is_some(),
        columns.workflow_state.clone().flatten(),
        columns.quotes_expected_count,
        columns.operators_contacted_count,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Gives a locked session its proposal, and a step.
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
