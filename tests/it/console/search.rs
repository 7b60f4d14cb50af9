//! The search finds sessions by trip, RFQ, quote, operator, agent and ids of the application.

use uuid::Uuid;

use super::{ConsoleService, READ, settings};
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sessions::SessionBuilder;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_by_each_of_its_ids_and_names() {
    // Without workers: the jobs are run here.
    let settings = avinode_ingest::service::ServiceSettings {
        workers: 0,
        ..settings()
    };
    let console = ConsoleService::with(Db::new().await, settings).await;
    let pool = &console.db.pool;
    let session = SessionBuilder::of_trip("atrip-64956150").insert(pool).await;
    SessionBuilder::of_trip("atrip-7").insert(pool).await;
    receive(
        pool,
        &[quote("e-1", "atrip-64956150", "arfq-11", "aquote-22", 1, "100", "USD")],
    )
    .await;
    let ids = "SELECT iso_agent_id, request_id, conversation_id FROM public.chat_sessions WHERE id = $1";
    let (agent, request, conversation): (Uuid, Uuid, Uuid) =
        sqlx::query_as(ids).bind(session).fetch_one(pool).await.unwrap();
    let link = format!("/console/sessions/{session}\"");
    let browser = console.signed_in(READ).await;
    for (text, reason) in [
        ("64956150".to_owned(), "found by its trip"),
        ("ATRIP-64956150".to_owned(), "found by its trip"),
        ("arfq-11".to_owned(), "found by its RFQ"),
        ("aquote-22".to_owned(), "found by a quote"),
        ("AQUOTE-22".to_owned(), "found by a quote"),
        ("22".to_owned(), "found by a quote"),
        ("NORTHw".to_owned(), "found by an operator"),
        (session.to_string(), "found by its id"),
        (request.to_string(), "found by its id"),
        (conversation.to_string(), "found by its id"),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let page = browser.get(&format!("/console?q={query}")).await;
        assert_eq!(page.status, 200, "{text}");
        page.assert_has(&link);
        page.assert_has(reason);
        page.assert_has(">1 session<");
    }
    for text in ["ple%20brok", "broker@EXAMPLE", &agent.to_string()] {
        let page = browser.get(&format!("/console?q={text}")).await;
        page.assert_has(&link);
        page.assert_has("2 sessions");
        page.assert_has("found by its agent");
    }
    for text in [
        "nothing",
        "%25",
        "_",
        "a",
        "wind",
        "00000000-0000-0000-0000-000000000007",
        "%00",
        "x%0Ay",
    ] {
        let page = browser.get(&format!("/console?q={text}")).await;
        assert_eq!(page.status, 200, "{text}");
        page.assert_has("No session has this id");
    }
    console.service.stop().await;
}
