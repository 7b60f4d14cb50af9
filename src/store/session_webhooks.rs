//! The columns of `session_state` about webhooks: the last version of a session, and what its receiver has acknowledged.

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// The last version of a session that was sent, and the last one that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRecord {
    /// 0 before the first webhook.
    pub version: i64,
    /// The digest of that version.
    pub digest: Option<String>,
    pub acknowledged_version: i64,
    pub acknowledged_seq: i64,
}

/// Locks the record of a session, and makes it if the session has none; `None` if the session is gone. Statements after this one
/// see every change that was committed before an earlier holder of the lock read.
pub async fn lock(tx: &mut Transaction<'_>, session: Uuid) -> Result<Option<WebhookRecord>, sqlx::Error> {
    sqlx::query!(
        "INSERT INTO avinode_ingest.session_state (session_id)
         SELECT id FROM public.chat_sessions WHERE id = $1
         ON CONFLICT (session_id) DO NOTHING",
        session
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_as!(
        WebhookRecord,
        "SELECT webhook_version AS version, webhook_digest AS digest, acknowledged_version, acknowledged_seq
         FROM avinode_ingest.session_state
         WHERE session_id = $1
         FOR UPDATE",
        session
    )
    .fetch_optional(tx)
    .await
}

/// Returns the number of the last timeline entry of a session; 0 without any.
pub async fn last_seq(tx: &mut Transaction<'_>, session: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT coalesce(max(seq), 0) AS "seq!" FROM avinode_ingest.timeline WHERE session_id = $1"#,
        session
    )
    .fetch_one(tx)
    .await
}

/// Records the next version of a locked session.
pub async fn set_version(
    tx: &mut Transaction<'_>,
    session: Uuid,
    version: i64,
    digest: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE avinode_ingest.session_state SET webhook_version = $2, webhook_digest = $3 WHERE session_id = $1",
        session,
        version,
        digest
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that the receiver has a version. Of two that were sent at the same time, the higher one stays.
pub async fn acknowledge(tx: &mut Transaction<'_>, session: Uuid, version: i64, seq: i64) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE avinode_ingest.session_state
         SET acknowledged_version = greatest(acknowledged_version, $2), acknowledged_seq = greatest(acknowledged_seq, $3)
         WHERE session_id = $1",
        session,
        version,
        seq
    )
    .execute(tx)
    .await?;
    Ok(())
}
