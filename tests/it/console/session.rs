//! The page of a session: its quotes side by side, its timeline, and pinning.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{ConsoleService, WRITE};
use crate::support::PATIENCE;
use crate::support::bodies::{decline, quote};
use crate::support::eventually::eventually;
use crate::support::sessions::{SessionBuilder, update_session};

async fn send(console: &ConsoleService, bodies: &[Value]) {
    for body in bodies {
        let (status, _) = console.service.post(&serde_json::to_vec(body).unwrap()).await;
        assert_eq!(status, 200);
    }
}

async fn primary(console: &ConsoleService, session: Uuid) -> (Option<String>, bool) {
    let primary = "SELECT quote.avinode_quote_id, coalesce(state.pinned, false)
        FROM public.chat_sessions AS session
        LEFT JOIN public.quotes AS quote ON quote.id = session.primary_quote_id
        LEFT JOIN avinode_ingest.session_state AS state ON state.session_id = session.id
        WHERE session.id = $1";
    sqlx::query_as(primary)
        .bind(session)
        .fetch_one(&console.db.pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_is_pinned_and_unpinned_with_the_name_of_the_token() {
    let console = ConsoleService::start().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    let bodies = [
        quote("e-1", "atrip-1", "arfq-1", "aquote-1", 1, "100", "USD"),
        quote("e-2", "atrip-1", "arfq-2", "aquote-2", 2, "200", "EUR"),
    ];
    send(&console, &bodies).await;
    let newest = (Some("aquote-2".to_owned()), false);
    eventually(PATIENCE, "the newest is primary", async || {
        primary(&console, session).await == newest
    })
    .await;
    let browser = console.signed_in(WRITE).await;
    let path = format!("/console/sessions/{session}");
    let page = browser.get(&path).await;
    for shown in [
        "100.00 USD",
        "200.00 EUR",
        "aquote-1",
        "aquote-2",
        "quote received",
        "not stated",
    ] {
        page.assert_has(shown);
    }
    let row: Uuid = sqlx::query_scalar("SELECT id FROM public.quotes WHERE avinode_quote_id = 'aquote-1'")
        .fetch_one(&console.db.pool)
        .await
        .unwrap();
    let answer = browser
        .submit(&page, &format!("{path}/pin"), &[("quote", &row.to_string())])
        .await;
    assert_eq!(
        (answer.status, answer.location()),
        (303, format!("{path}?done=pinned").as_str())
    );
    assert_eq!(primary(&console, session).await, (Some("aquote-1".to_owned()), true));
    let page = browser.get(answer.location()).await;
    page.assert_has("The quote is pinned");
    page.assert_has("primary, pinned");
    send(
        &console,
        &[quote("e-3", "atrip-1", "arfq-3", "aquote-3", 3, "300", "USD")],
    )
    .await;
    eventually(PATIENCE, "the third is counted", async || {
        browser.get(&path).await.body.contains("aquote-3")
    })
    .await;
    assert_eq!(primary(&console, session).await, (Some("aquote-1".to_owned()), true));
    let answer = browser.submit(&page, &format!("{path}/unpin"), &[]).await;
    assert_eq!(answer.status, 303);
    let newest = (Some("aquote-3".to_owned()), false);
    eventually(PATIENCE, "the newest is primary again", async || {
        primary(&console, session).await == newest
    })
    .await;
    let rows: Vec<(String, String)> = sqlx::query_as("SELECT action, actor FROM avinode_ingest.audit ORDER BY id")
        .fetch_all(&console.db.pool)
        .await
        .unwrap();
    let by_token = |action: &str| (action.to_owned(), "token:broker".to_owned());
    assert_eq!(rows, [by_token("record_quote"), by_token("unpin_primary_quote")]);
    let pins: Vec<(String, Value, String)> = sqlx::query_as(
        "SELECT kind, detail, actor FROM avinode_ingest.timeline WHERE kind LIKE 'primary_quote%' ORDER BY seq",
    )
    .fetch_all(&console.db.pool)
    .await
    .unwrap();
    let by_token = |kind: &str| (kind.to_owned(), json!({"quote": "aquote-1"}), "token:broker".to_owned());
    assert_eq!(
        pins,
        [by_token("primary_quote_pinned"), by_token("primary_quote_unpinned")]
    );
    let page = browser.get(&path).await;
    page.assert_has("Example Broker");
    page.assert_has("primary quote pinned");
    page.assert_has("primary quote unpinned");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_quote_and_an_expired_one_say_so() {
    let console = ConsoleService::start().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    let mut expired = quote("e-2", "atrip-1", "arfq-2", "aquote-2", 2, "200", "EUR");
    expired["data"]["quote"]["validUntil"] = "2026-01-01T00:00:00Z".into();
    let bodies = [
        quote("e-1", "atrip-1", "arfq-1", "aquote-1", 1, "100", "USD"),
        expired,
        decline("e-3", "atrip-1", "arfq-1", 3),
    ];
    send(&console, &bodies).await;
    let browser = console.signed_in(WRITE).await;
    eventually(PATIENCE, "the page shows both", async || {
        let page = browser.get(&format!("/console/sessions/{session}")).await;
        page.body.contains(">declined<") && page.body.contains(">expired ")
    })
    .await;
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_newer_than_the_decline_of_its_rfq_is_not_declined() {
    let console = ConsoleService::start().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    let bodies = [
        decline("e-1", "atrip-1", "arfq-1", 1),
        quote("e-2", "atrip-1", "arfq-1", "aquote-1", 2, "100", "USD"),
    ];
    send(&console, &bodies).await;
    let browser = console.signed_in(WRITE).await;
    eventually(PATIENCE, "the quote is the primary one", async || {
        let page = browser.get(&format!("/console/sessions/{session}")).await;
        page.body.contains(">primary<")
    })
    .await;
    let page = browser.get(&format!("/console/sessions/{session}")).await;
    assert!(!page.body.contains(">declined<"), "{}", page.body);
    let trace = browser.get("/console/operations/trace?id=aquote-1").await;
    assert!(!trace.body.contains("declined since"), "{}", trace.body);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_timeline_and_many_quotes_are_shown_in_pages() {
    let console = ConsoleService::start().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    console
        .db
        .run(&format!(
            "INSERT INTO avinode_ingest.timeline (session_id, seq, recorded_at, kind, detail, dedup_key)
             SELECT '{session}', n, now(), 'entry_' || n, '{{}}', 'key-' || n FROM generate_series(1, 120) AS n;
             INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted)
             SELECT '{session}', 'aquote-' || (100 + n), true FROM generate_series(1, 40) AS n"
        ))
        .await;
    // Nothing else writes to this timeline meanwhile.
    update_session(&console.db.pool, session, "message_count = 1").await;
    let browser = console.signed_in(WRITE).await;
    let path = format!("/console/sessions/{session}");
    let first = browser.get(&path).await;
    first.assert_has("entry 120<");
    first.assert_has("entry 71<");
    first.assert_lacks("entry 70<");
    first.assert_has("?before=71#timeline");
    let second = browser.get(&format!("{path}?before=71")).await;
    second.assert_has("entry 70<");
    second.assert_lacks("entry 71<");
    first.assert_has("aquote-130<");
    first.assert_lacks("aquote-131<");
    first.assert_has("?quotes=aquote-130\"");
    let further = browser.get(&format!("{path}?quotes=aquote-130")).await;
    further.assert_has("aquote-140<");
    further.assert_lacks("Further quotes");
    console.service.stop().await;
}
