//! What the application sees of the quotes of two trips that turn out to be one.

use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use avinode_ingest::store::unprojected::{UnprojectedReason, unshown};

use super::{BOTH, RESOURCE, SHORT, counted, quoted, shown, some, text, told, work};
use crate::support::cluster::Db;
use crate::support::service::session;

const ROWS: &str =
    "SELECT string_agg(avinode_quote_id || ' ' || total_price, '; ' ORDER BY avinode_quote_id, total_price)
    FROM public.quotes";

fn priced(trip: &str, name: &str, seconds: i64, amount: i64) -> serde_json::Value {
    let mut body = quoted(trip, name, seconds);
    body["data"]["quote"]["totalPrice"]["amount"] = amount.into();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_made_under_one_id_shows_what_is_told_under_the_other() {
    // The newest fact may be the one of the id that stands, or of the one that gives way.
    for (first, second) in [(SHORT, RESOURCE), (RESOURCE, SHORT)] {
        let db = Db::new().await;
        let (one, other) = (
            session(&db.pool, Some(first)).await,
            session(&db.pool, Some(second)).await,
        );
        told(&db.pool, &[priced(first, "q1", 1, 5_000)]).await;
        told(&db.pool, &[priced(second, "q1", 2, 5_500)]).await;
        told(&db.pool, &[priced(second, "q1", 3, 6_000)]).await;
        assert_eq!(
            text(&db.pool, ROWS).await.as_deref(),
            Some("q1 5000.00"),
            "another trip's row"
        );
        shown(&db.pool, BOTH).await;
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some("q1 6000.00"));
        told(&db.pool, &[priced(first, "q1", 4, 7_000)]).await;
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some("q1 7000.00"));
        for session in [one, other] {
            assert_eq!(counted(&db.pool, session).await, some(1, "q1"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rows_of_a_quote_the_one_of_the_oldest_session_is_kept_and_the_other_is_left_alone() {
    for oldest in [SHORT, RESOURCE] {
        let db = Db::new().await;
        let sessions = [
            session(&db.pool, Some(SHORT)).await,
            session(&db.pool, Some(RESOURCE)).await,
        ];
        db.run(&format!(
            "UPDATE public.chat_sessions SET created_at = '2020-01-01' WHERE avinode_trip_id = '{oldest}'"
        ))
        .await;
        told(&db.pool, &[priced(SHORT, "q1", 1, 5_000)]).await;
        // The second row is made because the first one does not say whose it is.
        db.run("UPDATE public.quotes SET avinode_quote_id = NULL").await;
        told(&db.pool, &[priced(RESOURCE, "q1", 2, 6_000)]).await;
        db.run("UPDATE public.quotes SET avinode_quote_id = 'q1'").await;
        shown(&db.pool, BOTH).await;
        told(&db.pool, &[priced(SHORT, "q1", 3, 7_000)]).await;
        let left = if oldest == SHORT {
            "q1 6000.00; q1 7000.00"
        } else {
            "q1 5000.00; q1 7000.00"
        };
        assert_eq!(text(&db.pool, ROWS).await.as_deref(), Some(left), "{oldest}");
        for session in sessions {
            assert_eq!(counted(&db.pool, session).await, some(1, "q1"));
        }
        let primaries = "SELECT count(DISTINCT primary_quote_id)::text FROM public.chat_sessions";
        assert_eq!(text(&db.pool, primaries).await.as_deref(), Some("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_application_deleted_is_not_made_again_by_a_merge() {
    let db = Db::new().await;
    let one = session(&db.pool, Some(SHORT)).await;
    told(&db.pool, &[priced(SHORT, "q1", 1, 5_000)]).await;
    db.run("UPDATE public.chat_sessions SET primary_quote_id = NULL; DELETE FROM public.quotes")
        .await;
    // Known under the other id as well, where nobody has asked for it to be shown.
    told(&db.pool, &[priced(RESOURCE, "q1", 2, 6_000)]).await;
    shown(&db.pool, BOTH).await;
    assert_eq!(text(&db.pool, ROWS).await, None);
    assert_eq!(counted(&db.pool, one).await, (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_shows_quotes_to_sessions_that_have_the_other_id() {
    let db = Db::new().await;
    let one = session(&db.pool, Some(SHORT)).await;
    let request = "SELECT request_id::text FROM public.chat_sessions";
    let request = text(&db.pool, request).await.unwrap();
    db.run("UPDATE public.chat_sessions SET request_id = NULL").await;
    shown(&db.pool, BOTH).await;
    told(&db.pool, &[priced(RESOURCE, "q1", 1, 5_000)]).await;
    assert_eq!(counted(&db.pool, one).await, (1, None));
    let missing = async || {
        unshown(&db.pool)
            .await
            .unwrap()
            .into_iter()
            .map(|it| it.missing)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing().await, [UnprojectedReason::Request]);
    db.run(&format!("UPDATE public.chat_sessions SET request_id = '{request}'"))
        .await;
    assert_eq!(missing().await, [UnprojectedReason::Turn]);
    maintenance::full_round(&db.pool, "a test", Duration::from_secs(60), false)
        .await
        .unwrap();
    work(&db.pool).await;
    assert_eq!(counted(&db.pool, one).await, some(1, "q1"));
}
