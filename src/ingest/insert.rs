//! The statement that appends deliveries and their jobs.
//!
//! It reads no table and cannot conflict, so one delivery cannot fail the commit of the others: ids are generated here,
//! the body is `bytea`, and every text is bounded and free of NUL.

use super::new_delivery::NewDelivery;
use crate::avinode::notification::DeliveryKind;
use crate::postgres::autocommit::AutocommitConnection;
use crate::postgres::columns::column;
use crate::queue::job_kind::JobKind;

/// Appends deliveries and their jobs in one statement, which is its own transaction.
///
/// It sets `synchronous_commit = on` whatever the default of the database is: a 200 promises durability.
pub async fn append(connection: AutocommitConnection, deliveries: &[&NewDelivery]) -> Result<(), sqlx::Error> {
    let jobs = column(deliveries, |delivery| job_of(&delivery.route));
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
        &column(deliveries, |delivery| delivery.id),
        &column(deliveries, |delivery| delivery.received_at),
        &column(deliveries, |delivery| delivery.verified_by.as_str()) as &[&str],
        &column(deliveries, |delivery| lines(&delivery.headers)),
        &column(deliveries, |delivery| delivery.body.as_ref()) as &[&[u8]],
        &column(&jobs, |(kind, _)| kind.as_str()) as &[&str],
        &column(&jobs, |(_, key)| *key) as &[Option<&str>],
    );
    connection.execute(append).await.map(drop)
}

/// The kind and the key of a delivery's job.
pub fn job_of(delivery: &DeliveryKind) -> (JobKind, Option<&str>) {
    match delivery {
        DeliveryKind::Thin { key } => (JobKind::FetchNotified, Some(key.as_str())),
        DeliveryKind::Full => (JobKind::FullEvent, None),
        DeliveryKind::Unknown => (JobKind::UnknownFormat, None),
    }
}

fn lines(headers: &[(&'static str, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}
