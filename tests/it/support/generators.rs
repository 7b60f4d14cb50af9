//! A few trips and sessions, and generated deliveries about them: few ids and times, so that they meet.

use avinode_ingest::avinode::full_event;
use avinode_ingest::avinode::notification::Notification;
use avinode_ingest::domain::event::EventKind;
use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies::{at, base, event};
use super::pool::Pool;
use super::sessions::SessionBuilder;

/// A body, and the time at which it was received.
pub type ReceivedBody = (Value, DateTime<Utc>);

/// The workers' time; some quotes have expired by then.
pub fn now() -> DateTime<Utc> {
    base() + Duration::seconds(50)
}

/// The spellings of each trip id. The last trip has no session.
const TRIPS: [&[&str]; 4] = [
    &["64956150", "atrip-64956150", "ATRIP-64956150", " atrip-64956150 "],
    &["A1B2C3", "a1b2c3", "\ta1B2c3"],
    &["atrip-777", "777"],
    &["Z9Y8X7"],
];

/// The trip id that the last session of [`sessions`] gets later.
pub const LATE_TRIP: &str = " Atrip-777";

/// Inserts the sessions: several on one trip, every status, with and without a request, with an initial count, with a step
/// of the application's own. Returns the id of the one that gets its trip id later.
pub async fn sessions(pool: &Pool) -> Uuid {
    let mut late = Uuid::nil();
    for (name, trip, has_request, status, step, counts) in [
        (
            "first",
            Some("64956150"),
            true,
            "active",
            Some("understanding_request"),
            [0, 0, 0],
        ),
        ("paused", Some("ATRIP-64956150 "), false, "paused", None, [0, 3, 1]),
        (
            "completed",
            Some("atrip-64956150"),
            true,
            "completed",
            Some("searching_aircraft"),
            [1, 0, 0],
        ),
        (
            "with initial counts",
            Some(" a1b2c3"),
            true,
            "active",
            Some("waiting_for_client"),
            [5, 2, 1],
        ),
        ("archived", Some("A1B2C3"), false, "archived", None, [0, 0, 0]),
        (
            "without trip id",
            None,
            true,
            "active",
            Some("understanding_request"),
            [0, 0, 0],
        ),
        ("late trip id", None, true, "active", Some("proposal_ready"), [0, 0, 0]),
    ] {
        let session = SessionBuilder::new()
            .subject(name)
            .trip(trip)
            .status(status)
            .step(step)
            .counts(counts);
        let session = if has_request {
            session
        } else {
            session.without_request()
        };
        late = session.insert(pool).await;
    }
    // Before all generated events, so that activity changes it.
    sqlx::query("UPDATE public.chat_sessions SET last_activity_at = $1")
        .bind(base() + Duration::seconds(3))
        .execute(pool)
        .await
        .unwrap();
    late
}

fn spelling(trip: usize) -> impl Strategy<Value = &'static str> {
    prop::sample::select(TRIPS[trip])
}

/// Name and data of an event of the trip with this number.
fn name_and_data(trip: usize) -> impl Strategy<Value = (&'static str, Value)> {
    let rfq = move |number: u8| json!({"id": format!("arfq-{trip}{number}")});
    let quote_id = move |number: u8| format!("aquote-{trip}{number}");
    let quoted = (
        0..4_u8,
        prop::option::weighted(0.9, 0..3_u8),
        prop::option::weighted(0.8, (1..5_u32, prop::sample::select(&["USD", "EUR"][..]))),
        prop::option::weighted(0.3, prop::sample::select(&[20, 50, 3_651, 7_290][..])),
        0..3_u8,
    )
        .prop_map(move |(quote, rfq_number, price, until, operator)| {
            let mut data = json!({
                "request": {"status": "quoted"},
                "seller": {"companyId": format!("c{operator}"), "name": format!("Operator {operator}")},
                "quote": {"id": quote_id(quote), "aircraft": {"type": "Light Jet"}},
            });
            if let Some(number) = rfq_number {
                data["request"]["id"] = rfq(number)["id"].clone();
            }
            if let Some((amount, currency)) = price {
                data["quote"]["totalPrice"] = json!({"amount": amount * 5_000, "currency": currency});
            }
            if let Some(seconds) = until {
                data["quote"]["validUntil"] = json!(at(seconds));
            }
            ("TripRequestSellerResponse", data)
        });
    let declined = (0..3_u8, prop::option::weighted(0.4, 0..4_u8)).prop_map(move |(number, quote)| {
        let mut data = json!({"request": rfq(number), "declineReason": "NO"});
        data["request"]["status"] = json!("declined");
        if let Some(number) = quote {
            data["quote"] = json!({"id": quote_id(number)});
        }
        ("TripRequestSellerResponse", data)
    });
    let quote_declined =
        (0..4_u8).prop_map(move |quote| ("TripQuoteDeclined", json!({"quote": {"id": quote_id(quote)}})));
    let accepted = (0..4_u8).prop_map(move |quote| ("TripQuoteAccepted", json!({"quote": {"id": quote_id(quote)}})));
    let message = (0..3_u8).prop_map(move |id| {
        (
            "TripChatFromSeller",
            json!({"message": {"id": format!("amsg-{trip}{id}")}}),
        )
    });
    let action = prop::sample::select(&["created", "created", "updated", "cancelled", "expired"][..]);
    let requested = (0..3_u8, action)
        .prop_map(move |(number, action)| ("TripRequestMine", json!({"request": rfq(number), "action": action})));
    let cancelled = Just(("TripCancelled", json!({})));
    prop_oneof![6 => quoted, 2 => declined, 1 => quote_declined, 1 => accepted, 1 => message, 4 => requested, 1 => cancelled]
}

