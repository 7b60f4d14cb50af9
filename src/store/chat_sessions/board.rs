//! Reads the workflow steps of a board. The index by step has the first 100 characters of a step, and the empty text for none.

use crate::domain::chat_session::status::SessionStatus;
use crate::postgres::transaction::Transaction;

/// A workflow step, and the number of its sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTotal {
    /// The beginning of the step; empty for sessions without one.
    pub step: String,
    /// At most the given maximum.
    pub sessions: i64,
}

/// Reads the first `max_steps` steps of sessions with this status, each by one look-up in the index, and counts the sessions of each up
/// to `max_sessions`.
pub async fn steps(
    tx: &mut Transaction<'_>,
    status: SessionStatus,
    max_steps: i64,
    max_sessions: i64,
) -> Result<Vec<StepTotal>, sqlx::Error> {
    sqlx::query_as!(
        StepTotal,
        r#"
        WITH RECURSIVE found (step) AS (
            (
                SELECT coalesce(left(current_step, 100), '')
                FROM public.chat_sessions
                WHERE status = $1::text::public.chat_session_status
                ORDER BY coalesce(left(current_step, 100), '')
                LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT coalesce(left(session.current_step, 100), '')
                FROM public.chat_sessions AS session
                WHERE session.status = $1::text::public.chat_session_status
                    AND coalesce(left(session.current_step, 100), '') > found.step
                ORDER BY coalesce(left(session.current_step, 100), '')
                LIMIT 1
            )
            FROM found
            WHERE found.step IS NOT NULL
        )
        SELECT bounded.step AS "step!", (
            SELECT count(*)
            FROM (
                SELECT
                FROM public.chat_sessions AS session
                WHERE session.status = $1::text::public.chat_session_status
                    AND coalesce(left(session.current_step, 100), '') = bounded.step
                LIMIT $3
            ) AS counted
        ) AS "sessions!"
        FROM (SELECT step FROM found WHERE step IS NOT NULL LIMIT $2) AS bounded
        "#,
        status.as_str(),
        max_steps,
        max_sessions,
    )
    .fetch_all(tx)
    .await
}
