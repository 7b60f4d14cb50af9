//! A server that became read-only while connections to another one are writable, as after a failover behind a proxy.

use super::RECOVERY;
use super::ready::check;
use crate::crash::load::{self, body, client, post};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn connections_to_a_read_only_server_are_left_by_receiver_workers_and_api() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let database = db.options.get_database().unwrap();
    db.run(&format!(
        "ALTER DATABASE {database} SET default_transaction_read_only = on"
    ))
    .await;
    let url = db.url();
    let service = Serve::start(&[
        ("DATABASE_URL", &url),
        ("INGEST_API_TOKENS", "app:write:a-token-of-the-tests"),
    ])
    .await;
    let client = client(&service.address);
    eventually(PATIENCE, "the cause is named", async || {
        equal(check(&service, "receiving").await, (503, "read-only".to_owned()))
    })
    .await;
    let (status, ..) = post(&client, &service.address, body(0)).await.unwrap();
    assert_eq!(status, 503);
    let api = async || {
        let request = client.post(format!(
            "http://{}/v1/sessions/{}/activity",
            service.address, sessions[0]
        ));
        let request = request
            .bearer_auth("a-token-of-the-tests")
            .header("content-type", "application/json");
        request.body("{}").send().await.unwrap().status().as_u16()
    };
    // Each of its connections has been used.
    for _ in 0..4 {
        assert_eq!(api().await, 503);
    }

    // The sessions that exist keep the setting, as connections to a demoted server do.
    let mut writable = db.pool.connection().await;
    for statement in [
        "SET default_transaction_read_only = off".to_owned(),
        format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut writable)
            .await
            .unwrap();
    }
    eventually(RECOVERY, "deliveries are kept", async || {
        let answer = post(&client, &service.address, body(0)).await;
        equal(answer.map(|(status, ..)| status), Some(200))
    })
    .await;
    eventually(RECOVERY, "jobs are applied", async || {
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.ledger").await > 0
    })
    .await;
    eventually(RECOVERY, "the API writes", async || api().await < 500).await;
    service.ready().await;
}
