//! Processes whose clocks are a day apart.

use std::path::PathBuf;

use avinode_ingest::clock::Clock;
use chrono::Duration;
use serde_json::Value;

use super::RECOVERY;
use crate::crash::load::{client, post};
use crate::crash::program::Serve;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sessions::{SessionBuilder, view};

const TRIP: &str = "atrip-1";

/// Debian's package has it in a folder of the machine's architecture.
fn libfaketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let libraries = folders
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    libraries.into_iter().find(|library| library.exists())
}

/// A process of this role whose clock is off by this much.
async fn serve(db: &Db, role: &str, library: &str, offset: &str) -> Serve {
    let url = db.url();
    Serve::start(&[
        ("DATABASE_URL", &url),
        ("INGEST_ROLE", role),
        ("LD_PRELOAD", library),
        ("FAKETIME", offset),
        // Only the calendar is wrong.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ])
    .await
}

async fn send(receiver: &Serve, quote: &str, number: i64, valid_for: Duration) {
    let mut event: Value = quote_of(TRIP, quote, number);
    event["data"]["quote"]["validUntil"] = (Clock::System.now() + valid_for).to_rfc3339().into();
    let (status, answer, _) = post(
        &client(&receiver.address),
        &receiver.address,
        event.to_string().into_bytes(),
    )
    .await
    .unwrap();
    assert_eq!(status, 200, "{answer}");
}

async fn leads(db: &Db, session: uuid::Uuid, count: i32, primary: &str) {
    eventually(RECOVERY, "the quote leads", async || {
        let session = view(&db.pool, session).await;
        equal(
            (session.quotes_received_count, session.primary_quote),
            (count, Some(primary.to_owned())),
        )
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_whose_clocks_are_a_day_apart_judge_expiries_alike_and_take_over_from_each_other() {
    let Some(library) = libfaketime() else {
        println!("not tried: libfaketime is not here (scripts/need-program faketime)");
        return;
    };
    let library = library.to_string_lossy();
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let receiver = serve(&db, "receive", &library, "-1d").await;
    let ahead = serve(&db, "work", &library, "+1d").await;
    send(&receiver, "q1", 1, Duration::hours(12)).await;
    leads(&db, session, 1, "q1").await;
    let expired = "SELECT count(*) FROM avinode_ingest.timeline WHERE kind = 'quote_expired'";
    assert_eq!(crate::support::sql::count(&db.pool, expired).await, 0);

    let behind = serve(&db, "work", &library, "-1d").await;
    ahead.program.kill().await;
    send(&receiver, "q2", 2, Duration::hours(-12)).await;
    send(&receiver, "q3", 0, Duration::hours(12)).await;
    leads(&db, session, 3, "q1").await;
    drop(behind);
}
