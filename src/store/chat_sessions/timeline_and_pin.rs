//! Writes a locked session's timeline and pin.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

use crate::domain::actor::Actor;
use crate::domain::timeline::TimelineEvent;
use crate::store::sessions::write;
use crate::store::timeline::TimelineRow;

/// Appends an event to the timeline of a locked session, unless it is there already.
pub async fn append(
    tx: &mut Transaction<'_>,
    session: Uuid,
    event: TimelineEvent,
    actor: &Actor,
) -> Result<(), sqlx::Error> {
    let seq = sqlx::query_scalar!(
        r#"
        INSERT INTO avinode_ingest.session_state AS state (session_id, timeline_seq)
        VALUES ($1, 1)
        ON CONFLICT (session_id) DO UPDATE SET timeline_seq = state.timeline_seq + 1
        RETURNING timeline_seq
        "#,
        session
    )
    .fetch_one(&mut *tx)
    .await?;
    let row = TimelineRow {
        session,
        seq,
        event,
        delivery_id: None,
        actor: Some(actor.clone()),
    };
    write::write(tx, &[], &[], &[row]).await.map(drop)
}

/// Returns the pinned primary quote of a locked session.
pub async fn pinned(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<Uuid>, sqlx::Error> {
    let pinned = sqlx::query_scalar!(
        r#"
        SELECT session.primary_quote_id
        FROM chat_sessions AS session
        JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE session.id = $1 AND state.pinned
        "#,
        session
    );
    Ok(pinned.fetch_optional(tx).await?.flatten())
}

/// Pins the primary quote of a locked session. The trigger does so only if the column changes.
pub async fn pin(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.session_state (session_id, pinned)
        VALUES ($1, true)
        ON CONFLICT (session_id) DO UPDATE SET pinned = true
        "#,
        session
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Unpins the primary quote of a locked session; returns false if it was not pinned.
pub async fn unpin(tx: &mut Transaction<'_>, session: Uuid) -> Result<bool, sqlx::Error> {
    let updated = sqlx::query!(
        "UPDATE avinode_ingest.session_state SET pinned = false WHERE session_id = $1 AND pinned",
        session
    )
    .execute(tx)
    .await?;
    Ok(updated.rows_affected() == 1)
}
