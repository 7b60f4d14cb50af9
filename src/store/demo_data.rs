//! Rows as the application writes them, for the demo and the tests: an agent, a conversation, a request, a session.

use uuid::Uuid;

use crate::postgres::transaction::{Pool, Transaction};

#[derive(Debug, Clone)]
pub struct NewSession {
    /// The subject of the conversation.
    pub name: String,
    /// In any spelling.
    pub trip_id: Option<String>,
    pub has_request: bool,
    /// `active`, `paused`, `completed` or `archived`.
    pub status: String,
    pub current_step: Option<String>,
    /// `quotes_received_count`, `quotes_expected_count` and `operators_contacted_count`.
    pub counts: [i32; 3],
}

/// Inserts a session with all rows to which it refers, in one statement. Returns its id.
pub async fn session(pool: &Pool, new: &NewSession) -> Result<Uuid, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        WITH agent AS (
            INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name)
            VALUES (gen_random_uuid(), 'user_example_broker', 'broker@example.com', 'Example Broker')
            ON CONFLICT (clerk_user_id) DO UPDATE SET full_name = EXCLUDED.full_name
            RETURNING id
        ), request AS (
            INSERT INTO public.requests
                (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers)
            SELECT gen_random_uuid(), id, 'KTEB', 'KPBI', now() + interval '14 days', 4
            FROM agent
            WHERE $2
            RETURNING id
        ), conversation AS (
            INSERT INTO public.conversations (id, request_id, subject)
            VALUES (gen_random_uuid(), (SELECT id FROM request), $3)
            RETURNING id, request_id
        )
        INSERT INTO public.chat_sessions (
            conversation_id, request_id, iso_agent_id, status, avinode_trip_id, session_started_at, last_activity_at,
            session_ended_at, current_step, quotes_received_count, quotes_expected_count, operators_contacted_count,
            -- The application's own table may have no defaults for these columns.
            created_at, updated_at
        )
        SELECT conversation.id, conversation.request_id, agent.id, ($4::text)::public.chat_session_status, $1,
            now() - interval '1 day', now() - interval '1 day',
            CASE WHEN $4::text IN ('completed', 'archived') THEN now() - interval '1 hour' END, $5, $6, $7, $8, now(), now()
        FROM conversation, agent
        RETURNING id
        "#,
        new.trip_id,
        new.has_request,
        new.name,
        new.status,
        new.current_step,
        new.counts[0],
        new.counts[1],
        new.counts[2],
    );
    Ok(pool.fetch_one(query).await?.id)
}

/// Sets a session's trip id as the application does: by plain SQL.
pub async fn set_trip_id(pool: &Pool, session: Uuid, trip_id: &str) -> Result<(), sqlx::Error> {
    let query = sqlx::query!(
        "UPDATE public.chat_sessions SET avinode_trip_id = $2 WHERE id = $1",
        session,
        trip_id
    );
    pool.execute(query).await.map(drop)
}

/// Locks a session until the transaction ends: a worker that applies something to it waits.
pub async fn hold_session(pool: &Pool, session: Uuid) -> Result<Transaction<'static>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT id FROM public.chat_sessions WHERE id = $1 FOR UPDATE")
        .bind(session)
        .persistent(false)
        .execute(&mut tx)
        .await?;
    Ok(tx)
}
