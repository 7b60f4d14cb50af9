//! Finds sessions by ids of the application and by names.

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// Operators whose names begin with the text, of which the trips are read.
const OPERATORS: i64 = 5;
/// Trips of each operator, those of its latest quotes first.
const TRIPS: i64 = 40;

/// Reads the sessions of an RFQ, in normal form, that hold its id.
pub async fn of_rfq(tx: &mut Transaction<'_>, rfq: &str) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT session_id AS "session!" FROM avinode_ingest.sessions_of_rfqs(ARRAY[$1::text]) LIMIT 500"#,
        rfq
    )
    .fetch_all(tx)
    .await
}

/// Reads the session with an id, or those of the request or the conversation with it.
pub async fn of_id(tx: &mut Transaction<'_>, id: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "session!" FROM public.chat_sessions WHERE id = $1
        UNION
        SELECT id FROM public.chat_sessions WHERE request_id = $1
        UNION
        SELECT id FROM public.chat_sessions WHERE conversation_id = $1
        LIMIT 500
        "#,
        id
    )
    .fetch_all(tx)
    .await
}

/// Reads the sessions of agents, newest activity first. An index orders the sessions of an agent with each status.
pub async fn of_agents(tx: &mut Transaction<'_>, agents: &[Uuid], limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT session.id
        FROM unnest($1::uuid[]) AS agent (id)
        CROSS JOIN unnest(enum_range(NULL::public.chat_session_status)) AS each (status)
        CROSS JOIN LATERAL (
            SELECT own.id, own.last_activity_at
            FROM public.chat_sessions AS own
            WHERE own.iso_agent_id = agent.id AND own.status = each.status
            ORDER BY own.last_activity_at DESC, own.id DESC
            LIMIT $2
        ) AS session
        ORDER BY session.last_activity_at DESC, session.id DESC
        LIMIT $2
        "#,
        agents,
        limit
    )
    .fetch_all(tx)
    .await
}

/// Reads the agents whose name or address of e-mail contains a text, in any case. A broker's staff is a small table.
pub async fn agents(tx: &mut Transaction<'_>, text: &str, limit: i64) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id
        FROM public.iso_agents
        WHERE strpos(lower(full_name), lower($1)) > 0 OR strpos(lower(email), lower($1)) > 0
        ORDER BY full_name, id
        LIMIT $2
        "#,
        text,
        limit
    )
    .fetch_all(tx)
    .await
}

/// Reads the name of an agent, at most 200 characters of it.
pub async fn agent_name(tx: &mut Transaction<'_>, agent: Uuid) -> Result<Option<String>, sqlx::Error> {
    let name = sqlx::query_scalar!(
        "SELECT left(full_name, 200) FROM public.iso_agents WHERE id = $1",
        agent
    );
    Ok(name.fetch_optional(tx).await?.flatten())
}

/// Reads trips that have quotes of operators whose names begin with a text, in any case. Each operator is found by one look-up in the index.
pub async fn trips_of_operators(tx: &mut Transaction<'_>, text: &str) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        WITH RECURSIVE operator (name) AS (
            (
                SELECT left(lower(operator_name), 100) COLLATE "C"
                FROM avinode_ingest.quote_facts
                WHERE operator_name IS NOT NULL AND left(lower(operator_name), 100) COLLATE "C" >= left(lower($1), 100)
                ORDER BY left(lower(operator_name), 100) COLLATE "C"
                LIMIT 1
            )
            UNION ALL
            SELECT (
                SELECT left(lower(fact.operator_name), 100) COLLATE "C"
                FROM avinode_ingest.quote_facts AS fact
                WHERE fact.operator_name IS NOT NULL AND left(lower(fact.operator_name), 100) COLLATE "C" > operator.name
                ORDER BY left(lower(fact.operator_name), 100) COLLATE "C"
                LIMIT 1
            )
            FROM operator
            WHERE starts_with(operator.name, left(lower($1), 100))
        ), bounded AS MATERIALIZED (
            SELECT name FROM operator WHERE starts_with(name, left(lower($1), 100)) LIMIT $2
        )
        SELECT DISTINCT quoted.trip_key AS "trip!"
        FROM bounded
        CROSS JOIN LATERAL (
            SELECT fact.trip_key
            FROM avinode_ingest.quote_facts AS fact
            WHERE fact.operator_name IS NOT NULL AND left(lower(fact.operator_name), 100) COLLATE "C" = bounded.name
            ORDER BY fact.first_fact_at DESC
            LIMIT $3
        ) AS quoted
        "#,
        text,
        OPERATORS,
        TRIPS
    )
    .fetch_all(tx)
    .await
}