/// An event without its id. Its time may be missing, equal another event's, or be later than the time at which it was
/// received.
fn one() -> impl Strategy<Value = ReceivedBody> {
    let trip = prop::sample::select(&[0_usize, 0, 0, 1, 1, 2, 2, 3][..]);
    let content = trip.prop_flat_map(|trip| (spelling(trip), name_and_data(trip)));
    (content, prop::option::weighted(0.85, 0..10_i64), 4..14_i64).prop_map(
        |((trip, (kind, mut data)), seconds, received)| {
            data["trip"] = json!({"id": trip});
            let mut body = event(kind, "", seconds.unwrap_or(0), data);
            if seconds.is_none() {
                body.as_object_mut().unwrap().remove("timestamp");
            }
            (body, base() + Duration::seconds(received))
        },
    )
}

/// Deliveries: each event has an id of its own, and some events are repeated with another id.
pub fn deliveries() -> impl Strategy<Value = Vec<ReceivedBody>> {
    prop::collection::vec((one(), prop::bool::weighted(0.15)), 8..26).prop_map(|events| {
        let mut bodies = Vec::new();
        for (number, ((body, received_at), twice)) in events.into_iter().enumerate() {
            for name in [format!("evt-{number}"), format!("evt-{number}-again")]
                .iter()
                .take(1 + usize::from(twice))
            {
                let mut body = body.clone();
                body["eventId"] = json!(name);
                bodies.push((body, received_at));
            }
        }
        bodies
    })
}

/// Checks a property on generated input, a few times only: each case needs databases of its own.
pub fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value)) {
    let config = Config {
        cases,
        max_shrink_iters: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |input| {
        property(input);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => panic!("{reason}\nwith {input:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

#[test]
fn the_generator_makes_every_event_kind_that_a_full_event_can_state() {
    let mut runner = TestRunner::deterministic();
    let bodies = (0..50).flat_map(|_| deliveries().new_tree(&mut runner).unwrap().current());
    let mut counts = [("", 0); 7];
    for (body, _) in bodies {
        let Ok(Notification::Full(full)) = Notification::parse(body.to_string().as_bytes()) else {
            panic!("{body}")
        };
        for event in full_event::events(&full, base()).unwrap() {
            let (place, name) = match event.kind {
                EventKind::QuoteReceived(_) => (0, "QuoteReceived"),
                EventKind::RfqDeclined { .. } => (1, "RfqDeclined"),
                EventKind::MessageReceived { .. } => (2, "MessageReceived"),
                EventKind::TripRequested { .. } => (3, "TripRequested"),
                EventKind::TripChanged { .. } => (4, "TripChanged"),
                EventKind::QuoteAccepted { .. } => (5, "QuoteAccepted"),
                EventKind::RfqCancelled { .. } => (6, "RfqCancelled"),
                // Only documents state these; the generators in `src` make them.
                EventKind::QuoteObserved(_) | EventKind::QuoteReaffirmed { .. } | EventKind::QuoteOrigin { .. } => {
                    panic!("{event:?}")
                }
            };
            counts[place] = (name, counts[place].1 + 1);
        }
    }
    assert!(counts.iter().all(|(_, count)| *count > 0), "generated: {counts:?}");
}
