//! A client that resumes gets every entry once.

use std::time::Duration;

use serde_json::json;

use super::{Streams, append, append_and_notify, post_quote, settings, with_session};
use crate::support::sessions::{SessionBuilder, SessionReferences, insert_agent, update_session};

const POLL: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_resumes_gets_every_entry_once() {
    let (db, session) = with_session("EVENT1").await;
    let streams = Streams::start(db.pool.service(), settings(POLL)).await;
    let mut first = streams.open("", None).await;
    post_quote(&streams, "EVENT1", "aquote-1", 1).await;
    let received = first.take(1).await.remove(0);
    assert_eq!(received.data["kind"], "quote_received");
    assert_eq!(received.data["session_id"], json!(session));
    assert_eq!(received.data["seq"], 1);
    let listed = "SELECT to_jsonb(detail) FROM avinode_ingest.timeline";
    let detail: serde_json::Value = sqlx::query_scalar(listed).fetch_one(&db.pool).await.unwrap();
    assert_eq!(received.data["detail"], detail);
    drop(first);

    for (number, quote) in ["aquote-2", "aquote-3", "aquote-4"].iter().enumerate() {
        post_quote(&streams, "EVENT1", quote, 2 + number as i64).await;
    }
    let id = received.id.to_string();
    let mut resumed = streams.open("", Some(&id)).await;
    let missed = resumed.take(3).await;
    let seqs: Vec<_> = missed.iter().map(|event| event.data["seq"].clone()).collect();
    assert_eq!(seqs, [2, 3, 4]);
    assert!(missed.is_sorted_by(|a, b| a.id < b.id), "{missed:?}");
    // In the middle of what was missed, and by the parameter of a first connection.
    let mut again = streams.open(&format!("after={}", missed[1].id), None).await;
    assert_eq!(again.take(1).await, missed[2..]);
    // The header comes before the parameter.
    let mut both = streams.open("after=0", Some(&missed[1].id.to_string())).await;
    assert_eq!(both.take(1).await, missed[2..]);

    post_quote(&streams, "EVENT1", "aquote-5", 9).await;
    for stream in [&mut resumed, &mut again, &mut both] {
        let live = stream.take(1).await.remove(0);
        assert_eq!(live.data["seq"], 5);
    }
    let mut all = streams.open("after=0", None).await;
    let seqs: Vec<_> = all
        .take(5)
        .await
        .iter()
        .map(|event| event.data["seq"].clone())
        .collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5]);
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_missed_entries_are_read_in_pages_and_followed_by_live_ones() {
    let (db, session) = with_session("EVENT2").await;
    let many = "INSERT INTO avinode_ingest.timeline (session_id, seq, kind, dedup_key, detail)
        SELECT $1, seq, 'trip_updated', 'test ' || seq, '{}' FROM generate_series(1, 1000) AS seq";
    sqlx::query(many).bind(session).execute(&db.pool).await.unwrap();
    let streams = Streams::start(db.pool.service(), settings(POLL)).await;
    let mut stream = streams.open("after=0", None).await;
    append_and_notify(&db.pool, session, 1001).await;
    let seqs: Vec<_> = stream
        .take(1001)
        .await
        .iter()
        .map(|event| event.data["seq"].as_i64().unwrap())
        .collect();
    assert!(seqs.iter().copied().eq(1..=1001), "{seqs:?}");
    // A burst beyond what the shared reader keeps for a stream that lags behind.
    let mut lagging = streams.open("", None).await;
    let burst = many.replace("generate_series(1, 1000)", "generate_series(2001, 6000)");
    sqlx::query(sqlx::AssertSqlSafe(burst))
        .bind(session)
        .execute(&db.pool)
        .await
        .unwrap();
    append_and_notify(&db.pool, session, 6001).await;
    let seqs: Vec<_> = lagging
        .take(4001)
        .await
        .iter()
        .map(|event| event.data["seq"].as_i64().unwrap())
        .collect();
    assert!(
        seqs.iter().copied().eq(2001..=6001),
        "{} {:?}",
        seqs.len(),
        seqs.first()
    );
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_the_entries_of_one_session_or_of_one_broker() {
    let (db, session) = with_session("EVENT3").await;
    let other = SessionBuilder::of_trip("EVENT4").insert(&db.pool).await;
    let agent = insert_agent(&db.pool).await;
    update_session(&db.pool, other, &format!("iso_agent_id = '{agent}'")).await;
    let stranger = SessionReferences::insert(&db.pool).await.agent;
    let streams = Streams::start(db.pool.service(), settings(POLL)).await;
    append(&db.pool, session, 1).await;
    append(&db.pool, other, 1).await;
    // Once for what was missed, and once live.
    let mut by_session = streams.open(&format!("after=0&session_id={session}"), None).await;
    let mut by_agent = streams.open(&format!("after=0&iso_agent_id={agent}"), None).await;
    let mut of_nothing = streams.open(&format!("after=0&iso_agent_id={stranger}"), None).await;
    append_and_notify(&db.pool, session, 2).await;
    append_and_notify(&db.pool, other, 2).await;
    for (stream, wanted) in [(&mut by_session, session), (&mut by_agent, other)] {
        for (seq, event) in (1..).zip(stream.take(2).await) {
            assert_eq!(
                (&event.data["session_id"], &event.data["seq"]),
                (&json!(wanted), &json!(seq))
            );
        }
    }
    assert_eq!(of_nothing.next_within(Duration::from_millis(100)).await, None);
    streams.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_whose_entries_were_deleted_is_410_and_an_invalid_one_422() {
    let (db, session) = with_session("EVENT5").await;
    let mut last = 0;
    for seq in 1..=5 {
        last = append(&db.pool, session, seq).await;
    }
    let streams = Streams::start(db.pool.service(), settings(POLL)).await;
    let expired = (410, "position-expired".to_owned());
    let of_another_database = (last + 1).to_string();
    assert_eq!(streams.problem("", Some(&of_another_database)).await, expired);
    assert_eq!(streams.problem("after=18446744073709551615", None).await, expired);
    // As retention deletes: the oldest first.
    db.run("DELETE FROM avinode_ingest.timeline WHERE seq <= 3").await;
    assert_eq!(streams.problem("after=0", None).await, expired);
    assert_eq!(streams.problem(&format!("after={}", last - 3), None).await, expired);
    // Of these, no entry is missing.
    for (after, left) in [(last - 2, 2), (last - 1, 1)] {
        assert_eq!(
            streams
                .open(&format!("after={after}"), None)
                .await
                .take(left)
                .await
                .len(),
            left
        );
    }
    db.run("DELETE FROM avinode_ingest.timeline").await;
    assert_eq!(streams.problem(&format!("after={}", last - 1), None).await, expired);
    drop(streams.open(&format!("after={last}"), None).await);
    let invalid = (422, "validation-failed".to_owned());
    for (query, header) in [
        ("after=-1", None),
        ("after=x", None),
        ("", Some("x")),
        ("", Some("-1")),
        ("limit=1", None),
    ] {
        assert_eq!(streams.problem(query, header).await, invalid, "{query} {header:?}");
    }
    streams.service.stop().await;
}
