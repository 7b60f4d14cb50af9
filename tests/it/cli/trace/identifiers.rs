//! The type of an id is found by looking it up.

use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::{QUOTE, RFQ, TRIP, deliver, trace};
use crate::support::bodies::{message, quote};
use crate::support::cluster::Db;
use crate::support::program::run_on;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::text;

const MESSAGE: &str = "asellermsg-1000000007";

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_an_rfq_a_trip_a_delivery_a_session_and_a_row_are_told_apart() {
    let db = Db::new().await;
    // Ids of a new shape: their prefixes tell nothing.
    let (odd_quote, odd_rfq) = ("Q7", "R7");
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let delivery = deliver(&db, &service, &quote("evt-1", TRIP, RFQ, QUOTE, 10, "9000", "EUR")).await;
    deliver(
        &db,
        &service,
        &quote("evt-2", TRIP, odd_rfq, odd_quote, 20, "8000", "EUR"),
    )
    .await;
    let row = text(
        &db.pool,
        "SELECT projected_id::text FROM avinode_ingest.quote_facts WHERE quote_id LIKE 'aquote-%'",
    )
    .await
    .unwrap();
    let session = session.to_string();
    for (id, what, named) in [
        (QUOTE, "quote", QUOTE),
        (odd_quote, "quote", odd_quote),
        (&row, "quote", QUOTE),
        ("ARFQ-12345678", "rfq", RFQ),
        (odd_rfq, "rfq", "r7"),
        ("a1b2c3", "trip", TRIP),
        (&delivery, "delivery", &delivery),
        (&session, "session", &session),
    ] {
        let output = run_on(&db, &["trace", id, "--json"]).await;
        assert_eq!(output.code, Some(0), "{id}: {}", output.all());
        let output = output.json();
        assert_eq!(output["target"], json!({"type": what, "id": named}), "{id}");
        let causes = output["causes"].as_array().unwrap();
        assert!(
            causes
                .iter()
                .any(|cause| cause["text"].as_str().unwrap().contains("counted for")),
            "{id}: {output}"
        );
    }

    // Messages have no facts of their own: they are found in the bodies.
    let sent = deliver(&db, &service, &message("evt-3", TRIP, MESSAGE, 30)).await;
    let output = trace(&db, MESSAGE).await;
    assert!(
        output.stdout.starts_with(&format!("message {MESSAGE}, trip {TRIP}\n"))
            && output.stdout.contains(&format!("received   delivery {sent}"))
            && output.stdout.contains(&format!(
                "cause  {MESSAGE}: stored as delivery {sent}, with the outcome applied: job "
            )),
        "{}",
        output.all()
    );
    let unsent = trace(&db, "asellermsg-99990001").await;
    assert_eq!(unsent.code, Some(1));
    assert!(
        unsent.stdout.starts_with("message asellermsg-99990001\n")
            && unsent.stdout.contains("nothing that names it was received"),
        "{}",
        unsent.all()
    );

    for word in ["nonsense", "NONSENSE", "whs-1"] {
        let unknown = trace(&db, word).await;
        assert_eq!(unknown.code, Some(1));
        assert!(
            unknown
                .stderr
                .contains(&format!("{word:?} is the id of nothing that is stored"))
                && unknown.stderr.contains("such as atrip-64956150 or A1B2C3"),
            "{}",
            unknown.all()
        );
        assert_eq!(unknown.stdout, "", "{word}");
    }
    let unknown = trace(&db, "00000000-0000-7000-8000-000000000000").await;
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("the id of nothing that is stored"),
        "{}",
        unknown.all()
    );
    let unknown = trace(&db, "aquote-1\u{1b}[2J").await;
    assert_eq!(unknown.code, Some(1));
    assert!(!unknown.all().contains('\u{1b}'), "{:?}", unknown.all());
    service.stop().await;
}
