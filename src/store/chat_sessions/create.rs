//! Inserts the session of a conversation, or updates the existing one.

use crate::postgres::transaction::Transaction;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::chat_session::input::NewChatSession;

/// Inserts a session. Writes every column, since the application's own table may have no defaults.
pub async fn insert(tx: &mut Transaction<'_>, new: &NewChatSession, now: DateTime<Utc>) -> Result<Uuid, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        INSERT INTO public.chat_sessions (
            id, conversation_id, request_id, iso_agent_id, status, avinode_trip_id, avinode_rfp_id, avinode_rfq_id,
            session_started_at, last_activity_at, current_step, workflow_state, message_count,
            quotes_received_count, quotes_expected_count, operators_contacted_count, metadata, created_at, updated_at
        )
        VALUES (gen_random_uuid(), $1, $2, $3, ($4::text)::public.chat_session_status, $5, $6, $7, $8, $8, $9,
            coalesce($10::jsonb - 'avinode_trip', '{}'::jsonb), 0, 0, 0, 0, coalesce($11, '{}'::jsonb), $8, $8)
        RETURNING id
        "#,
        new.conversation_id,
        new.request_id,
        new.iso_agent_id,
        status(new),
        new.avinode_trip_id,
        new.avinode_rfp_id,
        new.avinode_rfq_id,
        now,
        new.current_step,
        object(&new.workflow_state),
        object(&new.metadata),
    )
    .fetch_one(tx)
    .await
}

/// Writes the given fields to a locked session, and sets its status to `new.status`, or to active.
pub async fn update(
    tx: &mut Transaction<'_>,
    session: Uuid,
    new: &NewChatSession,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        UPDATE public.chat_sessions AS session
        SET status = ($2::text)::public.chat_session_status,
            request_id = coalesce($3, session.request_id),
            current_step = coalesce($4, session.current_step),
            workflow_state = CASE
                WHEN $5::jsonb IS NULL THEN session.workflow_state
                -- The caller can neither remove nor write our key.
                WHEN jsonb_typeof(session.workflow_state) = 'object' AND session.workflow_state ? 'avinode_trip'
                    THEN $5 || jsonb_build_object('avinode_trip', session.workflow_state -> 'avinode_trip')
                ELSE $5::jsonb - 'avinode_trip'
            END,
            avinode_trip_id = coalesce($6, session.avinode_trip_id),
            avinode_rfp_id = coalesce($7, session.avinode_rfp_id),
            avinode_rfq_id = coalesce($8, session.avinode_rfq_id),
            metadata = coalesce($9, session.metadata),
            last_activity_at = greatest(session.last_activity_at, $10),
            updated_at = clock_timestamp()
        WHERE session.id = $1
        "#,
        session,
        status(new),
        new.request_id,
        new.current_step,
        object(&new.workflow_state),
        new.avinode_trip_id,
        new.avinode_rfp_id,
        new.avinode_rfq_id,
        object(&new.metadata),
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn status(new: &NewChatSession) -> &'static str {
    new.status.map_or("active", Into::into)
}

fn object(map: &Option<Map<String, Value>>) -> Option<Value> {
    map.clone().map(Value::Object)
}
