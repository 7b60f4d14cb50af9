//! What is noted beside a session under its lock: lines of its timeline, and its pin.

use crate::postgres::transaction::Transaction;
use uuid::Uuid;

use crate::domain::trip::TimelineEvent;
use crate::store::timeline::{self, TimelineRow};

/// Writes a line into the timeline of a locked session; one that stands there already is left out.
pub async fn write(tx: &mut Transaction<'_>, session: Uuid, happening: TimelineEvent) -> Result<(), sqlx::Error> {
    let seq = sqlx::query_scalar!(
        r#"
        INSERT INTO avinode_ingest.session_state AS state (session_id, seq)
        VALUES ($1, 1)
        ON CONFLICT (session_id) DO UPDATE SET seq = state.seq + 1
        RETURNING seq
        "#,
        session
    )
    .fetch_one(&mut *tx)
    .await?;
    let line = TimelineRow {
        session,
        seq,
        happening,
        delivery_id: None,
    };
    timeline::append(tx, &[line]).await
}

/// Pins the primary quote of a locked session. The trigger does so as well, but only where the column changes.
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

/// Takes the pin off the primary quote of a locked session. `false`: there was none.
pub async fn unpin(tx: &mut Transaction<'_>, session: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE avinode_ingest.session_state SET pinned = false WHERE session_id = $1 AND pinned",
        session
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
