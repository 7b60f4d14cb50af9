//! The rows of `public.quotes` after a merge of two trips.

use avinode_ingest::jobs::maintenance;
use avinode_ingest::store::unprojected::{self, UnprojectedReason};
use chrono::TimeDelta;

use super::{BOTH, RESOURCE, SHORT, merge, receive, run_jobs};
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_at;
use crate::support::sessions::{SessionBuilder, count_and_primary, with_primary};
use crate::support::sql::text;

const ROWS: &str =
    "SELECT string_agg(avinode_quote_id || ' ' || total_price, '; ' ORDER BY avinode_quote_id, total_price)
    FROM public.quotes";

fn priced(trip: &str, name: &str, seconds: i64, amount: i64) -> serde_json::Value {
    let mut body = quote_of(trip, name, seconds);
    body["data"]["quote"]["totalPrice"]["amount"] = amount.into();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_inserted_under_one_id_shows_the_newest_fact_of_both() {
    // The newest fact may be stored under the canonical id or under the other one.
    for (first, second) in [(SHORT, RESOURCE), (RESOURCE, SHORT)] {
        let db = Db::new().await;
        let (one, other) = (
            SessionBuilder::of_trip(first).insert(&db.pool).await,
            SessionBuilder::of_trip(second).insert(&db.pool).await,
        );
        receive(&db.pool, &[priced(first, "q1", 1, 5_000)]).await;
        receive(&db.pool, &[priced(second, "q1", 2, 5_500)]).await;
        receive(&db.pool, &[priced(second, "q1", 3, 6_000)]).await;
        assert_eq!(
            text(&db.pool, ROWS).await.as_deref(),
            Some("q1 5000.00"),
            "another trip's row"
        );
        merge(&db.pool, BOTH).await;
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some("q1 6000.00"));
        receive(&db.pool, &[priced(first, "q1", 4, 7_000)]).await;
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some("q1 7000.00"));
        for session in [one, other] {
            assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_of_a_quote_that_of_the_oldest_session_is_kept_and_the_other_is_left_alone() {
    for oldest in [SHORT, RESOURCE] {
        let db = Db::new().await;
        let sessions = [
            SessionBuilder::of_trip(SHORT).insert(&db.pool).await,
            SessionBuilder::of_trip(RESOURCE).insert(&db.pool).await,
        ];
        db.run(&format!(
            "UPDATE public.chat_sessions SET created_at = '2020-01-01' WHERE avinode_trip_id = '{oldest}'"
        ))
        .await;
        receive(&db.pool, &[priced(SHORT, "q1", 1, 5_000)]).await;
        // A second row is inserted because the first one has no Avinode id.
        db.run("UPDATE public.quotes SET avinode_quote_id = NULL").await;
        receive(&db.pool, &[priced(RESOURCE, "q1", 2, 6_000)]).await;
        db.run("UPDATE public.quotes SET avinode_quote_id = 'q1'").await;
        merge(&db.pool, BOTH).await;
        receive(&db.pool, &[priced(SHORT, "q1", 3, 7_000)]).await;
        let left = if oldest == SHORT {
            "q1 6000.00; q1 7000.00"
        } else {
            "q1 5000.00; q1 7000.00"
        };
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some(left), "{oldest}");
        for session in sessions {
            assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
        }
        let primaries = "SELECT count(DISTINCT primary_quote_id)::text FROM public.chat_sessions";
        assert_eq!(text(&db.pool, primaries).await.as_deref(), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_does_not_insert_a_row_again_that_the_application_deleted() {
    let db = Db::new().await;
    let one = SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
    receive(&db.pool, &[priced(SHORT, "q1", 1, 5_000)]).await;
    db.run("UPDATE public.chat_sessions SET primary_quote_id = NULL; DELETE FROM public.quotes")
        .await;
    // The quote is also known under the other id, and was never projected there.
    receive(&db.pool, &[priced(RESOURCE, "q1", 2, 6_000)]).await;
    merge(&db.pool, BOTH).await;
    assert_eq!(text(&db.pool, ROWS).await, None);
    assert_eq!(count_and_primary(&db.pool, one).await, (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resync_projects_quotes_for_sessions_that_have_the_other_id() {
    let db = Db::new().await;
    let one = SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
    let request = "SELECT request_id::text FROM public.chat_sessions";
    let request = text(&db.pool, request).await.unwrap();
    db.run("UPDATE public.chat_sessions SET request_id = NULL").await;
    merge(&db.pool, BOTH).await;
    receive(&db.pool, &[priced(RESOURCE, "q1", 1, 5_000)]).await;
    assert_eq!(count_and_primary(&db.pool, one).await, (1, None));
    let reasons = async || {
        unprojected::count_by_reason(&db.pool)
            .await
            .unwrap()
            .into_iter()
            .map(|count| count.reason)
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons().await, [UnprojectedReason::NoRequest]);
    db.run(&format!("UPDATE public.chat_sessions SET request_id = '{request}'"))
        .await;
    assert_eq!(reasons().await, [UnprojectedReason::Pending]);
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, one).await, with_primary(1, "q1"));
}

/// Both trips knew the quote, and one of them had made its row.
#[tokio::test(flavor = "multi_thread")]
async fn the_payload_of_a_merged_quote_is_that_of_its_newest_event_whichever_trip_made_the_row() {
    for (first, second) in [(SHORT, RESOURCE), (RESOURCE, SHORT)] {
        for newest in [first, second] {
            let db = Db::new().await;
            SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
            SessionBuilder::of_trip(RESOURCE).insert(&db.pool).await;
            for trip in [first, second] {
                let number = if trip == newest { 2 } else { 1 };
                let body = quote_of(trip, "both", number);
                let received_at = base() + TimeDelta::seconds(number);
                store_at(&db.pool, &serde_json::to_vec(&body).unwrap(), received_at).await;
                run_jobs(&db.pool).await;
            }
            merge(&db.pool, BOTH).await;
            let shown = "SELECT raw_webhook_payload #>> '{data,trip,id}' FROM public.quotes";
            assert_eq!(
                text(&db.pool, shown).await.as_deref(),
                Some(newest),
                "{first} made the row"
            );
        }
    }
}
