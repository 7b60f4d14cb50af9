//! Reads the workflow steps of a board. The index by step has the first 100 characters of a step, and the empty text for none.

use crate::domain::chat_session::status::SessionStatus;
use crate::postgres::transaction::Transaction;

/// Reads the first `max_steps` steps of sessions with this status, each by one look-up in the index. Each is the beginning of a step, or
/// the empty text for sessions without one.
pub async fn steps(
    tx: &mut Transaction<'_>,
    status: SessionStatus,
    max_steps: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
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
        SELECT step AS "step!" FROM found WHERE step IS NOT NULL LIMIT $2
        "#,
        status.as_str(),
        max_steps,
    )
    .fetch_all(tx)
    .await
}
