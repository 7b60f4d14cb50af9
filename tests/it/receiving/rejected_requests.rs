//! Refused requests leave a bounded sample, which receiving does not wait for.

use avinode_ingest::service::ServiceSettings;
use avinode_ingest::store::rejected_requests::{self, RejectedRequest};
use serde_json::json;

use crate::support::PATIENCE;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::service::RunningService;
use crate::support::sql::count;

const ROWS: &str = "SELECT count(*) FROM avinode_ingest.rejected_requests";

fn request(number: u32, at: chrono::DateTime<chrono::Utc>) -> RejectedRequest {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_be_bytes());
    RejectedRequest {
        digest,
        at,
        reason: "a test's",
        body_bytes: Some(2),
        times: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refused_requests_fills_a_bounded_part_of_the_table_and_delays_no_delivery() {
    let db = Db::new().await;
    let service = RunningService::start(
        &db.pool,
        ServiceSettings {
            workers: 0,
            ..ServiceSettings::default()
        },
    )
    .await;
    let url = format!("{}/webhooks/avinode", service.base);
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    for number in 0..600 {
        let body = json!({"id": format!("aquote-{number}"), "person": "A. Person"}).to_string();
        let request = client
            .post(&url)
            .header("x-avinode-signature", "00ff".repeat(16))
            .body(body);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401);
    }
    let body = quote("e1", "atrip-7", "arfq-1", "q1", 1, "10000", "USD").to_string();
    assert_eq!(service.post(body.as_bytes()).await.0, 200);
    eventually(PATIENCE, "a sample is stored", async || {
        at_least(count(&db.pool, ROWS).await, 1)
    })
    .await;
    service.stop().await;
    let rows = count(&db.pool, ROWS).await;
    assert!(rows <= 200, "{rows} rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_has_two_hundred_rows_those_before_stay_and_old_ones_are_deleted() {
    let db = Db::new().await;
    let pool = db.pool.service();
    let now: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("SELECT clock_timestamp()")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    // Of an earlier hour, and long ago.
    let earlier = now - chrono::TimeDelta::hours(3);
    rejected_requests::record(
        &pool,
        &[request(1, earlier), request(2, base() - chrono::TimeDelta::days(400))],
    )
    .await
    .unwrap();
    assert_eq!(count(&db.pool, ROWS).await, 2);
    for batch in 1..20 {
        let requests: Vec<RejectedRequest> = (0..32).map(|number| request(batch * 1000 + number, now)).collect();
        rejected_requests::record(&pool, &requests).await.unwrap();
    }
    assert_eq!(
        count(&db.pool, ROWS).await,
        201,
        "the one of an earlier hour and 200 of this hour"
    );
    // A repetition is counted all the same.
    rejected_requests::record(&pool, &[request(1, now), request(1000, now)])
        .await
        .unwrap();
    let times =
        "SELECT times FROM avinode_ingest.rejected_requests WHERE digest = decode(rpad('00000001', 64, '0'), 'hex')";
    equal(count(&db.pool, times).await, 2).unwrap();
    assert_eq!(count(&db.pool, ROWS).await, 201);
    let found = rejected_requests::by_reason(&pool).await.unwrap();
    assert_eq!((found.len(), found[0].times), (1, 203));
}
