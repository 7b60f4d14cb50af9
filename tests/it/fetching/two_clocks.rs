//! Messages are ordered by the time at which they were written, and not by the time at which they were read: a newer price stays
//! the newer one, and a decline counts, in whatever order and however often the messages are read.

use serde_json::{Value, json};

use super::setup::{fetch_until_idle, fetching_worker, make_due, notify, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, view};

const QUOTED: &str = "tripmsgs/asellermsg-1";
const CHEAPER: &str = "tripmsgs/asellermsg-2";
const DECLINED: &str = "tripmsgs/asellermsg-3";
const ORDERS: [&[&str]; 8] = [
    &[QUOTED, CHEAPER, DECLINED],
    &[QUOTED, DECLINED, CHEAPER],
    &[CHEAPER, QUOTED, DECLINED],
    &[CHEAPER, DECLINED, QUOTED],
    &[DECLINED, QUOTED, CHEAPER],
    &[DECLINED, CHEAPER, QUOTED],
    &[CHEAPER, QUOTED, CHEAPER, DECLINED, QUOTED],
    &[DECLINED, CHEAPER, QUOTED, DECLINED, CHEAPER],
];

/// Which object of a message states its creation time.
#[derive(Debug, Clone, Copy)]
enum StatedIn {
    Message,
    Quote,
    Both,
}

/// A message about one quote, written at this minute. The quote was made at minute 0 if the message states its own time as well.
fn message(id: &str, minute: u8, price: i64, stated_in: StatedIn) -> Value {
    let time = |minute: u8| json!(format!("2026-01-31T10:{minute:02}:00Z"));
    let (of_message, of_quote) = match stated_in {
        StatedIn::Message => (time(minute), Value::Null),
        StatedIn::Quote => (Value::Null, time(minute)),
        StatedIn::Both => (time(minute), time(0)),
    };
    json!({
        "id": id, "createdOn": of_message, "links": {"rfqs": [{"id": "arfq-1"}]},
        "sellerQuote": {"id": "aquote-1", "createdOn": of_quote, "sellerPrice": {"price": price, "currency": "USD"}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_price_and_a_decline_hold_in_every_order_of_reading() {
    for stated_in in [StatedIn::Message, StatedIn::Quote, StatedIn::Both] {
        for order in ORDERS {
            let (db, stub) = (Db::new().await, FakeAvinode::start().await);
            let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
            stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
            stub.show(QUOTED, message("asellermsg-1", 1, 10_000, stated_in));
            stub.show(CHEAPER, message("asellermsg-2", 2, 9_000, stated_in));
            let decline = json!({
                "id": "asellermsg-3", "createdOn": "2026-01-31T10:03:00Z", "declineReason": "OTHER",
                "links": {"rfqs": [{"id": "arfq-1"}]},
            });
            stub.show(DECLINED, decline);
            let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
            for resource in order {
                notify(&db.pool, &[stub.thin(resource, Some("A1B2C3"))]).await;
                make_due(&db.pool).await;
                fetch_until_idle(&worker).await;
            }
            let view = view(&db.pool, session).await;
            assert_eq!(
                (view.quotes_received_count, view.primary_quote),
                (1, None),
                "{stated_in:?} {order:?}"
            );
            let shown: String = sqlx::query_scalar("SELECT total_price::text FROM public.quotes")
                .fetch_one(&db.pool)
                .await
                .unwrap();
            assert_eq!(shown, "9000.00", "{stated_in:?} {order:?}");
        }
    }
}
