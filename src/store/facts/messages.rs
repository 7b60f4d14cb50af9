//! The table `messages`: a message is known or not; nothing else is stored of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::MessageId;
use crate::domain::trip::TripFacts;
use crate::postgres::columns::column;
use crate::postgres::transaction::Transaction;

/// Adds the known ones of these messages to their locked trips.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    messages: &BTreeSet<(String, MessageId)>,
) -> Result<(), sqlx::Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        r#"
        SELECT message.trip_key, message.message_id
        FROM avinode_ingest.messages AS message
        JOIN unnest($1::text[], $2::text[]) AS wanted (trip_key, message_id) USING (trip_key, message_id)
        "#,
        &column(messages, |(trip_key, _)| trip_key.as_str()) as &[&str],
        &column(messages, |(_, id)| id.as_str()) as &[&str],
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        if let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), MessageId::parse(&row.message_id)) {
            trip.messages.insert(id);
        }
    }
    Ok(())
}
