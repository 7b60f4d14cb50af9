//! The upgrade and its roll-back, process by process.

use std::time::{Duration, Instant};

use super::deployment::{BURST, CALLS_PER_SECOND, Deployment};
use super::instance::Counts;
use super::load::{FETCHED_TRIP, Load};
use super::release::Release;
use crate::chaos::truth::{check, insert_sessions};
use crate::fetching::limits::assert_within_limit;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count};

/// The longest time for which a request may be refused.
const REFUSED: Duration = Duration::from_secs(1);
/// The longest time for which a request may wait, and for which no delivery may be accepted: a migration waits 0.7 s for a lock, and the
/// rest is for a slow machine.
const WAITED: Duration = Duration::from_secs(5);
/// Each process accepts and finishes so much in each phase.
const ENOUGH: u64 = 20;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by scripts/check-upgrade, which builds two programs"]
async fn processes_are_replaced_one_by_one_under_load_and_back_and_nothing_is_refused_lost_or_counted_twice() {
    let (previous, next) = (Release::previous(), Release::next());
    let (db, avinode) = (Db::empty().await, FakeAvinode::start().await);
    previous.migrate(&db).await;
    let sessions = insert_sessions(&db.pool).await;
    let fetched = SessionBuilder::of_trip(FETCHED_TRIP).insert(&db.pool).await;
    let began = Instant::now();
    let deployment = Deployment::start(&db, &avinode, &previous).await;
    let mut load = Load::start(&deployment.balancer.address, &avinode, fetched);
    phase("before the upgrade", &deployment, &load).await;

    let migrating = Instant::now();
    let migrated = next.migrate(&db).await;
    let migrating = migrating.elapsed();
    let schema = migrated.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    println!(
        "upgrade: `migrate` under load took {:.1} s: {schema}",
        migrating.as_secs_f64()
    );
    let on_next = format!("on the schema of the next program ({schema})");
    phase(&format!("the previous program {on_next}"), &deployment, &load).await;
    let deployment = deployment.replace(0, &next).await;
    phase(&format!("both programs {on_next}"), &deployment, &load).await;
    let deployment = deployment.replace(1, &next).await;
    phase("the next program alone", &deployment, &load).await;

    // And back, as a release that goes wrong is rolled back: the schema stays.
    previous.migrate(&db).await;
    let deployment = deployment.replace(0, &previous).await;
    phase(&format!("both programs, rolling back, {on_next}"), &deployment, &load).await;
    let deployment = deployment.replace(1, &previous).await;
    phase(
        &format!("the previous program, rolled back, {on_next}"),
        &deployment,
        &load,
    )
    .await;

    let (deliveries, reads) = (load.sending.waits.longest(), load.reads.longest());
    let notified = load.end().await;
    check(&load.sending, &db.pool, &sessions).await;
    eventually(PATIENCE, "each notified quote is counted once", async || {
        equal(quote_count(&db.pool, fetched).await, i32::try_from(notified).unwrap())
    })
    .await;
    assert_within_limit(&avinode, began, CALLS_PER_SECOND, BURST);
    println!(
        "upgrade: {} deliveries acknowledged in {:.0} s, {notified} of them fetched, 0 lost, 0 counted twice, 0 dead; {} attempts refused, \
         the longest for {:.2} s; the longest time without an accepted delivery {:.2} s, the longest wait {:.2} s; {} reads by the API, \
         {} refused, the longest wait {:.2} s",
        load.sending.acknowledged.lock().unwrap().len(),
        began.elapsed().as_secs_f64(),
        load.sending.waits.refusals().0,
        deliveries.refused.as_secs_f64(),
        deliveries.gap.as_secs_f64(),
        deliveries.wait.as_secs_f64(),
        load.reads.succeeded(),
        load.reads.refusals().0,
        reads.wait.as_secs_f64(),
    );
    drop(deployment);
}

/// Waits until each process has accepted deliveries and finished jobs since now, and checks that no request was refused for long and that
/// no job failed.
async fn phase(name: &str, deployment: &Deployment, load: &Load) {
    let before = counts(deployment).await;
    let releases = deployment.instances.each_ref().map(|instance| instance.release);
    eventually(PATIENCE, name, async || {
        uninterrupted(name, load);
        let now = counts(deployment).await;
        let seen = [since(now[0], before[0]), since(now[1], before[1])];
        assert!(
            seen.iter().all(|seen| seen.failed == 0),
            "{name}: jobs failed: {releases:?} {seen:?}"
        );
        let enough = seen
            .iter()
            .all(|seen| seen.accepted >= ENOUGH && seen.finished >= ENOUGH);
        if enough { Ok(()) } else { Err((releases, seen)) }
    })
    .await;
}

async fn counts(deployment: &Deployment) -> [Counts; 2] {
    [
        deployment.instances[0].counts().await,
        deployment.instances[1].counts().await,
    ]
}

fn since(now: Counts, before: Counts) -> Counts {
    Counts {
        accepted: now.accepted - before.accepted,
        finished: now.finished - before.finished,
        // Those of before belong to no phase.
        failed: now.failed,
    }
}

fn uninterrupted(name: &str, load: &Load) {
    for (requests, waits) in [("a delivery", &load.sending.waits), ("a read by the API", &*load.reads)] {
        let (longest, (refusals, last)) = (waits.longest(), waits.refusals());
        let is_served = longest.refused <= REFUSED && longest.wait <= WAITED && longest.gap <= WAITED;
        assert!(
            is_served,
            "{name}: {requests} was refused for {:.2} s, or waited for {:.2} s, or none was accepted for {:.2} s; {refusals} attempts \
             were refused, the last one by {last:?}",
            longest.refused.as_secs_f64(),
            longest.wait.as_secs_f64(),
            longest.gap.as_secs_f64(),
        );
    }
}
