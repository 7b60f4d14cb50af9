//! Jobs of a kind that are bounded in number, for each batch key and in all.

use std::collections::BTreeMap;

use avinode_ingest::queue::bounded::{self, Bounds};
use avinode_ingest::queue::enqueue::NewJob;
use avinode_ingest::queue::job_kind::JobKind::{self, FetchNotified, FetchSpeculative};
use tokio::task::JoinSet;

use crate::support::cluster::Db;
use crate::support::pool::Pool;

const BOUNDS: Bounds = Bounds {
    per_batch_key: 5,
    in_all: 12,
};

async fn insert(pool: &Pool, jobs: Vec<NewJob>) -> bounded::Inserted {
    let pool = pool.service();
    let mut tx = pool.begin().await.unwrap();
    let inserted = bounded::insert(&mut tx, FetchSpeculative, &jobs, &JobKind::FETCHING, BOUNDS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    inserted
}

fn job(batch_key: &str, key: &str) -> NewJob {
    NewJob {
        batch_key: Some(batch_key.to_owned()),
        ..NewJob::new(FetchSpeculative, key)
    }
}

async fn waiting(pool: &Pool) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT batch_key, count(*) FROM avinode_ingest.jobs WHERE batch_key IS NOT NULL GROUP BY 1")
            .fetch_all(pool)
            .await
            .unwrap();
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_on_waiting_jobs_hold_for_transactions_at_the_same_time() {
    let db = Db::new().await;
    let mut transactions = JoinSet::new();
    for number in 0..8 {
        let pool = db.pool.clone();
        transactions.spawn(async move {
            let agent = format!("agent-{}", number % 4);
            let jobs = (0..20).map(|nth| job(&agent, &format!("atrip-{number}-{nth}")));
            insert(&pool, jobs.collect()).await
        });
    }
    let all = transactions.join_all().await;
    let inserted: u64 = all.iter().map(|it| it.inserted).sum();
    let left_out: usize = all.iter().map(|it| it.left_out.len()).sum();
    assert_eq!((inserted, left_out), (12, 148));
    let waiting = waiting(&db.pool).await;
    assert_eq!(waiting.values().sum::<i64>(), 12);
    assert!(waiting.values().all(|jobs| *jobs <= 5), "{waiting:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_keys_share_what_is_left_of_the_bound_on_all_and_jobs_that_exist_are_skipped() {
    let db = Db::new().await;
    let pool = db.pool.service();
    let mut tx = pool.begin().await.unwrap();
    let notified = [NewJob::new(FetchNotified, "atrip-known")];
    avinode_ingest::queue::enqueue::insert(&mut tx, &notified, Default::default())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let of = |agent: &str, keys: &[&str]| keys.iter().map(|key| job(agent, key)).collect::<Vec<_>>();
    let first = of("a", &["atrip-known", "atrip-1", "atrip-2", "atrip-1"]);
    let inserted = insert(&db.pool, first).await;
    assert_eq!((inserted.inserted, inserted.left_out), (2, vec![]));

    let flood: Vec<String> = (10..40).map(|nth| format!("atrip-{nth}")).collect();
    let flood: Vec<&str> = flood.iter().map(String::as_str).collect();
    let mut jobs = of("a", &flood);
    jobs.extend(of("b", &["atrip-50", "atrip-51", "atrip-52", "atrip-53"]));
    jobs.extend(of("c", &["atrip-60", "atrip-61", "atrip-62", "atrip-63", "atrip-64"]));
    let inserted = insert(&db.pool, jobs).await;
    assert_eq!((inserted.inserted, inserted.left_out.len()), (10, 29));
    let waiting = waiting(&db.pool).await;
    let shares = BTreeMap::from([("a", 4), ("b", 4), ("c", 4)].map(|(agent, jobs)| (agent.to_owned(), jobs)));
    assert_eq!(waiting, shares, "each in turn, however many jobs the first has");
}
