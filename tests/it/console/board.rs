//! The board: sessions by workflow step, newest activity first, in columns of a bounded length.

use super::{ConsoleService, READ, WebPage, settings};
use crate::support::PATIENCE;
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::sessions::{SessionBuilder, update_session};

/// The texts in their order in the page.
#[track_caller]
fn assert_order(page: &WebPage, texts: &[&str]) {
    let mut from = 0;
    for text in texts {
        let at = page.body[from..].find(text);
        from += at.unwrap_or_else(|| panic!("no {text} after {}: {}", &page.body[..from], &page.body[from..]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_in_the_column_of_their_step_the_newest_activity_first() {
    let console = ConsoleService::start().await;
    let pool = &console.db.pool;
    for (trip, step, minutes) in [
        ("OLDER1", Some("requesting_quotes"), 5),
        ("NEWER1", Some("requesting_quotes"), 2),
        ("FIRST1", Some("understanding_request"), 9),
        ("READY1", Some("proposal_ready"), 1),
        ("OTHER1", Some("waiting_for_visa"), 1),
        ("NOSTEP", None, 1),
    ] {
        let session = SessionBuilder::of_trip(trip)
            .step(step)
            .counts([1, 4, 4])
            .insert(pool)
            .await;
        update_session(
            pool,
            session,
            &format!("last_activity_at = now() - interval '{minutes} min'"),
        )
        .await;
    }
    SessionBuilder::of_trip("PAUSED").status("paused").insert(pool).await;
    let browser = console.signed_in(READ).await;
    let page = browser.get("/console").await;
    let columns = [
        "understanding request",
        "FIRST1",
        "searching aircraft",
        "No sessions",
        "requesting quotes",
        "NEWER1",
        "OLDER1",
        "proposal ready",
        "READY1",
        "waiting for visa",
        "OTHER1",
        "no step",
        "NOSTEP",
    ];
    assert_order(&page, &columns);
    page.assert_has("KTEB to KPBI");
    page.assert_has("1 of 4");
    page.assert_lacks("PAUSED");
    browser.get("/console?status=paused").await.assert_has("PAUSED");
    assert_eq!(browser.get("/console?status=asleep").await.status, 422);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_shows_the_primary_quote_with_operator_price_and_currency() {
    for db in [Db::new().await, Db::attached().await] {
        let console = ConsoleService::with(db, settings()).await;
        SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
        let quote = quote("e-1", "atrip-1", "arfq-1", "aquote-1", 1, "48250.5", "USD");
        let (status, _) = console.service.post(&serde_json::to_vec(&quote).unwrap()).await;
        assert_eq!(status, 200);
        let browser = console.signed_in(READ).await;
        eventually(PATIENCE, "the primary quote is on the board", async || {
            let page = browser.get("/console").await;
            page.body.contains("48,250.50 USD") && page.body.contains("Northwind Jets")
        })
        .await;
        browser
            .get("/console?q=northwind")
            .await
            .assert_has("found by an operator");
        console.service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_has_twenty_cards_and_the_number_of_the_others_up_to_a_thousand() {
    let console = ConsoleService::start().await;
    SessionBuilder::new().insert(&console.db.pool).await;
    // Without triggers, which would make a job for each.
    let more = async |count: u32| {
        console
            .db
            .run(&format!(
                "SET session_replication_role = replica;
                 INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, status, last_activity_at, current_step)
                 SELECT gen_random_uuid(), gen_random_uuid(), 'active', now(), 'searching_aircraft'
                 FROM generate_series(1, {count})"
            ))
            .await;
    };
    let browser = console.signed_in(READ).await;
    more(24).await;
    let page = browser.get("/console").await;
    assert_eq!(page.body.matches("<li class=\"card\">").count(), 21);
    page.assert_has("4 more; search for the others");
    more(1000).await;
    let page = browser.get("/console").await;
    assert_eq!(page.body.matches("<li class=\"card\">").count(), 21);
    page.assert_has("1000+");
    page.assert_has("More than 980 more");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_too_long_for_an_index_entry_is_written_and_shown() {
    let console = ConsoleService::start().await;
    let step = "x".repeat(20_000);
    SessionBuilder::of_trip("LONG01")
        .step(Some(&step))
        .insert(&console.db.pool)
        .await;
    let browser = console.signed_in(READ).await;
    browser.get("/console").await.assert_has("LONG01");
    console.service.stop().await;
}
