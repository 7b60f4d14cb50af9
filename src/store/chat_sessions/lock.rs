//! Locks a conversation and then its sessions, so that two concurrent calls cannot both create a session.

use crate::postgres::transaction::Transaction;
use serde_json::Value;
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;

/// A session that this transaction has locked, with its values at that time.
#[derive(Debug, Clone)]
pub struct LockedChatSession {
    pub id: Uuid,
    pub request_id: Option<Uuid>,
    /// Any word, also one of the application's own.
    pub status: String,
    pub current_step: Option<String>,
    /// `None` also for a value that is too large to read.
    pub workflow_state: Option<Value>,
    pub has_readable_state: bool,
    /// `None` also for a value that is too large to read.
    pub metadata: Option<Value>,
    pub has_readable_metadata: bool,
}

/// An active or paused session of a locked conversation; locked as well.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub id: Uuid,
    /// `active` or `paused`.
    pub status: String,
    pub iso_agent_id: Uuid,
    pub request_id: Option<Uuid>,
    pub last_activity_at: PgTimestamp,
}

/// Locks a conversation against transactions that create, resume or look for its session, not against references to it.
/// Returns false if it does not exist.
pub async fn conversation(tx: &mut Transaction<'_>, id: Uuid) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT id FROM public.conversations WHERE id = $1 FOR NO KEY UPDATE",
        id
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

/// The conversation of a session, which never changes.
pub async fn conversation_of(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT conversation_id FROM public.chat_sessions WHERE id = $1",
        session
    )
    .fetch_optional(tx)
    .await
}

/// Locks all active and paused sessions of a locked conversation, by id. A session that another transaction has closed
/// meanwhile is not returned.
///
/// There should be one. It waits for the first session only: a transaction that holds one session and waits for several
/// others may wait so long that the application, which waits for the first one, reaches `deadlock_timeout` and becomes the
/// victim.
pub async fn open_sessions(tx: &mut Transaction<'_>, conversation: Uuid) -> Result<Vec<OpenSession>, sqlx::Error> {
    sqlx::query_as!(
        OpenSession,
        r#"
        WITH first AS MATERIALIZED (
            SELECT id
            FROM public.chat_sessions
            WHERE id = (
                -- As in store::projection: ORDER BY id LIMIT 1 may read the whole table.
                SELECT (array_agg(id ORDER BY id))[1] FROM public.chat_sessions
                WHERE conversation_id = $1 AND status IN ('active', 'paused')
            )
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!", session.iso_agent_id, session.request_id,
            session.last_activity_at AS "last_activity_at: PgTimestamp"
        FROM public.chat_sessions AS session
        WHERE (SELECT count(*) FROM first) >= 0 -- evaluated after the first one is locked
            AND session.conversation_id = $1 AND session.status IN ('active', 'paused')
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        conversation
    )
    .fetch_all(tx)
    .await
}

/// Locks a session; `None` if it does not exist.
pub async fn session(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<LockedChatSession>, sqlx::Error> {
    sqlx::query_as!(
        LockedChatSession,
        r#"
        SELECT session.id, session.request_id, session.status::text AS "status!",
            left(session.current_step, 10000) AS current_step,
            CASE WHEN avinode_ingest.is_readable_json(session.workflow_state) THEN session.workflow_state END AS workflow_state,
            coalesce(avinode_ingest.is_readable_json(session.workflow_state), true) AS "has_readable_state!",
            CASE WHEN avinode_ingest.is_readable_json(session.metadata) THEN session.metadata END AS metadata,
            coalesce(avinode_ingest.is_readable_json(session.metadata), true) AS "has_readable_metadata!"
        FROM public.chat_sessions AS session
        WHERE session.id = $1
        FOR NO KEY UPDATE
        "#,
        id
    )
    .fetch_optional(tx)
    .await
}
