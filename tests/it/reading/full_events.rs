//! Full events: parts that are not understood, the kinds of the reference, texts and prices.

use serde_json::{Value, json};

use crate::support::bodies::{at, event, message, quote};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::{dead_jobs, dead_reasons};
use crate::support::sql::{count, text};

const OUTCOMES: &str =
    "SELECT string_agg(outcome || ': ' || detail, E'\\n' ORDER BY job_id) FROM avinode_ingest.outcomes
    WHERE kind IN ('full_event', 'fetch_notified')";
const DETAILS: &str = "SELECT jsonb_agg(kind || ' ' || detail::text ORDER BY seq)::text FROM avinode_ingest.timeline";

fn quoted(part: &str, value: Value) -> Value {
    let mut body = quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 0, "10000", "USD");
    body["data"]["quote"][part] = value;
    body
}

async fn outcome(db: &Db) -> String {
    text(&db.pool, OUTCOMES).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_was_sent_and_not_understood_is_in_the_outcome_and_in_check() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(output.status("content"), "ok");
    receive(&db.pool, &[quoted("validUntil", json!("tomorrow"))]).await;
    assert_eq!(quote_count(&db.pool, session).await, 1, "the other parts count");
    let outcome = outcome(&db).await;
    assert!(
        outcome.ends_with("; not understood: data.quote.validUntil \"tomorrow\""),
        "{outcome}"
    );
    let (status, words) = check(&[("DATABASE_URL", &db.url())]).await.of("content");
    assert_eq!(status, "warning");
    assert!(
        words.contains("parts of 1 deliveries or documents") && words.contains("data.quote.validUntil \"tomorrow\""),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_alone_ends_a_quote_with_that_day_and_every_form_of_a_time_is_read() {
    let db = Db::new().await;
    let mut body = quoted("validUntil", json!("2030-01-31"));
    body["timestamp"] = json!(1_780_000_001_000_i64);
    receive(&db.pool, &[body]).await;
    let facts =
        "SELECT valid_until::text || ' ' || extract(epoch FROM fact_at)::bigint FROM avinode_ingest.quote_facts";
    assert_eq!(
        text(&db.pool, facts).await.as_deref(),
        Some("2030-01-31 23:59:59.999999+00 1780000001")
    );
    assert!(!outcome(&db).await.contains("not understood"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_not_understood_is_never_another_number_and_shows_in_the_timeline() {
    for (part, value, words) in [
        (
            "totalPrice",
            json!({"amount": "12,000.50", "currency": "USD"}),
            r#"totalPrice.amount \"12,000.50\""#,
        ),
        ("grandTotal", json!(12_000), r#"grandTotal \"12000\""#),
    ] {
        let db = Db::new().await;
        SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
        let mut body = quoted(part, value);
        if part != "totalPrice" {
            body["data"]["quote"].as_object_mut().unwrap().remove("totalPrice");
        }
        receive(&db.pool, &[body]).await;
        let known = "SELECT count(amount) FROM avinode_ingest.quote_facts";
        assert_eq!(count(&db.pool, known).await, 0);
        let detail = "SELECT detail::text FROM avinode_ingest.timeline WHERE kind = 'quote_received'";
        let detail = text(&db.pool, detail).await.unwrap();
        assert!(
            detail.contains(&format!(r#""price_not_understood": "{words}""#)),
            "{detail}"
        );
        assert!(outcome(&db).await.contains("not understood: data.quote."));
        // A session that gets the trip later shows it as well: it is a fact.
        let later = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
        crate::support::worker::run_jobs(&db.pool).await;
        let detail = "SELECT string_agg(detail->>'price_not_understood', '') FROM avinode_ingest.timeline
            WHERE session_id = (SELECT id FROM public.chat_sessions ORDER BY created_at DESC, id DESC LIMIT 1)";
        assert!(text(&db.pool, detail).await.is_some(), "{later}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_read_exactly_and_rounded_half_even_for_the_column() {
    let db = Db::new().await;
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let prices = ["10000.125", "10000.135", "10000.1250001"];
    let bodies: Vec<Value> = prices
        .iter()
        .enumerate()
        .map(|(n, price)| {
            let (event, id) = (format!("evt-{n}"), format!("aquote-{n}"));
            quote(&event, "A1B2C3", "arfq-1", &id, 0, price, "USD")
        })
        .collect();
    receive(&db.pool, &bodies).await;
    let exact = "SELECT string_agg(amount::text, ' ' ORDER BY quote_id) FROM avinode_ingest.quote_facts";
    assert_eq!(text(&db.pool, exact).await, Some(prices.join(" ")));
    let shown = "SELECT string_agg(total_price::text, ' ' ORDER BY avinode_quote_id) FROM public.quotes";
    assert_eq!(
        text(&db.pool, shown).await.as_deref(),
        Some("10000.12 10000.14 10000.13")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_id_with_a_fraction_is_a_dead_job_that_says_so() {
    let db = Db::new().await;
    let mut flat = event("TripCancelled", "evt-1", 0, json!({}));
    flat["data"]["tripId"] = json!(7015.0);
    let thin = json!({"id": "arfq-1", "href": "https://sandbox.avinode.com/api/rfqs/arfq-1", "type": "rfqs", "tripId": 7015.0});
    receive(&db.pool, &[flat, thin]).await;
    let reasons = dead_reasons(&db.pool).await;
    assert_eq!(
        reasons,
        [
            "data.tripId is the number 7015.0: an id is a text or a whole number",
            "tripId is the number 7015.0: an id is a text or a whole number"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_event_without_a_meaning_for_sessions_completes_as_ignored() {
    let db = Db::new().await;
    let names = [
        "EmptyLegs",
        "EmptyLegCreatedMine",
        "EmptyLegUpdatedMine",
        "EmptyLegDeletedMine",
        "ClientLeads",
    ];
    let body = |name: &&str| event(name, name, 0, json!({"emptyLeg": {"id": "aleg-1"}}));
    let mut bodies: Vec<Value> = names.iter().map(body).collect();
    bodies.push(event("TripSomethingNew", "evt-new", 0, json!({})));
    receive(&db.pool, &bodies).await;
    let ignored = "SELECT count(*) FROM avinode_ingest.outcomes WHERE outcome = 'ignored'";
    assert_eq!(count(&db.pool, ignored).await, 5);
    assert!(
        outcome(&db)
            .await
            .contains("ignored: EmptyLegs has no meaning for sessions")
    );
    assert_eq!(
        dead_reasons(&db.pool).await,
        ["unknown event kind \"TripSomethingNew\""]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_quote_is_a_fact_and_a_timeline_entry_and_counts_nothing() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let accepted = |id: &str, seconds| {
        let data = json!({"tripId": "A1B2C3", "quote": {"id": "aquote-1"}, "request": {"id": "arfq-1"}});
        event("TripQuoteAccepted", id, seconds, data)
    };
    receive(&db.pool, &[accepted("evt-8", 9), accepted("evt-9", 5)]).await;
    assert_eq!(quote_count(&db.pool, session).await, 0);
    let fact = "SELECT accepted || ' ' || received || ' ' || to_char(accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')
        FROM avinode_ingest.quote_facts";
    let time = at(5);
    assert_eq!(
        text(&db.pool, fact).await,
        Some(format!("true false {}", time.split('.').next().unwrap()))
    );
    let details = text(&db.pool, DETAILS).await.unwrap();
    assert_eq!(details.matches("quote_accepted").count(), 1, "{details}");
    // The fact stays when a later fact writes the quote.
    receive(&db.pool, &[quoted("validUntil", Value::Null)]).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert!(text(&db.pool, fact).await.unwrap().starts_with("true true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_a_message_is_in_the_timeline() {
    let db = Db::new().await;
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let mut body = message("evt-1", "A1B2C3", "asellermsg-1", 0);
    body["data"]["message"]["content"] = json!("Two lines\nand a \u{1b}[2J bell\u{7}");
    receive(&db.pool, &[body]).await;
    let detail = "SELECT detail->>'text' FROM avinode_ingest.timeline WHERE kind = 'message_received'";
    assert_eq!(
        text(&db.pool, detail).await.as_deref(),
        Some("Two lines and a [2J bell")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn data_within_data_is_a_dead_job_that_says_so() {
    let db = Db::new().await;
    let mut body = quoted("validUntil", Value::Null);
    body["data"] = json!({"data": body["data"]});
    let mut without = quoted("validUntil", Value::Null);
    without.as_object_mut().unwrap().remove("data");
    without["eventId"] = json!("evt-2");
    receive(&db.pool, &[body, without]).await;
    assert_eq!(
        dead_reasons(&db.pool).await,
        [
            "the data of the event contains another data object: its content is expected directly in data",
            "the event \"TripRequestSellerResponse\" has no data object"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotes_event_states_its_quote_and_waits_for_no_fetch_where_no_process_can_fetch() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let data = |id: &str| {
        let price = json!({"amount": 5_000, "currency": "USD"});
        json!({"tripId": "A1B2C3", "quote": {"id": id, "price": price}})
    };
    let bodies = [
        event("Quotes", "evt-1", 0, data("aquote-1")),
        event("QuotedTrips", "evt-2", 0, data("aquote-2")),
    ];
    receive(&db.pool, &bodies).await;
    assert_eq!(
        (quote_count(&db.pool, session).await, dead_jobs(&db.pool).await),
        (2, 0)
    );
    let fetches = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'fetch_follow_up'";
    assert_eq!(count(&db.pool, fetches).await, 0);
}
