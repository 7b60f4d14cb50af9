//! Batches whose steps a worker of the service makes, as those that are begun over HTTP.

use std::time::Duration;

use avinode_ingest::admin::batches::pace::MAX_WAITING;
use avinode_ingest::admin::batches::work::BatchWork;
use avinode_ingest::admin::batches::{self, BatchStep, NewBatch, StepsBy};
use avinode_ingest::admin::selection::DeliverySelection;
use avinode_ingest::service::ServiceSettings;
use avinode_ingest::store::admin::delivery_list::DeliveryOutcome;
use avinode_ingest::store::batches::BatchRow;
use chrono::DateTime;
use sqlx::Connection;
use uuid::Uuid;

use super::store_without_jobs;
use crate::crash::roles::lock_sessions;
use crate::support::PATIENCE;
use crate::support::actions::acting;
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_bytes;
use crate::support::eventually::{at_least, eventually};
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::{count, text};

const DELIVERIES: usize = 3_000;

async fn begin(db: &Db, selection: DeliverySelection, dry_run: bool) -> Uuid {
    let new = NewBatch {
        work: BatchWork::Replay(selection),
        dry_run,
        limit: 1_000_000,
        acting: acting(),
    };
    batches::begin(&db.pool, &new, StepsBy::Worker).await.unwrap()
}

async fn finished(db: &Db, id: Uuid) -> BatchRow {
    eventually(PATIENCE, "the batch is finished", async || {
        let batch = batches::record::get(&db.pool, id).await.unwrap();
        if batch.state == "finished" {
            Ok(batch)
        } else {
            Err(batch)
        }
    })
    .await
}

fn all() -> DeliverySelection {
    DeliverySelection {
        since: Some(DateTime::UNIX_EPOCH),
        ..DeliverySelection::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_the_service_goes_on_after_a_restart() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("trip7").insert(&db.pool).await;
    store_without_jobs(&db, DELIVERIES).await;
    let id = begin(&db, all(), false).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    eventually(PATIENCE, "a step is done", async || {
        at_least(batches::record::get(&db.pool, id).await.unwrap().selected, 1)
    })
    .await;
    service.stop().await;
    let halted = batches::record::get(&db.pool, id).await.unwrap();
    assert_eq!(halted.state, "running", "{halted:?}");
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let batch = finished(&db, id).await;
    let all = i64::try_from(DELIVERIES).unwrap();
    assert_eq!((batch.selected, batch.changed, batch.failed), (all, all, 0));
    eventually(PATIENCE, "every delivery was applied once", async || {
        let applied =
            "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'event_replay' AND outcome = 'applied'";
        crate::support::eventually::equal(count(&db.pool, applied).await, all)
    })
    .await;
    service.stop().await;
    assert_eq!(quote_count(&db.pool, session).await, 10);
    let outcome = text(
        &db.pool,
        "SELECT detail FROM avinode_ingest.outcomes WHERE kind = 'run_batch'",
    )
    .await;
    assert_eq!(outcome.as_deref(), Some("the batch is finished"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_makes_a_dry_run_and_records_the_sessions() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("trip7").insert(&db.pool).await;
    SessionBuilder::of_trip("elsewhere").insert(&db.pool).await;
    store_without_jobs(&db, 100).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let id = begin(&db, all(), true).await;
    let batch = finished(&db, id).await;
    assert_eq!((batch.selected, batch.changed), (100, 100));
    assert_eq!(batch.result["sessions"], serde_json::json!([session]));
    assert_eq!(quote_count(&db.pool, session).await, 0);
    // A filter that selects nothing ends as well.
    let none = DeliverySelection {
        outcome: Some(DeliveryOutcome::Dead),
        ..DeliverySelection::default()
    };
    let id = begin(&db, none, false).await;
    assert_eq!(finished(&db, id).await.selected, 0);
    service.stop().await;
}

/// Each of two dry runs waits for the locks of a session that the application holds, as many as there are workers.
#[tokio::test(flavor = "multi_thread")]
async fn dry_runs_hold_up_no_other_job() {
    let db = Db::new().await;
    SessionBuilder::of_trip("trip7").insert(&db.pool).await;
    store_without_jobs(&db, 100).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let free = SessionBuilder::of_trip("elsewhere").insert(&db.pool).await;
    let application = lock_sessions(&db.pool).await;
    let runs = [begin(&db, all(), true).await, begin(&db, all(), true).await];
    let running = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'run_batch' AND lease_token IS NOT NULL";
    eventually(PATIENCE, "a dry run is running", async || {
        at_least(count(&db.pool, running).await, 1)
    })
    .await;
    let unmatched = serde_json::to_vec(&quote_of("another", "aquote-other", 1)).unwrap();
    store_bytes(&db.pool, &[unmatched], base()).await;
    let applied = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'full_event'";
    eventually(Duration::from_secs(5), "the event is applied", async || {
        at_least(count(&db.pool, applied).await, 1)
    })
    .await;
    let waiting = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'run_batch'";
    assert_eq!(count(&db.pool, waiting).await, 2, "neither dry run has ended");
    application.close().await.unwrap();
    for run in runs {
        finished(&db, run).await;
    }
    assert_eq!(quote_count(&db.pool, free).await, 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_enqueues_nothing_while_many_jobs_are_due_and_a_process_runs() {
    let db = Db::new().await;
    store_without_jobs(&db, 1_200).await;
    let new = NewBatch {
        work: BatchWork::Replay(all()),
        dry_run: false,
        limit: 1_000_000,
        acting: acting(),
    };
    let id = batches::begin(&db.pool, &new, StepsBy::Caller).await.unwrap();
    let step = async || batches::step(&db.pool, id, StepsBy::Caller).await.unwrap();
    let jobs = |kind: &str, number: i64| {
        format!(
            "TRUNCATE avinode_ingest.jobs;
             INSERT INTO avinode_ingest.jobs (kind) SELECT '{kind}' FROM generate_series(1, {number})"
        )
    };
    db.run(&jobs("full_event", MAX_WAITING)).await;
    assert_eq!(step().await, BatchStep::Done, "no process runs");
    db.run("INSERT INTO avinode_ingest.leader_leases (name, holder, held_until) VALUES ('process/a', 'a', now() + interval '1 hour')")
        .await;
    db.run(&jobs("full_event", MAX_WAITING)).await;
    assert_eq!(step().await, BatchStep::Waits);
    assert_eq!(batches::record::get(&db.pool, id).await.unwrap().selected, 500);
    // Nothing fetches: the jobs would wait for ever.
    db.run(&jobs("fetch_notified", MAX_WAITING)).await;
    assert_eq!(step().await, BatchStep::Done);
    db.run(&jobs("full_event", MAX_WAITING - 1)).await;
    assert_eq!(step().await, BatchStep::Finished);
    assert_eq!(batches::record::get(&db.pool, id).await.unwrap().changed, 1_200);
}
