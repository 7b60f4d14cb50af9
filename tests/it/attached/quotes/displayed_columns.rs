//! The columns of `quotes` that the application's interface shows, beside the offer. Some databases lack some of them.

use serde_json::{Value, json};

use super::setup::application_session;
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sessions::{SessionBuilder, view};
use crate::support::sql::text;

const TRIP: &str = "64956151";

/// Adds the columns of an application that shows everything.
async fn with_all_columns() -> Db {
    let db = Db::attached().await;
    db.run(
        "ALTER TABLE public.quotes ADD COLUMN schedule jsonb, ADD COLUMN availability jsonb, ADD COLUMN message_content text",
    )
    .await;
    db
}

fn described(quote_id: &str, seconds: i64, description: &Value) -> Value {
    let event = format!("evt-{quote_id}-{seconds}");
    let mut body = quote(&event, TRIP, "arfq-1", quote_id, seconds, "9000", "USD");
    let details = body["data"]["quote"].as_object_mut().unwrap();
    details.extend(description.as_object().unwrap().clone());
    body
}

fn complete() -> Value {
    json!({
        "aircraft": {"type": "Light Jet", "model": "Example 300", "tailNumber": "N1", "capacity": "7"},
        "schedule": {"departureTime": "2026-12-24T09:00:00", "arrivalTime": "2026-12-24T11:30:00-05:00"},
        "sellerMessage": "Catering is included.\r\nWe look forward to it.\u{7}",
    })
}

const SHOWN: &str =
    "SELECT jsonb_build_object('operator', operator_name, 'aircraft', aircraft_details, 'schedule', schedule,
        'message', message_content)::text
    FROM public.quotes WHERE avinode_quote_id = 'aquote-1'";

