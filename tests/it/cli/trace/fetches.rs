//! The story of a resource that is fetched again after the API lag, as every fresh one is.

use std::time::Duration;

use avinode_ingest::avinode::client::config::AvinodeSettings;
use avinode_ingest::service::ServiceSettings;

use super::{TRIP, deliver};
use crate::fetching::setup::{MESSAGE, quoted};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fetch_stands_before_what_was_read_from_it_and_the_last_one_at_its_own_time() {
    let (db, avinode) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    avinode.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let settings = ServiceSettings {
        avinode: Some(AvinodeSettings {
            api_lag: Duration::from_millis(1500),
            ..avinode.settings(100.0, 100)
        }),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let delivery = deliver(&db, &service, &avinode.thin(MESSAGE, Some(TRIP))).await;
    let fetches = "SELECT coalesce(sum(fetch_count), 0)::bigint FROM avinode_ingest.documents WHERE NOT EXISTS (SELECT FROM avinode_ingest.jobs
        WHERE lease_token IS NOT NULL)";
    eventually(PATIENCE, "the second fetch is done", async || {
        equal(count(&db.pool, fetches).await, 2)
    })
    .await;

    for id in ["aquote-1", TRIP, &delivery] {
        let output = run_on(&db, &["trace", id, "--json"]).await.json();
        let story = output["story"].as_array().unwrap();
        // A fetch of the trip may wait.
        let timed = story
            .iter()
            .filter(|entry| entry["at"].is_string() && entry["step"] != "queued");
        let steps: Vec<&str> = timed.clone().map(|entry| entry["step"].as_str().unwrap()).collect();
        assert_eq!(
            steps,
            ["received", "fetched", "parsed", "applied", "counted", "fetched"],
            "{id}: {output:#}"
        );
        let text = |place: usize| story[place]["text"].as_str().unwrap();
        let job = &story[3]["job"];
        assert_eq!(text(1), format!("tripmsgs/asellermsg-1 for job {job}"), "{id}");
        assert_eq!(&story[1]["job"], job, "{id}");
        let last = text(5);
        assert!(
            last.starts_with("tripmsgs/asellermsg-1 as document ")
                && last.ends_with(", the last of 2 fetches with the same data"),
            "{id}: {last}"
        );
        let times: Vec<&str> = timed.map(|entry| entry["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted(), "{id}: {times:?}");
    }
    service.stop().await;
}
