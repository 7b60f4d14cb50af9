//! A quote that no session shows, for each cause: `trace` names it in one line.

use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::{QUOTE, RFQ, TRIP, cause, causes, deliver, done, post_signed_with, trace};
use crate::attached::trust::setup::brokers;
use crate::fetching::setup::punctual;
use crate::privacy::story::places_of;
use crate::support::PATIENCE;
use crate::support::bodies::{event, quote};
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;

const REJECTED: &str = "SELECT count(*) FROM avinode_ingest.rejected_requests";

/// The cause has times, all of them as in the lists: `2026-11-30T00:32:14Z`.
fn has_plain_times(cause: &str) -> bool {
    let is_time = |word: &&str| word.starts_with("20") && word.contains(':');
    let times: Vec<&str> = cause.split([' ', ';', ',']).filter(is_time).collect();
    let is_plain = |time: &str| {
        let time = time.trim_end_matches(':');
        time.len() == 20 && time.ends_with('Z')
    };
    !times.is_empty() && times.into_iter().all(is_plain)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_refused_by_its_signature() {
    let db = Db::new().await;
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let nothing = trace(&db, QUOTE).await;
    assert_eq!(nothing.code, Some(1), "{}", nothing.all());
    assert!(
        nothing.stdout.contains("nothing that names it was received"),
        "{}",
        nothing.all()
    );

    let body = quote("evt-1", TRIP, RFQ, QUOTE, 10, "9000", "EUR");
    for _ in 0..2 {
        assert_eq!(
            post_signed_with(&service, "the-secret-of-another-sender", &body).await,
            401
        );
    }
    let stored = "SELECT coalesce(sum(times), 0)::bigint FROM avinode_ingest.rejected_requests";
    eventually(PATIENCE, "the sample is stored", async || {
        equal(count(&db.pool, stored).await, 2)
    })
    .await;
    assert_eq!(
        count(&db.pool, REJECTED).await,
        1,
        "a sender that tries again makes one row"
    );
    let cause = cause(&db, QUOTE).await;
    assert!(
        cause.starts_with(&format!(
            "{QUOTE}: nothing that names it was received; 2 requests were refused without being read since "
        )) && cause.contains("secret"),
        "{cause}"
    );
    assert!(has_plain_times(&cause), "{cause}");
    // Of the body there is nothing.
    for text in [QUOTE, "Northwind", "evt-1", "9000", "seller-1"] {
        assert_eq!(
            places_of(&db.pool, "avinode_ingest", text).await,
            Vec::<String>::new(),
            "{text}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_whose_request_was_refused_before_its_body_was_read() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let body = quote("evt-1", TRIP, RFQ, QUOTE, 10, "9000", "EUR").to_string();
    let url = format!("{}/webhooks/avinode", service.base);
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    let unsigned = client.post(&url).body(body).send().await.unwrap();
    assert_eq!(unsigned.status().as_u16(), 401);
    eventually(PATIENCE, "the sample is stored", async || {
        equal(count(&db.pool, REJECTED).await, 1)
    })
    .await;
    let cause = cause(&db, QUOTE).await;
    assert!(
        cause.starts_with(&format!(
            "{QUOTE}: nothing that names it was received; 1 request was refused without being read since "
        )),
        "{cause}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_stored_and_dead_lettered() {
    let db = Db::new().await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let data = json!({"trip": {"id": TRIP}, "quote": {"id": QUOTE}, "request": {"id": RFQ}});
    let delivery = deliver(&db, &service, &event("TripSomethingNew", "evt-1", 10, data)).await;
    let cause = cause(&db, QUOTE).await;
    let expected = format!("{QUOTE}: stored as delivery {delivery} and dead-lettered: job ");
    assert!(
        cause.starts_with(&expected)
            && cause.contains(r#"unknown event kind "TripSomethingNew""#)
            && cause.contains("jobs retry"),
        "{cause}"
    );
    // By its other ids as well.
    for id in [RFQ, TRIP, &delivery] {
        let causes = causes(&db, id).await;
        assert!(
            causes[0].contains("dead-lettered") && causes.len() == 1,
            "{id}: {causes:?}"
        );
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_no_worker_has_read() {
    let db = Db::new().await;
    let receives = ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, receives).await;
    let body = quote("evt-1", TRIP, RFQ, QUOTE, 10, "9000", "EUR");
    let (status, answer) = service.post(&serde_json::to_vec(&body).unwrap()).await;
    assert_eq!(status, 200);
    let delivery = answer["delivery"].as_str().unwrap();
    let cause = cause(&db, QUOTE).await;
    let expected = format!("{QUOTE}: stored as delivery {delivery}, and waits in the queue: job ");
    assert!(cause.starts_with(&expected), "{cause}");
    // Not found by a part of its id.
    assert_eq!(trace(&db, &QUOTE[..QUOTE.len() - 1]).await.code, Some(1));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_counted_for_another_session() {
    let db = Db::new().await;
    let expecting = SessionBuilder::new().insert(&db.pool).await;
    let other = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    deliver(&db, &service, &quote("evt-1", TRIP, RFQ, QUOTE, 10, "9000", "EUR")).await;
    let of_quote = cause(&db, QUOTE).await;
    let expected = format!("{QUOTE}: counted for session {other} (active, has trip {TRIP}); shown in quotes as row ");
    assert!(of_quote.starts_with(&expected), "{of_quote}");
    let of_other = causes(&db, &other.to_string()).await;
    let counted = of_other
        .iter()
        .find(|cause| cause.contains(": counted for this session at "));
    assert!(counted.is_some_and(|cause| has_plain_times(cause)), "{of_other:?}");
    let of_session = cause(&db, &expecting.to_string()).await;
    assert!(of_session.contains("neither a trip id nor an RFQ id"), "{of_session}");

    // The session gets the trip, and the other one another trip.
    db.run(&format!(
        "UPDATE public.chat_sessions SET avinode_trip_id = 'Z9Y8X7' WHERE id = '{other}';
         UPDATE public.chat_sessions SET avinode_trip_id = '{TRIP}' WHERE id = '{expecting}'"
    ))
    .await;
    done(&db).await;
    let of_quote = cause(&db, QUOTE).await;
    assert!(
        of_quote.contains(&format!("session {other} (active, has another trip by now: Z9Y8X7)"))
            && of_quote.contains(&format!("session {expecting} (active, has trip {TRIP})")),
        "{of_quote}"
    );
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_fetched_and_not_received() {
    let (db, avinode) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    let resource = format!("quotes/{QUOTE}");
    avinode.show(
        &resource,
        json!({"id": QUOTE, "sellerPrice": {"price": 38_650, "currency": "USD"}, "avinodeGenerated": true}),
    );
    let settings = ServiceSettings {
        avinode: Some(punctual(avinode.settings(100.0, 100))),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let delivery = deliver(&db, &service, &avinode.thin(&resource, Some(TRIP))).await;
    let cause = cause(&db, QUOTE).await;
    assert!(
        cause.starts_with(&format!(
            "{QUOTE}: fetched and not received: Avinode generated this price"
        )),
        "{cause}"
    );
    // The notification leads to the document, and that to the quote.
    let output = trace(&db, &delivery).await.stdout;
    for step in [
        format!("received   delivery {delivery}"),
        format!("fetched    {resource} as document "),
        format!("trip {TRIP}, quote {QUOTE}"),
        format!("(fetch_notified of {QUOTE})"),
    ] {
        assert!(output.contains(&step), "{step}: {output}");
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_applied_and_not_projected() {
    const DISPUTED: &str = "5550001";
    let (db, bob, mallory) = brokers().await;
    for broker in [&bob, &mallory] {
        broker.update(&db, &format!("avinode_trip_id = '{DISPUTED}'")).await;
    }
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    deliver(&db, &service, &quote("evt-1", DISPUTED, RFQ, QUOTE, 10, "9000", "EUR")).await;
    let of_quote = cause(&db, QUOTE).await;
    assert!(
        of_quote.starts_with(&format!(
            "{QUOTE}: applied and not shown: trip atrip-{DISPUTED} is withheld from session "
        )) && of_quote.contains(&bob.session.to_string())
            && of_quote.contains("other agents claim it"),
        "{of_quote}"
    );
    let of_session = &causes(&db, &bob.session.to_string()).await[0];
    assert!(of_session.contains("is withheld from it"), "{of_session}");

    // Without a price there is no row either.
    let unpriced = "aquote-386512792";
    SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    deliver(&db, &service, &quote("evt-2", TRIP, "arfq-2", unpriced, 20, "0", "EUR")).await;
    let of_quote = cause(&db, unpriced).await;
    assert!(
        of_quote.contains("; not shown: it has no price that the column of quotes can hold"),
        "{of_quote}"
    );
    service.stop().await;
}
