//! A synchronous standby that is absent: a commit waits for it, and no limit of the server ends that wait.

use super::RECOVERY;
use super::ready::check;
use crate::crash::durable::Durable;
use crate::crash::load::{self, body, client, post};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn without_its_synchronous_standby_deliveries_are_refused_and_no_server_processes_collect() {
    let postgres = Durable::new().await;
    load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_ROLE", "receive")]).await;
    service.ready().await;
    let set = async |statements: &'static str| {
        let mut connection = postgres.pool.connection().await;
        for statement in statements.split(';') {
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        }
    };
    set("ALTER SYSTEM SET synchronous_standby_names = 'absent'; SELECT pg_reload_conf()").await;
    let client = client(&service.address);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    for number in 0..4 {
        let (status, answer, _) = post(&client, &service.address, body(number)).await.unwrap();
        assert_eq!(status, 503, "{answer}");
        let cause = "a commit waits, for the disk or for a synchronous standby".to_owned();
        eventually(PATIENCE, "the cause is named", async || {
            equal(check(&service, "receiving").await, (503, cause.clone()))
        })
        .await;
        let waiting = count(&postgres.pool, waiting).await;
        assert!(waiting <= 2, "{waiting} server processes wait");
    }
    set("ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()").await;
    eventually(RECOVERY, "deliveries are kept", async || {
        let answer = post(&client, &service.address, body(9)).await;
        equal(answer.map(|(status, ..)| status), Some(200))
    })
    .await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
}
