//! Jobs that wait or are dead, and quotes that are not projected.

use serde_json::json;

use crate::support::bodies::{at, event, quote};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;

#[tokio::test(flavor = "multi_thread")]
async fn waiting_and_dead_jobs_are_counted() {
    let db = Db::new().await;
    let thin = json!({"id": "arfq-1", "href": "https://sandbox.avinode.com/api/rfqs/arfq-1", "type": "Rfqs"});
    let unknown = event("TripSomethingNew", "evt-1", 0, json!({}));
    receive(&db.pool, &[thin, unknown]).await;
    let (statuses, words) = check(&[("DATABASE_URL", &db.url())]).await.of("jobs");
    assert_eq!(statuses, "warning warning");
    assert!(
        words.contains("1 wait to be fetched") && words.contains("1 dead"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unprojected_quotes_are_counted_by_reason() {
    let db = Db::attached().await;
    let body = |event: &str, trip: &str, id: &str, price: &str| quote(event, trip, "arfq-1", id, 0, price, "USD");
    let mut priceless = body("evt-5", "64956151", "aquote-5", "1");
    priceless["timestamp"] = at(1).into();
    priceless["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
    db.run("ALTER TABLE public.quotes ADD CHECK (total_price <> 666) NOT VALID")
        .await;
    let bodies = [
        body("evt-1", "NOBODYS", "aquote-1", "9000"),
        body("evt-2", "4ND3C3", "aquote-2", "9000"),
        body("evt-3", "64956151", "aquote-3", "0"),
        body("evt-4", "64956151", "aquote-4", "9000"),
        body("evt-5a", "64956151", "aquote-5", "9000"),
        body("evt-6", "64956151", "aquote-6", "666"),
    ];
    receive(&db.pool, &bodies).await;
    receive(&db.pool, &[priceless]).await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    let (statuses, words) = output.of("quotes");
    for some in [
        "1 wait for a session with the id of their trip or RFQ",
        "1 are counted and wait for a request",
        "1 have no price",
        "1 show an older price",
        "rejected 1, for example with: new row for relation",
    ] {
        assert!(words.contains(some), "{some}: {words}");
    }
    assert_eq!(statuses.split(' ').filter(|status| *status == "warning").count(), 1);
    assert_eq!(output.status("columns"), "ok");

    db.run(
        "ALTER TABLE public.quotes ADD COLUMN broker_note text;
         UPDATE public.quotes SET broker_note = '';
         ALTER TABLE public.quotes ALTER COLUMN broker_note SET NOT NULL;
         ALTER TYPE public.quote_status RENAME VALUE 'received' TO 'came_in'",
    )
    .await;
    let (status, words) = check(&[("DATABASE_URL", &db.url())]).await.of("columns");
    assert_eq!(status, "failed");
    assert!(
        words.contains("broker_note must be filled and has no default, status has no value received"),
        "{words}"
    );
}
