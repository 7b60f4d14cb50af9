//! A page learns of new entries by server-sent events, and then shows them.

use reqwest::{Method, Response};
use tokio::time::timeout;

use super::{Browser, ConsoleService, READ, settings};
use std::time::Duration;

use crate::support::PATIENCE;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::sessions::SessionBuilder;

/// The stream of a page.
struct PageStream {
    response: Response,
    text: String,
}

impl PageStream {
    async fn open(browser: &Browser, query: &str) -> Self {
        let response = browser
            .request(Method::GET, &format!("/console/events{query}"), None)
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    /// Waits for the next event `change`.
    async fn change(&mut self) {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let is_change = block.lines().any(|line| line == "event: change");
                assert!(!is_change || block.lines().any(|line| line.len() > 6 && line.starts_with("data: ")));
                self.text = rest.to_owned();
                if is_change {
                    return;
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.response.chunk())
                .await
                .expect("an event in time");
            self.text
                .push_str(std::str::from_utf8(&chunk.unwrap().expect("a stream without an end")).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_signed_delivery_the_page_is_told_and_shows_the_quote() {
    let console = ConsoleService::start().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    let other = SessionBuilder::of_trip("atrip-2").insert(&console.db.pool).await;
    let browser = console.signed_in(READ).await;
    let own_page = format!("/console/sessions/{session}");
    browser.get(&own_page).await.assert_has("No quotes");
    let mut board = PageStream::open(&browser, "").await;
    let mut page = PageStream::open(&browser, &format!("?session={session}")).await;
    let mut other_page = PageStream::open(&browser, &format!("?session={other}")).await;
    // The first event: something may have changed before the stream began.
    for stream in [&mut board, &mut page, &mut other_page] {
        stream.change().await;
    }
    let body = quote_of("atrip-1", "aquote-1", 1);
    assert_eq!(console.service.post(&serde_json::to_vec(&body).unwrap()).await.0, 200);
    board.change().await;
    page.change().await;
    browser.get(&own_page).await.assert_has("10,000.00 USD");
    browser.get("/console").await.assert_has("10,000.00 USD");
    // The stream of another session has had nothing: its next event is that of its own quote.
    let body = quote_of("atrip-2", "aquote-2", 2);
    assert_eq!(console.service.post(&serde_json::to_vec(&body).unwrap()).await.0, 200);
    other_page.change().await;
    let page = browser.get(&format!("/console/sessions/{other}")).await;
    page.assert_has("aquote-2");
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_entries_are_few_events() {
    let console = ConsoleService::start().await;
    for number in 0..40 {
        SessionBuilder::of_trip(&format!("atrip-{number}"))
            .insert(&console.db.pool)
            .await;
    }
    let browser = console.signed_in(READ).await;
    let mut board = PageStream::open(&browser, "").await;
    board.change().await;
    for number in 0..40 {
        let body = quote_of(&format!("atrip-{number}"), &format!("aquote-{number}"), 1);
        assert_eq!(console.service.post(&serde_json::to_vec(&body).unwrap()).await.0, 200);
    }
    let mut events = 0;
    eventually(PATIENCE, "all quotes are counted", async || {
        let counted = "SELECT count(*) FROM avinode_ingest.timeline WHERE kind = 'quote_received'";
        let counted: i64 = sqlx::query_scalar(counted).fetch_one(&console.db.pool).await.unwrap();
        counted == 40
    })
    .await;
    // The stream of what came after the last one ends with the service.
    console.service.stop().await;
    while let Ok(Some(chunk)) = board.response.chunk().await {
        events += String::from_utf8_lossy(&chunk).matches("event: change").count();
    }
    assert!(events <= 20, "{events} events");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_pages_are_bounded_and_pages_and_health_checks_are_answered_beside_them() {
    let mut settings = settings();
    settings.api.streams = 100;
    let console = ConsoleService::with(Db::new().await, settings).await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&console.db.pool).await;
    let browser = console.signed_in(READ).await;
    let mut open = Vec::new();
    for _ in 0..48 {
        open.push(PageStream::open(&browser, "").await);
    }
    let refused = browser.get("/console/events").await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    for path in ["/livez", "/console", &format!("/console/sessions/{session}")] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    // A page that is left frees its place at once, not with the next keep-alive.
    drop(open);
    eventually(Duration::from_secs(5), "a place is free again", async || {
        browser.request(Method::GET, "/console/events", None).await.status() == 200
    })
    .await;
    console.service.stop().await;
}
