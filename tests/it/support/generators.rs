//! A small world of trips and sessions, and generated deliveries about it: few ids and times, so that they meet.

use avinode_ingest::store::demo_data::{self, NewSession};
use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies::{at, base, event};
use super::pool::Pool;

/// A body and when it was received.
pub type Sent = (Value, DateTime<Utc>);

/// The moment at which everything in this world is decided; some quotes have expired by then.
pub fn now() -> DateTime<Utc> {
    base() + Duration::seconds(50)
}

/// The trips, each in several spellings. The last one has no session.
const TRIPS: [&[&str]; 4] = [
    &["64956150", "atrip-64956150", "ATRIP-64956150", " atrip-64956150 "],
    &["A1B2C3", "a1b2c3", "\ta1B2c3"],
    &["atrip-777", "777"],
    &["Z9Y8X7"],
];

/// The session that gets its trip id at the end of [`sessions`], or later: its trip is this one.
pub const LATE_TRIP: &str = " Atrip-777";

/// The sessions: several on one trip, each status, with and without a request, a base count, a step of the
/// application's own. Returns the id of the one that has no trip id yet.
pub async fn sessions(pool: &Pool) -> Uuid {
    let mut late = Uuid::nil();
    for (name, trip, has_request, status, step, counts) in [
        (
            "a first",
            Some("64956150"),
            true,
            "active",
            Some("understanding_request"),
            [0, 0, 0],
        ),
        ("a paused", Some("ATRIP-64956150 "), false, "paused", None, [0, 3, 1]),
        (
            "a completed",
            Some("atrip-64956150"),
            true,
            "completed",
            Some("searching_aircraft"),
            [1, 0, 0],
        ),
        (
            "a based",
            Some(" a1b2c3"),
            true,
            "active",
            Some("waiting_for_client"),
            [5, 2, 1],
        ),
        ("an archived", Some("A1B2C3"), false, "archived", None, [0, 0, 0]),
        (
            "an aimless",
            None,
            true,
            "active",
            Some("understanding_request"),
            [0, 0, 0],
        ),
        ("a late", None, true, "active", Some("proposal_ready"), [0, 0, 0]),
    ] {
        let new = NewSession {
            name: name.to_owned(),
            trip_id: trip.map(str::to_owned),
            has_request,
            status: status.to_owned(),
            current_step: step.map(str::to_owned),
            counts,
        };
        late = demo_data::session(pool, &new).await.unwrap();
    }
    // Before anything that happens in this world, so that activity shows.
    sqlx::query("UPDATE public.chat_sessions SET last_activity_at = $1")
        .bind(base() + Duration::seconds(3))
        .execute(pool)
        .await
        .unwrap();
    late
}

fn spelt(trip: usize) -> impl Strategy<Value = &'static str> {
    prop::sample::select(TRIPS[trip])
}

/// Name and data of an event of the trip with this number.
fn said(trip: usize) -> impl Strategy<Value = (&'static str, Value)> {
    let rfq = move |number: u8| json!({"id": format!("arfq-{trip}{number}")});
    let quote_id = move |number: u8| format!("aquote-{trip}{number}");
    let quoted = (
        0..4_u8,
        prop::option::weighted(0.9, 0..3_u8),
        prop::option::weighted(0.8, (1..5_u32, prop::sample::select(&["USD", "EUR"][..]))),
        prop::option::weighted(0.3, prop::sample::select(&[20, 50, 3_651, 7_290][..])),
        0..3_u8,
    )
        .prop_map(move |(quote, request, price, until, operator)| {
            let mut data = json!({
                "request": {"status": "quoted"},
                "seller": {"companyId": format!("c{operator}"), "name": format!("Operator {operator}")},
                "quote": {"id": quote_id(quote), "aircraft": {"type": "Light Jet"}},
            });
            if let Some(number) = request {
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
    let declined = (0..3_u8, prop::option::weighted(0.4, 0..4_u8)).prop_map(move |(request, quote)| {
        let mut data = json!({"request": rfq(request), "declineReason": "NO"});
        data["request"]["status"] = json!("declined");
        if let Some(number) = quote {
            data["quote"] = json!({"id": quote_id(number)});
        }
        ("TripRequestSellerResponse", data)
    });
    let quote_declined =
        (0..4_u8).prop_map(move |quote| ("TripQuoteDeclined", json!({"quote": {"id": quote_id(quote)}})));
    let message = (0..3_u8).prop_map(move |id| {
        (
            "TripChatFromSeller",
            json!({"message": {"id": format!("amsg-{trip}{id}")}}),
        )
    });
    let action = prop::sample::select(&["created", "created", "updated", "cancelled", "expired"][..]);
    let requested = (0..3_u8, action)
        .prop_map(move |(request, action)| ("TripRequestMine", json!({"request": rfq(request), "action": action})));
    prop_oneof![6 => quoted, 2 => declined, 1 => quote_declined, 1 => message, 4 => requested]
}

/// An event without its id: its time may be missing, equal another's, or lie ahead of when it was received.
fn one() -> impl Strategy<Value = Sent> {
    let trip = prop::sample::select(&[0_usize, 0, 0, 1, 1, 2, 2, 3][..]);
    let told = trip.prop_flat_map(|trip| (spelt(trip), said(trip)));
    (told, prop::option::weighted(0.85, 0..10_i64), 4..14_i64).prop_map(
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

/// Deliveries: each event under an id of its own, and some of them again under another.
pub fn deliveries() -> impl Strategy<Value = Vec<Sent>> {
    prop::collection::vec((one(), prop::bool::weighted(0.15)), 8..26).prop_map(|events| {
        let mut sent = Vec::new();
        for (number, ((body, received_at), twice)) in events.into_iter().enumerate() {
            for name in [format!("evt-{number}"), format!("evt-{number}-again")]
                .iter()
                .take(1 + usize::from(twice))
            {
                let mut body = body.clone();
                body["eventId"] = json!(name);
                sent.push((body, received_at));
            }
        }
        sent
    })
}

/// Runs a property of the database on generated input, a few times: a case costs databases of its own.
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
        Err(TestError::Fail(why, input)) => panic!("{why}\nwith {input:?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
