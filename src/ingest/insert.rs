//! The statement that appends deliveries and their jobs.
//!
//! It reads no table and cannot conflict, so one delivery cannot fail the commit of the others: ids are generated here,
//! the body is `bytea`, and every text is bounded and free of NUL.

use uuid::Uuid;

use super::new_delivery::NewDelivery;
use crate::avinode::notification::DeliveryKind;
use crate::postgres::autocommit::AutocommitConnection;
use crate::queue::job_kind::JobKind;

/// Appends deliveries and their jobs in one statement, which is its own transaction.
///
/// It sets `synchronous_commit = on` whatever the default of the database is: a 200 promises durability.
pub async fn append(connection: AutocommitConnection, deliveries: &[&NewDelivery]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = deliveries.iter().map(|delivery| delivery.id).collect();
    let received: Vec<_> = deliveries.iter().map(|delivery| delivery.received_at).collect();
    let verified: Vec<&str> = deliveries
        .iter()
        .map(|delivery| delivery.verified_by.as_str())
        .collect();
    let headers: Vec<String> = deliveries.iter().map(|delivery| lines(&delivery.headers)).collect();
    let bodies: Vec<&[u8]> = deliveries.iter().map(|delivery| delivery.body.as_ref()).collect();
    let kinds: Vec<&str> = deliveries
        .iter()
        .map(|delivery| kind(&delivery.route).as_str())
        .collect();
    let keys: Vec<Option<&str>> = deliveries.iter().map(|delivery| key(&delivery.route)).collect();
    let append = sqlx::query!(
        r#"
        WITH durable AS MATERIALIZED (
            SELECT set_config('synchronous_commit', 'on', true) AS value
        ), kept AS (
            INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body)
            SELECT id, received_at, verified_by, headers, body
            FROM durable, unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::bytea[])
                AS arrival (id, received_at, verified_by, headers, body)
        )
        INSERT INTO avinode_ingest.jobs (kind, key, delivery_id)
        SELECT kind, key, id
        FROM unnest($1::uuid[], $6::text[], $7::text[]) AS job (id, kind, key)
        "#,
        &ids,
        &received,
        &verified as &[&str],
        &headers,
        &bodies as &[&[u8]],
        &kinds as &[&str],
        &keys as &[Option<&str>],
    );
    connection.execute(append).await.map(drop)
}

fn kind(route: &DeliveryKind) -> JobKind {
    match route {
        DeliveryKind::Thin { .. } => JobKind::FetchNotified,
        DeliveryKind::Full => JobKind::FullEvent,
        DeliveryKind::Unknown => JobKind::UnknownFormat,
    }
}

fn key(route: &DeliveryKind) -> Option<&str> {
    match route {
        DeliveryKind::Thin { key } => Some(key.as_str()),
        DeliveryKind::Full | DeliveryKind::Unknown => None,
    }
}

fn lines(headers: &[(&'static str, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}
