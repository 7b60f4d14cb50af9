//! The table `delivery_subjects`: kind and ids that deliveries name, for admins. `facts::write` inserts those of applied deliveries.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::subject::{Subject, SubjectKind};
use crate::postgres::columns::column;
use crate::postgres::interval::interval;
use crate::postgres::prune_step::{PruneStep, ROWS_PER_STEP};
use crate::postgres::transaction::{Pool, Transaction};

/// The subject of a delivery, as a job read it.
#[derive(Debug, Clone)]
pub struct DeliverySubject {
    pub delivery: Uuid,
    pub job: i64,
    pub subject: Subject,
    /// The sessions that have the trip.
    pub sessions: Vec<Uuid>,
}

/// Subjects as the parameters of a statement. Lists are texts with a line for each id: ids contain no line ends.
#[derive(Debug, Default)]
pub(super) struct SubjectColumns<'a> {
    pub(super) deliveries: Vec<Uuid>,
    pub(super) jobs: Vec<i64>,
    pub(super) kinds: Vec<&'static str>,
    pub(super) trips: Vec<Option<&'a str>>,
    pub(super) events: Vec<Option<&'a str>>,
    pub(super) rfqs: Vec<Option<String>>,
    pub(super) quotes: Vec<Option<String>>,
    pub(super) sessions: Vec<Option<String>>,
}

impl<'a> SubjectColumns<'a> {
    pub(super) fn of(rows: &'a [DeliverySubject]) -> Self {
        Self {
            deliveries: column(rows, |row| row.delivery),
            jobs: column(rows, |row| row.job),
            kinds: column(rows, |row| SubjectKind::as_str(row.subject.kind)),
            trips: column(rows, |row| row.subject.trip.as_deref()),
            events: column(rows, |row| row.subject.event_id.as_deref()),
            rfqs: column(rows, |row| lines(&row.subject.rfqs)),
            quotes: column(rows, |row| lines(&row.subject.quotes)),
            sessions: column(rows, |row| lines(&row.sessions)),
        }
    }
}

fn lines(ids: &[impl ToString]) -> Option<String> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| ids.join("\n"))
}

/// Inserts the subjects of deliveries that are not applied: dead-lettered, ignored or gone.
pub async fn insert(tx: &mut Transaction<'_>, rows: &[DeliverySubject]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let subjects = SubjectColumns::of(rows);
    sqlx::query!(
        r#"
        INSERT INTO avinode_ingest.delivery_subjects (delivery_id, job_id, kind, trip_key, event_id, rfqs, quotes, sessions)
        SELECT delivery_id, job_id, kind, trip_key, event_id, string_to_array(rfqs, E'\n'), string_to_array(quotes, E'\n'),
            string_to_array(sessions, E'\n')::uuid[]
        FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
            AS new (delivery_id, job_id, kind, trip_key, event_id, rfqs, quotes, sessions)
        ORDER BY delivery_id
        "#,
        &subjects.deliveries,
        &subjects.jobs,
        &subjects.kinds as &[&str],
        &subjects.trips as &[Option<&str>],
        &subjects.events as &[Option<&str>],
        &subjects.rfqs as &[Option<String>],
        &subjects.quotes as &[Option<String>],
        &subjects.sessions as &[Option<String>],
    )
    .execute(tx)
    .await
    .map(drop)
}

/// The trip and the sessions of a delivery, as it was read last.
#[derive(Debug, Clone)]
pub struct NewestSubject {
    pub delivery: Uuid,
    /// In normal form.
    pub trip: Option<String>,
    pub sessions: Vec<Uuid>,
}

/// Returns the newest subjects of deliveries, by delivery.
pub async fn newest(pool: &Pool, deliveries: &[Uuid]) -> Result<HashMap<Uuid, NewestSubject>, sqlx::Error> {
    let statement = sqlx::query_as!(
        NewestSubject,
        r#"
        SELECT DISTINCT ON (delivery_id) delivery_id AS delivery, trip_key AS trip, coalesce(sessions, '{}') AS "sessions!"
        FROM avinode_ingest.delivery_subjects
        WHERE delivery_id = ANY ($1)
        ORDER BY delivery_id, id DESC
        "#,
        deliveries,
    );
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| (row.delivery, row)).collect())
}

/// Deletes the subjects of deliveries that were received longer than `retention` ago, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    let statement = sqlx::query_as!(
        PruneStep,
        r#"
        WITH old AS MATERIALIZED (
            SELECT ctid, avinode_ingest.time_of_uuid(delivery_id) AS time
            FROM avinode_ingest.delivery_subjects
            WHERE delivery_id >= avinode_ingest.uuid_of_time(coalesce($2::timestamptz, 'epoch'))
                AND delivery_id < avinode_ingest.uuid_of_time(clock_timestamp() - $1::interval)
            ORDER BY delivery_id
            LIMIT $3
        ), deleted AS (
            DELETE FROM avinode_ingest.delivery_subjects WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))
        )
        SELECT count(*) AS "rows!", max(time) AS until FROM old
        "#,
        interval(retention),
        from,
        ROWS_PER_STEP,
    );
    pool.fetch_one(statement).await
}
