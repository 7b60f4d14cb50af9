//! `deliveries list` and `jobs list`: each filter, pages, and what is refused.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::bodies::{base, decline, event, message, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::program::run_on;
use crate::support::sessions::SessionBuilder;
use crate::support::worker::run_jobs;

/// The quote of an event of an unknown kind.
const UNREAD: &str = "aquote-386512799";

/// Five deliveries and one notification, in this order.
struct Received {
    db: Db,
    session: Uuid,
    quote: String,
    decline: String,
    message: String,
    duplicate: String,
    unread: String,
    waiting: String,
}

impl Received {
    async fn all() -> Self {
        let db = Db::new().await;
        let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
        let first = quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000", "EUR");
        let data = json!({"trip": {"id": "A1B2C3"}, "quote": {"id": UNREAD}, "request": {"id": "arfq-386512799"}});
        let bodies = [
            first.clone(),
            decline("evt-2", "A1B2C3", "arfq-2", 20),
            message("evt-3", "Z9Y8X7", "asellermsg-3", 30),
            first,
            event("TripSomethingNew", "evt-9", 40, data),
            json!({"id": "arfq-77", "href": "https://sandbox.avinode.com/api/rfqs/arfq-77", "type": "Rfqs", "tripId": "A1B2C3"}),
        ];
        let mut ids = Vec::new();
        for body in bodies {
            let stored = store_deliveries(&db.pool, &[body], base()).await;
            ids.push(stored[0].to_string());
            run_jobs(&db.pool).await;
        }
        let [quote, decline, message, duplicate, unread, waiting] = ids.try_into().unwrap();
        Self {
            db,
            session,
            quote,
            decline,
            message,
            duplicate,
            unread,
            waiting,
        }
    }

    /// The ids, or the numbers, of a list.
    async fn list(&self, arguments: &[&str]) -> Vec<String> {
        let page = self.page(arguments).await;
        let data = page["data"].as_array().unwrap().iter();
        data.map(|row| row["delivery_id"].as_str().or(row["id"].as_str()).unwrap().to_owned())
            .collect()
    }

