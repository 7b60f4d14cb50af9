//! Malformed and hostile bodies: every verified JSON value is stored byte for byte and answered 200, and its job ends
//! applied or dead-lettered with a reason; a rejected body is not stored (guarantees 8 and 11).

use avinode_ingest::clock::Clock;
use avinode_ingest::service::ServiceSettings;
use avinode_ingest::store::admin::{self, DeliveryJobView};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bodies::{base, decline, message, quote, trip};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_bytes};
use crate::support::pool::Pool;
use crate::support::service::{RunningService, signer};
use crate::support::sessions::{SessionBuilder, view};
use crate::support::snapshot::live_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};

/// Receives deliveries without running workers.
fn receiving_only() -> ServiceSettings {
    ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    }
}

/// JSON texts, some of which a `serde_json::Value` cannot hold.
fn malformed() -> Vec<String> {
    let full = |data: &str| format!(r#"{{"event":"TripRequestSellerResponse","eventId":"odd","data":{data}}}"#);
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let long = "x".repeat(200_000);
    vec![
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        " \n\t7 ".to_owned(),
        "\u{feff}{}".to_owned(),
        r#""\ud800""#.to_owned(),
        r#"{"\u0000":"\u0000","event":"\u0000","eventId":"\udfff","data":{"\ud800":1}}"#.to_owned(),
        r#"{"id":"a\u0000b","href":"\u0000","type":"\u0000","tripId":"\u0000"}"#.to_owned(),
        format!(r#"{{"id":"{long}","href":"x"}}"#),
        format!(r#"{{"event":"{long}","data":{{}}}}"#),
        format!(r#"{{"{long}":1}}"#),
        format!("[{}]", "9".repeat(200_000)),
        format!(r#"{{"event":"X","eventId":"{long}","data":{{}}}}"#),
        full(r#"{"trip":{"id":"atrip-1"},"trip":{"id":"atrip-2"},"quote":{"id":"a"},"quote":{"id":"b"}}"#),
        full(&format!(r#"{{"trip":{{"id":"atrip-1"}},"quote":{{"id":"{long}"}}}}"#)),
        full(r#"{"trip":{"id":1e999999},"quote":{"id":123456789012345678901234567890}}"#),
        full(&format!(
            r#"{{"trip":{{"id":"1"}},"quote":{{"id":"q"}},"more":{}}}"#,
            nested("[", "]", 120)
        )),
        full(&nested("[", "]", 100_000)),
        full(&nested(r#"{"a":"#, "}", 30_000)),
        r#"{"event":"X","data":{"$serde_json::private::Number":"x"}}"#.to_owned(),
    ]
}

/// Asserts that the job of every delivery has ended with a readable outcome. Returns the number of dead jobs.
async fn assert_all_ended(pool: &Pool, deliveries: &[Uuid]) -> usize {
    assert_eq!(live_jobs(pool).await, 0);
    let mut dead = 0;
    for delivery in deliveries {
        let found = admin::delivery(pool, *delivery)
            .await
            .unwrap()
            .expect("the delivery is stored");
        for DeliveryJobView {
            kind, outcome, detail, ..
        } in found.jobs
        {
            match outcome.as_str() {
                "queued" => assert_eq!(kind, "fetch_notified"),
                "dead" => {
                    dead += 1;
                    assert!(detail.is_some_and(|reason| !reason.is_empty() && !reason.contains("attempts")));
                }
                "applied" | "nothing" | "ignored" | "duplicate" => assert!(detail.is_some()),
                other => panic!("{other}"),
            }
        }
    }
    dead
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verified_json_is_answered_200_stored_byte_for_byte_and_its_job_ends() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, receiving_only()).await;
    let mut stored = Vec::new();
    for body in malformed() {
        let (status, answer) = service.post(body.as_bytes()).await;
        let shown: String = body.chars().take(80).collect();
        assert_eq!(status, 200, "{shown}: {answer}");
        let delivery: Uuid = answer["delivery"].as_str().unwrap().parse().unwrap();
        let found = admin::delivery(&db.pool, delivery).await.unwrap().unwrap();
        assert!(found.body == body.as_bytes(), "{shown}");
        stored.push(delivery);
    }
    run_until_idle(&worker_at(&db.pool, Clock::System)).await;
    assert!(assert_all_ended(&db.pool, &stored).await > 10);
    service.stop().await;
}

/// Collects the JSON pointers of a value and its parts.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    if let Value::Object(parts) = value {
        for (key, part) in parts {
            pointers(part, &format!("{here}/{key}"), found);
        }
    }
}

/// Returns the event with another value at a JSON pointer.
fn with(event: &Value, pointer: &str, replacement: &str) -> Vec<u8> {
    const MARK: &str = "replaced here";
    let mut event = event.clone();
    *event.pointer_mut(pointer).unwrap() = json!(MARK);
    event
        .to_string()
        .replace(&format!("\"{MARK}\""), replacement)
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn any_part_of_any_event_can_be_any_value() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("7").insert(&db.pool).await;
    let mut declined = decline("e2", "atrip-7", "arfq-2", 1);
    declined["data"]["quote"] = json!({"id": "q2"});
    let mut quoted = quote("e1", "atrip-7", "arfq-1", "q1", 1, "10000", "USD");
    quoted["data"]["quote"]["validUntil"] = json!("2030-01-01T00:00:00Z");
    quoted["data"]["quote"]["aircraft"]["tailNumber"] = json!("N1");
    let events = [
        quoted,
        declined,
        trip("e3", "atrip-7", "arfq-3", "created", 1),
        trip("e4", "atrip-7", "arfq-4", "cancelled", 1),
        message("e5", "atrip-7", "m5", 1),
    ];
    let long = format!("\"{}\"", "é\\u0000".repeat(5_000));
    let values = [
        "null",
        "true",
        "[]",
        "{}",
        r#""""#,
        r#"" ""#,
        r#""\u0000""#,
        r#""\ud800\t\u001b""#,
        "-0",
        "1e400",
        "0.1",
        r#""9999-12-31T23:59:59.999999999Z""#,
        r#"[[{"id":"x"}]]"#,
        "1e15",
        "999999999999999.99",
        r#""-1e-28""#,
        &long,
    ];
    let mut bodies = Vec::new();
    for event in &events {
        let mut found = Vec::new();
        pointers(event, "", &mut found);
        for pointer in found {
            bodies.extend(values.iter().map(|value| with(event, &pointer, value)));
        }
    }
    let stored = store_bytes(&db.pool, &bodies, base()).await;
    receive(
        &db.pool,
        &[quote("last", "atrip-7", "arfq-9", "q-last", 9, "9000", "USD")],
    )
    .await;
    let dead = assert_all_ended(&db.pool, &stored).await;
    assert!(dead > 100 && dead < stored.len() / 2, "{dead} of {} died", stored.len());
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q-last"),
        "malformed events do not prevent later ones"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_body_is_not_stored() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, receiving_only()).await;
    let url = format!("{}/webhooks/avinode", service.base);
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    let good = quote("e1", "atrip-7", "arfq-1", "q1", 1, "10000", "USD").to_string();
    let signed = |body: &str| signer().sign("msg_test", body.as_bytes(), Clock::System.now());
    let late = signer().sign(
        "msg_test",
        good.as_bytes(),
        Clock::System.now() - chrono::Duration::hours(1),
    );
    let huge = format!("\"{}\"", "x".repeat(300_000));
    let mut rejected = vec![
        ("unsigned", 401, good.clone(), vec![]),
        ("signed for another body", 401, good.clone(), signed("{}")),
        ("a byte more", 401, format!("{good} "), signed(&good)),
        ("not JSON", 400, "{".to_owned(), signed("{")),
        ("empty", 400, String::new(), signed("")),
        ("two values", 400, "{} {}".to_owned(), signed("{} {}")),
        ("too large", 413, huge.clone(), signed(&huge)),
    ];
    // Only a signature with a timestamp can expire.
    let has_time = late.iter().any(|(_, value)| value.starts_with("t="));
    rejected.extend(has_time.then(|| ("signed an hour ago", 401, good.clone(), late)));
    for (what, expected, body, headers) in rejected {
        let mut request = client.post(&url).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{what}");
        let stored = count(
            &db.pool,
            "SELECT (SELECT count(*) FROM avinode_ingest.deliveries) + (SELECT count(*) FROM avinode_ingest.jobs)",
        )
        .await;
        assert_eq!(stored, 0, "{what}");
    }
    assert_eq!(service.post(good.as_bytes()).await.0, 200, "the same body, signed");
    service.stop().await;
}
