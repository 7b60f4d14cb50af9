//! Timelines, statistics and archiving.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

use super::pg_timestamp::PgTimestamp;
use crate::domain::chat_session::page::{Page, PageRequest};
use crate::domain::chat_session::view::{Statistics, StepCount, TimelineEntry};

/// Reads a page of a session's timeline, the oldest entry first.
pub async fn timeline(
    tx: &mut Transaction<'_>,
    session: Uuid,
    page: &PageRequest<i64>,
) -> Result<Page<TimelineEntry, i64>, sqlx::Error> {
    let entries = sqlx::query_as!(
        TimelineEntry,
        r#"
        SELECT seq, recorded_at, happened_at AS "happened_at!: PgTimestamp", kind, detail, delivery_id, actor
        FROM avinode_ingest.timeline
        WHERE session_id = $1 AND seq > $2
        ORDER BY seq
        LIMIT $3
        "#,
        session,
        page.after.unwrap_or(i64::MIN),
        i64::from(page.limit) + 1,
    )
    .fetch_all(tx)
    .await?;
    Ok(Page::from_rows(entries, page.limit, |entry| entry.seq))
}

/// Reads a page of a session's timeline, the newest entry first.
pub async fn newest_timeline(
    tx: &mut Transaction<'_>,
    session: Uuid,
    page: &PageRequest<i64>,
) -> Result<Page<TimelineEntry, i64>, sqlx::Error> {
    let entries = sqlx::query_as!(
        TimelineEntry,
        r#"
        SELECT seq, recorded_at, happened_at AS "happened_at!: PgTimestamp", kind, detail, delivery_id, actor
        FROM avinode_ingest.timeline
        WHERE session_id = $1 AND seq < $2
        ORDER BY seq DESC
        LIMIT $3
        "#,
        session,
        page.after.unwrap_or(i64::MAX),
        i64::from(page.limit) + 1,
    )
    .fetch_all(tx)
    .await?;
    Ok(Page::from_rows(entries, page.limit, |entry| entry.seq))
}

/// Counts active sessions by step.
pub async fn statistics(tx: &mut Transaction<'_>) -> Result<Statistics, sqlx::Error> {
    let by_step = sqlx::query_as!(
        StepCount,
        r#"
        SELECT step AS current_step, count(*) AS "count!"
        FROM public.chat_sessions
        CROSS JOIN LATERAL (SELECT left(current_step, 10000) AS step) AS bounded
        WHERE status = 'active'
        GROUP BY step
        ORDER BY count(*) DESC, step
        "#
    )
    .fetch_all(tx)
    .await?;
    Ok(Statistics {
        active: by_step.iter().map(|step| step.count).sum(),
        by_step,
    })
}

/// Archives old sessions with the database function, which may be the application's own. Returns the number of sessions, if
/// the function returns one.
pub async fn archive(tx: &mut Transaction<'_>) -> Result<Option<i64>, sqlx::Error> {
    let archived = sqlx::query_scalar!("SELECT public.archive_old_chat_sessions()::text")
        .fetch_one(tx)
        .await?;
    Ok(archived.and_then(|archived| archived.parse().ok()))
}