    async fn page(&self, arguments: &[&str]) -> Value {
        let output = run_on(&self.db, &[arguments, &["--json"]].concat()).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.all());
        output.json()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_found_by_each_of_their_ids_their_kind_outcome_time_and_text() {
    let all = Received::all().await;
    let session = all.session.to_string();
    let (quote, decline, message) = (&all.quote, &all.decline, &all.message);
    let (duplicate, unread, waiting) = (&all.duplicate, &all.unread, &all.waiting);
    let cases: [(&[&str], &[&String]); 27] = [
        (&[], &[waiting, unread, duplicate, message, decline, quote]),
        (&["--trip", "a1b2c3"], &[unread, duplicate, decline, quote]),
        (&["--trip", "Z9Y8X7"], &[message]),
        (&["--rfq", "ARFQ-2"], &[decline]),
        (&["--rfq", "arfq-386512799"], &[unread]),
        (&["--quote", "aquote-1"], &[duplicate, quote]),
        (&["--quote", "aquote-1", "--outcome", "duplicate"], &[duplicate]),
        (&["--quote", "aquote-1", "--rfq", "arfq-2"], &[]),
        (&["--quote", UNREAD], &[unread]),
        (&["--event", "evt-1"], &[duplicate, quote]),
        (&["--event", "evt-9"], &[unread]),
        (&["--session", &session], &[unread, duplicate, decline, quote]),
        (&["--session", &session, "--kind", "decline"], &[decline]),
        (&["--kind", "decline"], &[decline]),
        (&["--kind", "quote"], &[duplicate, quote]),
        (&["--kind", "other"], &[unread]),
        (&["--outcome", "dead"], &[unread]),
        (&["--outcome", "duplicate"], &[duplicate]),
        (&["--outcome", "queued"], &[waiting]),
        (&["--outcome", "applied"], &[message, decline, quote]),
        (&["--outcome", "applied", "--kind", "message"], &[message]),
        (&["--outcome", "dead", "--kind", "quote"], &[]),
        (&["--text", "Catering is included"], &[message]),
        (&["--text", "unknown event kind"], &[unread]),
        (&["--since", "1h", "--kind", "decline"], &[decline]),
        (&["--since", "2099-01-01T00:00:00Z"], &[]),
        (&["--until", "1h"], &[]),
    ];
    for (filters, expected) in cases {
        let found = all.list(&[&["deliveries", "list"], filters].concat()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filters:?}");
    }
    let shown = &all.page(&["deliveries", "list", "--event", "evt-2"]).await["data"][0];
    assert_eq!(
        json!([
            shown["kind"],
            shown["event_id"],
            shown["trip"],
            shown["rfqs"],
            shown["quotes"],
            shown["sessions"]
        ]),
        json!(["decline", "evt-2", "A1B2C3", ["arfq-2"], [], [session]])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_found_by_what_they_are_about() {
    let all = Received::all().await;
    let session = all.session.to_string();
    let (unread, waiting) = (&all.unread, &all.waiting);
    let cases: [(&[&str], &[&String]); 17] = [
        (&[], &[unread, waiting]),
        (&["--trip", "A1B2C3"], &[unread]),
        (&["--quote", UNREAD], &[unread]),
        (&["--rfq", "arfq-386512799"], &[unread]),
        (&["--event", "evt-9"], &[unread]),
        (&["--session", &session], &[unread]),
        (&["--rfq", "arfq-77"], &[waiting]),
        (&["--quote", "aquote-1"], &[]),
        (&["--quote", UNREAD, "--trip", "Z9Y8X7"], &[]),
        (&["--text", "unknown EVENT kind"], &[unread]),
        (&["--kind", "fetch_notified"], &[waiting]),
        (&["--since", "1h"], &[unread, waiting]),
        (&["--until", "1h"], &[]),
        (&["--outcome", "dead"], &[unread]),
        (&["--outcome", "queued"], &[waiting]),
        (&["--outcome", "applied"], &[]),
        (&["--outcome", "dead", "--trip", "Z9Y8X7"], &[]),
    ];
    for (filters, expected) in cases {
        let found = all.list(&[&["jobs", "list"], filters].concat()).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filters:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_a_gap_or_a_repetition() {
    let all = Received::all().await;
    for list in ["deliveries", "jobs"] {
        let whole = all.list(&[list, "list"]).await;
        let (mut pages, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut arguments = vec![list, "list", "--limit", "1"];
            arguments.extend(cursor.iter().flat_map(|cursor| ["--cursor", cursor]));
            let page = all.page(&arguments).await;
            let data = page["data"].as_array().unwrap();
            pages.extend(
                data.iter()
                    .map(|row| row["delivery_id"].as_str().or(row["id"].as_str()).unwrap().to_owned()),
            );
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(pages, whole, "{list}");
    }
    let printed = run_on(&all.db, &["deliveries", "list", "--limit", "2"]).await.stdout;
    assert!(
        printed
            .lines()
            .last()
            .unwrap()
            .starts_with("2 shown, 4 more: --cursor "),
        "{printed}"
    );
    let printed = run_on(&all.db, &["deliveries", "list"]).await.stdout;
    assert!(printed.ends_with("\n\n6 deliveries\n"), "{printed}");
    let searched = run_on(&all.db, &["deliveries", "list", "--text", "evt", "--limit", "2"]).await;
    assert!(
        searched.stdout.contains("2 shown, there may be more: --cursor "),
        "{}",
        searched.all()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_value_of_a_filter_is_refused_and_the_allowed_ones_are_named() {
    let db = Db::new().await;
    let cursor_of_jobs = "WyJqb2JzIiwxXQ";
    for (arguments, said) in [
        (
            "deliveries list --kind quotes",
            "is not one of: cancellation, decline, acceptance",
        ),
        (
            "deliveries list --outcome failed",
            "is not one of: queued, applied, duplicate",
        ),
        ("deliveries list --session 7", "is not a UUID"),
        ("deliveries list --since yesterday", "is neither a duration"),
        (
            &format!("deliveries list --cursor {cursor_of_jobs}"),
            "is not a cursor of this list",
        ),
        ("jobs list --kind quote", "is not one of: full_event, event_replay"),
        ("jobs list --state done", "available"),
        (
            "jobs list --outcome failed",
            "is not one of: queued, applied, duplicate",
        ),
        ("jobs list --cursor nonsense", "is not a cursor of this list"),
        ("jobs retry --dead --kind quote", "is not one of: full_event"),
        (
            "sessions list --status done",
            "is not one of: active, paused, completed, archived",
        ),
        ("documents list --cursor nonsense", "is not a cursor of this list"),
        ("tail --outcome failed", "is not one of: queued, applied, duplicate"),
        ("trigger quotation", "is not one of: quote, decline, message"),
        ("completions csh", "is not one of: bash, elvish, fish"),
        ("jobs list --color sometimes", "is not one of: auto, always, never"),
    ] {
        let words: Vec<&str> = arguments.split(' ').collect();
        let output = run_on(&db, &words).await;
        assert_eq!(output.code, Some(64), "{arguments}: {}", output.all());
        assert!(output.stderr.contains(said), "{arguments}: {}", output.all());
    }
}
