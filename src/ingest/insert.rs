//! The receiving statement: appends deliveries and their jobs, and nothing else.
//!
//! It looks nothing up and can conflict with nothing, so it cannot fail for one delivery's sake: ids are ours, the body
//! is bytes, and every text is checked (no NUL, bounded) or ours.

use uuid::Uuid;

use super::group_commit::NewDelivery;
use crate::avinode::notification::DeliveryKind;
use crate::domain::job_kind::JobKind;
use crate::postgres::autocommit::AutocommitConnection;

/// Appends deliveries and their jobs in one commit, by a statement that is its own transaction.
///
/// `synchronous_commit` is set for it whatever the database's default is: an answer of 200 rests on it.
pub async fn append(connection: AutocommitConnection, arrivals: &[&NewDelivery]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = arrivals.iter().map(|arrival| arrival.id).collect();
    let received: Vec<_> = arrivals.iter().map(|arrival| arrival.received_at).collect();
    let verified: Vec<&str> = arrivals.iter().map(|arrival| arrival.verified_by.as_str()).collect();
    let headers: Vec<String> = arrivals.iter().map(|arrival| lines(&arrival.headers)).collect();
    let bodies: Vec<&[u8]> = arrivals.iter().map(|arrival| arrival.body.as_ref()).collect();
    let kinds: Vec<&str> = arrivals.iter().map(|arrival| kind(&arrival.route).as_str()).collect();
    let keys: Vec<Option<&str>> = arrivals.iter().map(|arrival| key(&arrival.route)).collect();
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