async fn shown(db: &Db) -> Value {
    serde_json::from_str(&text(&db.pool, SHOWN).await.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_shows_the_aircraft_the_schedule_the_message_and_the_company() {
    let expected = json!({
        "operator": "Northwind Jets",
        "aircraft": {"type": "Light Jet", "model": "Example 300", "capacity": 7},
        "schedule": {"departureTime": "2026-12-24T09:00:00", "arrivalTime": "2026-12-24T11:30:00-05:00"},
        "message": "Catering is included.\nWe look forward to it.",
    });
    // Ours first, then with a description; the application's first; everything known before the first projection.
    for poll_comes_first in [false, true] {
        let db = with_all_columns().await;
        if poll_comes_first {
            db.run(
                "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type,
                    avinode_quote_id, aircraft_details)
                 VALUES ('02000000-0000-4000-8000-000000000004', 'seller-1', 'A. Seller', 9000, 9000, 'Light Jet', 'aquote-1', NULL)",
            )
            .await;
        }
        receive(&db.pool, &[described("aquote-1", 0, &json!({}))]).await;
        receive(&db.pool, &[described("aquote-1", 1, &complete())]).await;
        assert_eq!(shown(&db).await, expected, "{poll_comes_first}");
        // A newer event without a description removes nothing.
        receive(
            &db.pool,
            &[described("aquote-1", 2, &json!({"aircraft": {"type": "Light Jet"}}))],
        )
        .await;
        assert_eq!(shown(&db).await, expected, "{poll_comes_first}");
        assert_eq!(view(&db.pool, application_session(6)).await.quotes_received_count, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_application_changed_stays_and_the_others_follow_avinode() {
    let db = with_all_columns().await;
    receive(&db.pool, &[described("aquote-1", 0, &complete())]).await;
    db.run(
        "UPDATE public.quotes
         SET aircraft_details = aircraft_details || '{\"capacity\": 5, \"wifi\": true}', message_content = 'By telephone',
            operator_name = 'Ours'
         WHERE avinode_quote_id = 'aquote-1'",
    )
    .await;
    let newer = json!({
        "aircraft": {"type": "Heavy Jet", "model": "Example 900", "capacity": 12},
        "schedule": {"departureTime": "2026-12-24T10:00:00", "arrivalTime": "2026-12-24T12:30:00"},
        "sellerMessage": "A bigger aircraft.",
    });
    receive(&db.pool, &[described("aquote-1", 10, &newer)]).await;
    assert_eq!(
        shown(&db).await,
        json!({
            "operator": "Ours",
            "aircraft": {"type": "Heavy Jet", "model": "Example 900", "capacity": 5, "wifi": true},
            "schedule": {"departureTime": "2026-12-24T10:00:00", "arrivalTime": "2026-12-24T12:30:00"},
            "message": "By telephone",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_these_columns_shows_the_rest() {
    let db = Db::attached().await;
    let bodies: Vec<Value> = (1..4)
        .map(|n| described(&format!("aquote-{n}"), n, &complete()))
        .collect();
    receive(&db.pool, &bodies).await;
    receive(
        &db.pool,
        &[described(
            "aquote-1",
            10,
            &json!({"totalPrice": {"amount": 9500, "currency": "USD"}}),
        )],
    )
    .await;
    let rows = "SELECT string_agg(concat_ws(' ', total_price, aircraft_details ->> 'capacity'), ', ' ORDER BY avinode_quote_id)
        FROM public.quotes WHERE request_id = '02000000-0000-4000-8000-000000000004'";
    assert_eq!(
        text(&db.pool, rows).await.as_deref(),
        Some("9500.00 6, 9000.00 7, 9000.00 7")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_that_was_created_for_standalone_use_shows_them_as_well() {
    let db = Db::new().await;
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive(&db.pool, &[described("aquote-1", 0, &complete())]).await;
    assert_eq!(
        shown(&db).await,
        json!({
            "operator": "Northwind Jets",
            "aircraft": {"type": "Light Jet", "model": "Example 300", "capacity": 7},
            "schedule": {"departureTime": "2026-12-24T09:00:00", "arrivalTime": "2026-12-24T11:30:00-05:00"},
            "message": "Catering is included.\nWe look forward to it.",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rows_are_read_by_the_types_of_the_applications_columns() {
    let db = with_all_columns().await;
    db.run(
        "CREATE DOMAIN public.shown AS jsonb CHECK (value IS NULL OR jsonb_typeof(value) = 'string');
         ALTER TABLE public.quotes ALTER COLUMN message_content TYPE public.shown USING NULL,
            ALTER COLUMN schedule TYPE json, ALTER COLUMN aircraft_details TYPE text,
            ALTER COLUMN operator_name TYPE char(20), ALTER COLUMN total_price TYPE float8",
    )
    .await;
    receive(
        &db.pool,
        &[
            described("aquote-1", 0, &complete()),
            described("aquote-2", 0, &complete()),
        ],
    )
    .await;
    let rows =
        "SELECT DISTINCT jsonb_build_object('operator', operator_name::text, 'aircraft', aircraft_details::jsonb,
            'schedule', schedule, 'message', message_content, 'total', total_price)::text
        FROM public.quotes WHERE avinode_quote_id IN ('aquote-1', 'aquote-2')";
    let row: Value = serde_json::from_str(&text(&db.pool, rows).await.unwrap()).unwrap();
    assert_eq!(
        row,
        json!({
            "operator": "Northwind Jets",
            "aircraft": {"type": "Light Jet", "model": "Example 300", "capacity": 7},
            "schedule": {"departureTime": "2026-12-24T09:00:00", "arrivalTime": "2026-12-24T11:30:00-05:00"},
            "message": "Catering is included.\nWe look forward to it.",
            "total": 9000,
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_too_long_for_its_column_is_refused_and_not_cut_off() {
    for kind in ["varchar(10)", "char(10)"] {
        let db = with_all_columns().await;
        db.run(&format!(
            "ALTER TABLE public.quotes ALTER COLUMN operator_name TYPE {kind} USING 'short'"
        ))
        .await;
        receive(&db.pool, &[described("aquote-1", 0, &complete())]).await;
        let reason = "SELECT projection_error FROM avinode_ingest.quote_facts WHERE quote_id = 'aquote-1'";
        let reason = text(&db.pool, reason).await.unwrap_or_default();
        assert!(reason.contains("too long"), "{kind}: {reason}");
    }
}
