//! Texts that others wrote are shown as text, wherever a page shows one.

use serde_json::json;

use super::{ADMIN, ConsoleService};
use crate::support::sessions::SessionReferences;

/// Ends an attribute and an element, and begins a script.
const HOSTILE: &str = r#""'></title></textarea><script>alert(1)</script><img src=x onerror=alert(2)>"#;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_in_every_field_are_escaped() {
    let console = ConsoleService::start().await;
    let pool = &console.db.pool;
    let references = SessionReferences::insert(pool).await;
    let quote = references.insert_quote(pool, Some(HOSTILE)).await;
    for statement in [
        "UPDATE public.conversations SET subject = $1",
        "UPDATE public.requests SET departure_airport = $1, arrival_airport = $1",
        "UPDATE public.iso_agents SET full_name = $1",
        "UPDATE public.quotes SET operator_name = $1, aircraft_type = $1, aircraft_tail_number = $1, decline_reason = $1,
            metadata = jsonb_build_object('currency', $1::text)",
    ] {
        sqlx::query(statement).bind(HOSTILE).execute(pool).await.unwrap();
    }
    let session: uuid::Uuid = sqlx::query_scalar(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, status, avinode_trip_id, avinode_rfq_id,
            avinode_rfp_id, primary_quote_id, current_step)
         VALUES ($1, $2, $3, 'active', $5, $5, $5, $4, $5) RETURNING id",
    )
    .bind(references.conversation)
    .bind(references.agent)
    .bind(references.request)
    .bind(quote)
    .bind(HOSTILE)
    .fetch_one(pool)
    .await
    .unwrap();
    sqlx::query("INSERT INTO avinode_ingest.ledger (session_id, quote_id, counted) VALUES ($1, $2, true)")
        .bind(session)
        .bind(format!("row:{quote}"))
        .execute(pool)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO avinode_ingest.timeline (session_id, seq, recorded_at, kind, detail, dedup_key, actor)
         VALUES ($1, 1, now(), $2, $3, 'hostile', $2)",
    )
    .bind(session)
    .bind(HOSTILE)
    .bind(json!({"text": HOSTILE, HOSTILE: HOSTILE, "inner": {HOSTILE: [HOSTILE]}}))
    .execute(pool)
    .await
    .unwrap();
    let browser = console.signed_in(ADMIN).await;
    let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    for (path, texts) in [
        ("/console".to_owned(), 6),
        (format!("/console?q={session}"), 6),
        (format!("/console?q={encoded}"), 1),
        (format!("/console/sessions/{session}"), 14),
        (format!("/console/sessions/{session}?quotes={encoded}"), 3),
        (format!("/console/sign-in?next={encoded}"), 0),
    ] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        page.assert_lacks("<script>");
        page.assert_lacks("<img");
        page.assert_lacks("'></title>\"");
        let shown = page.body.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count();
        assert!(shown >= texts, "{path} shows {shown} of the texts: {}", page.body);
    }
    console.service.stop().await;
}
