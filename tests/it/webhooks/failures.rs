//! Receivers that fail, are slow, or come back later.

use std::time::Duration;

use avinode_ingest::queue::admin::{self, JobFilter};

use super::{accepted, failed, post_quote, received, settings, until_idle, until_received};
use crate::support::PATIENCE;
use crate::support::actions::retry;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::recorder::{Part, Recorder, answer};
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_has_the_same_id_and_body_and_a_later_change_another() {
    let db = Db::new().await;
    SessionBuilder::of_trip("FAIL01").insert(&db.pool).await;
    let receiver = Recorder::start(vec![failed(), failed(), accepted()]).await;
    let service = RunningService::start(&db.pool, settings(&receiver)).await;
    post_quote(&service, "FAIL01", "aquote-1", 1).await;
    let attempts = until_received(&receiver, 3).await;
    until_idle(&db.pool).await;
    assert_eq!(received(&receiver).len(), 3);
    for attempt in &attempts {
        assert_eq!((&attempt.id, &attempt.body), (&attempts[0].id, &attempts[0].body));
    }
    post_quote(&service, "FAIL01", "aquote-2", 2).await;
    let later = until_received(&receiver, 4).await.remove(3);
    assert_ne!(later.id, attempts[0].id);
    assert_eq!(later.data["version"], 2);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_between_two_attempts_is_a_version_of_its_own() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("FAIL02").insert(&db.pool).await;
    // The first attempt may have been read: its id must not come with other content.
    let receiver = Recorder::start(vec![
        answer("503 Service Unavailable", &["retry-after: 1"], b""),
        accepted(),
    ])
    .await;
    let service = RunningService::start(&db.pool, settings(&receiver)).await;
    post_quote(&service, "FAIL02", "aquote-1", 1).await;
    let first = until_received(&receiver, 1).await.remove(0);
    post_quote(&service, "FAIL02", "aquote-2", 2).await;
    eventually(PATIENCE, "both quotes are counted", async || {
        equal(quote_count(&db.pool, session).await, 2)
    })
    .await;
    let second = until_received(&receiver, 2).await.remove(1);
    until_idle(&db.pool).await;
    assert_ne!(first.id, second.id);
    assert_eq!(
        (&first.data["version"], &second.data["version"]),
        (&1.into(), &2.into())
    );
    let seqs: Vec<_> = second.data["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["seq"])
        .collect();
    assert_eq!(seqs, [1, 2], "the first one was not acknowledged");
    assert_eq!(received(&receiver).len(), 2, "one job covered both");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_always_fails_leaves_a_dead_letter_that_a_retry_delivers() {
    let db = Db::new().await;
    SessionBuilder::of_trip("FAIL03").insert(&db.pool).await;
    let receiver = Recorder::start(vec![failed(), failed(), failed(), accepted()]).await;
    let service = RunningService::start(&db.pool, settings(&receiver)).await;
    post_quote(&service, "FAIL03", "aquote-1", 1).await;
    let dead = eventually(PATIENCE, "the job is dead", async || {
        admin::dead_ids(&db.pool, Some("notify_session")).await.unwrap().pop()
    })
    .await;
    let filter = JobFilter {
        ids: Some(vec![dead]),
        limit: 1,
        ..JobFilter::default()
    };
    let view = admin::list(&db.pool, &filter).await.unwrap().remove(0);
    let reason = view.reason.unwrap();
    assert!(
        reason.contains("gave up after 3 attempts") && reason.contains("INGEST_NOTIFY_URL answered 500"),
        "{reason}"
    );
    let texts = format!("{reason} {:?}", view.history);
    assert!(
        !texts.contains("hidden-key") && !texts.contains("logged nowhere"),
        "{texts}"
    );
    assert_eq!(retry(&db.pool, &[dead]).await, [dead]);
    let attempts = until_received(&receiver, 4).await;
    assert!(
        attempts.iter().all(|attempt| attempt.id == attempts[0].id),
        "{attempts:?}"
    );
    until_idle(&db.pool).await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_holds_up_no_apply_and_changes_meanwhile_share_one_job() {
    let db = Db::new().await;
    let receiver = Recorder::answering(vec![Part::Silence]).await;
    let mut sessions = Vec::new();
    for number in 0..20 {
        sessions.push(
            SessionBuilder::of_trip(&format!("SLOW{number:02}"))
                .insert(&db.pool)
                .await,
        );
    }
    let mut settings = settings(&receiver);
    settings.drain = Duration::from_secs(1);
    let service = RunningService::start(&db.pool, settings).await;
    let began = tokio::time::Instant::now();
    for quote in 1..=5 {
        for number in 0..20 {
            post_quote(
                &service,
                &format!("SLOW{number:02}"),
                &format!("aquote-{number}-{quote}"),
                quote,
            )
            .await;
        }
    }
    for session in sessions {
        eventually(PATIENCE, "all quotes are counted", async || {
            equal(quote_count(&db.pool, session).await, 5)
        })
        .await;
    }
    // A call lasts 20 s before it is given up.
    assert!(began.elapsed() < Duration::from_secs(18), "{:?}", began.elapsed());
    assert!(!receiver.connections().is_empty());
    let most = "SELECT coalesce(max(jobs), 0) FROM (
        SELECT count(*) AS jobs FROM avinode_ingest.jobs WHERE kind = 'notify_session' GROUP BY key) AS of_session";
    let most = count(&db.pool, most).await;
    assert!(
        (1..=2).contains(&most),
        "{most} jobs of a session: one that runs, and one that waits"
    );
    db.run("DELETE FROM avinode_ingest.jobs WHERE kind = 'notify_session'")
        .await;
    service.stop().await;
}
