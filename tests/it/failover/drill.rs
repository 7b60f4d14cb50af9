//! The part of `scripts/drill-failover` that sends and checks: a service on a cluster that Patroni runs, and the death of its primary.

use std::process::Command;
use std::str::FromStr;

use avinode_ingest::postgres::migrator;
use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::RECOVERY;
use crate::chaos::senders::Sending;
use crate::chaos::truth::{check, insert_sessions, recovered};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::pool::Pool;

const BEFORE_AND_AFTER: usize = 250;

#[expect(
    clippy::disallowed_methods,
    reason = "the script's variables are no settings of the service"
)]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/drill-failover"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by scripts/drill-failover, which starts the clusters"]
async fn when_patroni_promotes_the_standby_nothing_is_lost_and_work_goes_on() {
    let options = |name| PgConnectOptions::from_str(&variable(name)).unwrap();
    let primary = Pool::new(options("DRILL_PRIMARY_URL"), 4);
    let standby = Pool::new(options("DRILL_STANDBY_URL"), 4);
    migrator::migrate(options("DRILL_PRIMARY_URL")).await.unwrap();
    let sessions = insert_sessions(&primary).await;
    let url = variable("DRILL_SERVICE_URL");
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_PRIMARY_QUOTE_POLICY", "lowest-price")]).await;
    service.ready().await;
    let sending = Sending::new(1, &service.address);
    let stop = CancellationToken::new();
    let mut senders = sending.start(&stop);
    acknowledges(&sending, BEFORE_AND_AFTER).await;

    let killed = Command::new("sh")
        .args(["-c", &variable("DRILL_KILL")])
        .status()
        .unwrap();
    assert!(killed.success());
    let killed_at = Instant::now();
    let promoted = async {
        eventually(PATIENCE, "Patroni promotes the standby", async || {
            let standby = sqlx::query_scalar::<_, bool>("SELECT pg_is_in_recovery()").fetch_one(&standby);
            equal(standby.await.unwrap(), false)
        })
        .await;
        killed_at.elapsed()
    };
    let works = async {
        recovered(&sending, &standby).await;
        killed_at.elapsed()
    };
    let (promoted, works) = tokio::join!(promoted, works);
    acknowledges(&sending, BEFORE_AND_AFTER).await;
    stop.cancel();
    while let Some(ended) = timeout(PATIENCE, senders.join_next()).await.unwrap() {
        ended.unwrap();
    }
    check(&sending, &standby, &sessions).await;
    println!(
        "drill: {} deliveries acknowledged, 0 lost, 0 counted twice; Patroni promoted after {:.1} s, the service worked again \
         after {:.1} s",
        sending.acknowledged.lock().unwrap().len(),
        promoted.as_secs_f64(),
        works.as_secs_f64()
    );
    let after_promotion = works.saturating_sub(promoted);
    assert!(after_promotion <= RECOVERY, "{after_promotion:?}");
}

async fn acknowledges(sending: &Sending, more: usize) {
    let acknowledged = || sending.acknowledged.lock().unwrap().len();
    let wanted = acknowledged() + more;
    eventually(PATIENCE, "deliveries are acknowledged", async || {
        at_least(acknowledged(), wanted)
    })
    .await;
}
