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

/// A conversation that this transaction has locked.
#[derive(Debug, Clone, Copy)]
pub struct LockedConversation {
    pub id: Uuid,
    /// The agent of its request; `None` without a request.
    pub agent: Option<Uuid>,
}

/// Locks a conversation against transactions that create, resume or look for its session, not against references to it.
/// `None` if it does not exist.
pub async fn conversation(tx: &mut Transaction<'_>, id: Uuid) -> Result<Option<LockedConversation>, sqlx::Error> {
    sqlx::query_as!(
        LockedConversation,
        r#"
        SELECT conversation.id,
            (SELECT request.iso_agent_id FROM public.requests AS request WHERE request.id = conversation.request_id) AS agent
        FROM public.conversations AS conversation
        WHERE conversation.id = $1
        FOR NO KEY UPDATE OF conversation
        "#,
        id
    )
    .fetch_optional(tx)
    .await
}

/// The place of a session, which does not change.
#[derive(Debug, Clone, Copy)]
pub struct SessionPlace {
    pub conversation_id: Uuid,
    pub iso_agent_id: Uuid,
}

/// The conversation and the agent of a session; `None` if it does not exist.
pub async fn place_of(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<SessionPlace>, sqlx::Error> {
    sqlx::query_as!(
        SessionPlace,
        "SELECT conversation_id, iso_agent_id FROM public.chat_sessions WHERE id = $1",
        session
    )
    .fetch_optional(tx)
    .await
}

/// Locks the active and paused sessions of a locked conversation, by id, that stand in the way of a session of `agent`. A session
/// that another transaction has closed meanwhile is not returned.
///
/// Any agent may insert a session into any conversation. So sessions of other agents are left out, unless the conversation is of
/// one of these.
///
/// There should be one. It waits for the first session only: a transaction that holds one session and waits for several
/// others may wait so long that the application, which waits for the first one, reaches `deadlock_timeout` and becomes the
/// victim.
pub async fn open_sessions(
    tx: &mut Transaction<'_>,
    conversation: LockedConversation,
    agent: Uuid,
) -> Result<Vec<OpenSession>, sqlx::Error> {
    let only_of = Some(agent).filter(|_| conversation.agent.is_none_or(|own| own == agent));
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
                    AND ($2::uuid IS NULL OR iso_agent_id = $2)
            )
            FOR NO KEY UPDATE
        )
        SELECT session.id, session.status::text AS "status!", session.iso_agent_id, session.request_id,
            session.last_activity_at AS "last_activity_at: PgTimestamp"
        FROM public.chat_sessions AS session
        WHERE (SELECT count(*) FROM first) >= 0 -- evaluated after the first one is locked
            AND session.conversation_id = $1 AND session.status IN ('active', 'paused')
            AND ($2::uuid IS NULL OR session.iso_agent_id = $2)
        ORDER BY session.id
        FOR NO KEY UPDATE OF session NOWAIT
        "#,
        conversation.id,
        only_of,
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
