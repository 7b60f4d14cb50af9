//! Locks: a conversation, and then its sessions, so that two calls cannot both find none and make one each.

use crate::postgres::transaction::Transaction;
use serde_json::Value;
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;

/// A session that this transaction has locked, as it stood when the lock was taken.
#[derive(Debug, Clone)]
pub struct LockedChatSession {
    /// `chat_sessions.id`.
    pub id: Uuid,
    /// Its request.
    pub request_id: Option<Uuid>,
    /// Its status, any word.
    pub status: String,
    /// Its step.
    pub current_step: Option<String>,
    /// Its context.
    pub workflow_state: Option<Value>,
}

/// A session of a locked conversation that is active or paused; locked as well.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// `chat_sessions.id`.
    pub id: Uuid,
    /// `active` or `paused`.
    pub status: String,
    /// Whose it is.
    pub iso_agent_id: Uuid,
    /// Its request.
    pub request_id: Option<Uuid>,
    /// When something last happened.
    pub last_activity_at: PgTimestamp,
}

/// Locks a conversation against others that begin, resume or look for its session; not against references to it.
/// `false`: there is none.
pub async fn conversation(tx: &mut Transaction<'_>, id: Uuid) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM public.conversations WHERE id = $1 FOR NO KEY UPDATE",
        id
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

/// The conversation of a session, which it keeps for life.
pub async fn conversation_of(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT conversation_id FROM public.chat_sessions WHERE id = $1",
        session
    )
    .fetch_optional(tx)
    .await
}

/// Locks all active and paused sessions of a conversation that is locked, by id. Of those that another transaction has
/// ended meanwhile none is returned.
///
/// There should be one. Of several only the first is waited for: whoever holds one and waits for the next, and the next, may
/// be waiting still when the application, which wants the first, has waited for `deadlock_timeout` and is made the victim.
pub async fn live_sessions(tx: &mut Transaction<'_>, conversation: Uuid) -> Result<Vec<OpenSession>, sqlx::Error> {
    sqlx::query_as!(
        OpenSession,
        r#"
        WITH first AS MATERIALIZED (
            SELECT id
            FROM public.chat_sessions
            WHERE id = (
                SELECT id FROM public.chat_sessions
                WHERE conversation_id = $1 AND status IN ('active', 'paused')
                ORDER BY id LIMIT 1
            )
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!", session.iso_agent_id, session.request_id,
            session.last_activity_at AS "last_activity_at: PgTimestamp"
        FROM public.chat_sessions AS session
        WHERE (SELECT count(*) FROM first) >= 0 -- that is: once the first one is locked
            AND session.conversation_id = $1 AND session.status IN ('active', 'paused')
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        conversation
    )
    .fetch_all(tx)
    .await
}

/// Locks a session. `None`: there is none.
pub async fn session(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<LockedChatSession>, sqlx::Error> {
    sqlx::query_as!(
        LockedChatSession,
        r#"
        SELECT session.id, session.request_id, session.status::text AS "status!", session.current_step,
            session.workflow_state
        FROM public.chat_sessions AS session
        WHERE session.id = $1
        FOR NO KEY UPDATE
        "#,
        id
    )
    .fetch_optional(tx)
    .await
}
