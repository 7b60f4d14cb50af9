//! The statement that appends deliveries and their jobs.
//!
//! It reads no table and cannot conflict, so one delivery cannot fail the commit of the others: ids are generated here,
//! the body is `bytea`, and every text is bounded and free of NUL.

use super::new_delivery::NewDelivery;
use crate::avinode::notification::DeliveryKind;
use crate::domain::ids::TripId;
use crate::postgres::autocommit::AutocommitConnection;
use crate::postgres::columns::column;
use crate::queue::job_kind::JobKind;

/// Appends deliveries and their jobs in one statement, which is its own transaction.
///
/// It sets `synchronous_commit = on` whatever the default of the database is: a 200 promises durability.
pub async fn append(connection: AutocommitConnection, deliveries: &[&NewDelivery]) -> Result<(), sqlx::Error> {
    let jobs = column(deliveries, |delivery| DeliveryJob::of(&delivery.route));
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
        INSERT INTO avinode_ingest.jobs (kind, key, batch_key, delivery_id)
        SELECT kind, key, batch_key, id
        FROM unnest($1::uuid[], $6::text[], $7::text[], $8::text[]) AS job (id, kind, key, batch_key)
        "#,
        &column(deliveries, |delivery| delivery.id),
        &column(deliveries, |delivery| delivery.received_at),
        &column(deliveries, |delivery| delivery.verified_by.as_str()) as &[&str],
        &column(deliveries, |delivery| lines(&delivery.headers)),
        &column(deliveries, |delivery| delivery.body.as_ref()) as &[&[u8]],
        &column(&jobs, |job| job.kind.as_str()) as &[&str],
        &column(&jobs, |job| job.key) as &[Option<&str>],
        &column(&jobs, |job| job.batch_key) as &[Option<&str>],
    );
    connection.execute(append).await.map(drop)
}

/// The job of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryJob<'a> {
    pub kind: JobKind,
    /// The resource to fetch.
    pub key: Option<&'a str>,
    /// The trip of a full event.
    pub batch_key: Option<&'a str>,
}

impl<'a> DeliveryJob<'a> {
    pub fn of(delivery: &'a DeliveryKind) -> Self {
        let job = |kind| Self {
            kind,
            key: None,
            batch_key: None,
        };
        match delivery {
            DeliveryKind::Thin { key } => Self {
                key: Some(key.as_str()),
                ..job(JobKind::FetchNotified)
            },
            DeliveryKind::Full { trip } => Self {
                batch_key: trip.as_ref().map(TripId::as_str),
                ..job(JobKind::FullEvent)
            },
            DeliveryKind::Unknown => job(JobKind::UnknownFormat),
        }
    }
}

fn lines(headers: &[(&'static str, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect()
}
