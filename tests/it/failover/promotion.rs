//! The standby is promoted: after the primary was killed, became read-only, or lost its standby by that.

use super::RECOVERY;
use super::pair::{Pair, folder};
use crate::crash::durable::Durable;
use crate::faults::ready::check;
use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;

const CONNECTIONS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'avinode-ingest'";

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_of_the_primary_under_load_nothing_is_lost_and_work_goes_on_at_the_promoted_standby_and_back() {
    let mut pair = Pair::under_load(1).await;
    pair.primary.kill().await;
    each_host_is_named_with_its_cause(&pair).await;
    goes_on_at_the_promoted_standby(&mut pair, "promoted").await;
    let mut pair = pair.take_back().await;
    pair.primary.kill().await;
    goes_on_at_the_promoted_standby(&mut pair, "switched back").await;
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_lives_on_read_only_is_left_for_the_promoted_standby() {
    let mut pair = Pair::under_load(2).await;
    set(
        &pair.primary,
        [
            "ALTER SYSTEM SET default_transaction_read_only = on",
            "SELECT pg_reload_conf()",
        ],
    )
    .await;
    let recovery = pair.promote().await;
    println!("read-only: work went on after {:.1} s", recovery.as_secs_f64());
    assert!(recovery <= RECOVERY, "{recovery:?}");
    eventually(PATIENCE, "the former primary is left, by LISTEN too", async || {
        equal(count(&pair.standby.pool, CONNECTIONS).await, 0)
    })
    .await;
    pair.service.ready().await;
    pair.end().await;
}

/// A network split: the former primary accepts connections and writes, and no commit ends there.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_was_replaced_without_its_knowledge_is_left_when_its_commits_wait() {
    let mut pair = Pair::under_load(3).await;
    let recovery = pair.promote().await;
    println!("replaced: work went on after {:.1} s", recovery.as_secs_f64());
    assert!(recovery <= RECOVERY, "{recovery:?}");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    eventually(
        PATIENCE,
        "what waited at the former primary was ended there",
        async || equal(count(&pair.standby.pool, waiting).await, 0),
    )
    .await;
    pair.end().await;
}

async fn goes_on_at_the_promoted_standby(pair: &mut Pair, round: &str) {
    eventually(PATIENCE, "the cause is named", async || {
        equal(
            check(&pair.service, "receiving").await,
            (503, "no host accepts writes".to_owned()),
        )
    })
    .await;
    let recovery = pair.promote().await;
    println!("{round}: work went on after {:.1} s", recovery.as_secs_f64());
    assert!(recovery <= RECOVERY, "{recovery:?}");
    pair.service.ready().await;
    let connected = format!("connected to the database at {}", folder(&pair.primary));
    let said = pair.service.program.said();
    assert!(said.contains(&connected), "{said}");
}

async fn each_host_is_named_with_its_cause(pair: &Pair) {
    let causes = [
        "no host of the database URL accepts writes: ".to_owned(),
        format!("{}: ", folder(&pair.primary)),
        format!("{}: it is a standby", folder(&pair.standby)),
    ];
    eventually(PATIENCE, "each host is named with its cause", async || {
        let said = pair.service.program.said();
        said.lines()
            .any(|line| causes.iter().all(|cause| line.contains(cause.as_str())))
    })
    .await;
}

async fn set(postgres: &Durable, statements: [&'static str; 2]) {
    for statement in statements {
        sqlx::raw_sql(statement).execute(&postgres.pool).await.unwrap();
    }
}
