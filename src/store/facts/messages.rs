//! Messages: known or not, which is all that is to be known of one.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::MessageId;
use crate::domain::trip::TripFacts;
use crate::postgres::transaction::Transaction;

/// Notes in locked trips which of these messages are known.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    trips: &mut BTreeMap<String, TripFacts>,
    messages: &BTreeSet<(String, MessageId)>,
) -> Result<(), sqlx::Error> {
    if !messages.is_empty() {
        let (keys, ids): (Vec<String>, Vec<String>) = messages
            .iter()
            .map(|(key, id)| (key.clone(), id.as_str().to_owned()))
            .unzip();
        let rows = sqlx::query!(
            r#"
            SELECT message.trip_key, message.message_id
            FROM avinode_ingest.messages AS message
            JOIN unnest($1::text[], $2::text[]) AS asked (trip_key, message_id) USING (trip_key, message_id)
            "#,
            &keys,
            &ids
        )
        .fetch_all(tx)
        .await?;
        for row in rows {
            if let (Some(trip), Ok(id)) = (trips.get_mut(&row.trip_key), MessageId::parse(&row.message_id)) {
                trip.messages.insert(id);
            }
        }
    }
    Ok(())
}

/// Notes messages of locked trips.
pub async fn write(tx: &mut Transaction<'_>, messages: &[(String, MessageId)]) -> Result<(), sqlx::Error> {
    let (keys, ids): (Vec<String>, Vec<String>) = messages
        .iter()
        .map(|(key, id)| (key.clone(), id.as_str().to_owned()))
        .unzip();
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.messages (trip_key, message_id)
        SELECT trip_key, message_id FROM unnest($1::text[], $2::text[]) AS new (trip_key, message_id)
        ORDER BY trip_key, message_id
        ON CONFLICT DO NOTHING
        "#,
        &keys,
        &ids
    )
    .execute(tx)
    .await?;
    Ok(())
}
