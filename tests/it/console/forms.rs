//! Forms are accepted from pages of the console only, and by visitors with the scope.

use uuid::Uuid;

use super::{ConsoleService, READ, WRITE, WebPage};
use crate::support::sessions::SessionReferences;

/// A session whose primary quote is pinned.
async fn pinned_session(console: &ConsoleService) -> (Uuid, Uuid) {
    let references = SessionReferences::insert(&console.db.pool).await;
    let quote = references.insert_quote(&console.db.pool, Some("aquote-1")).await;
    let session = sqlx::query_scalar(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, status, primary_quote_id)
         VALUES ($1, $2, $3, 'active', $4) RETURNING id",
    )
    .bind(references.conversation)
    .bind(references.agent)
    .bind(references.request)
    .bind(quote)
    .fetch_one(&console.db.pool)
    .await
    .unwrap();
    assert!(
        is_pinned(console, session).await,
        "the trigger pins what the application writes"
    );
    (session, quote)
}

async fn is_pinned(console: &ConsoleService, session: Uuid) -> bool {
    let pinned = "SELECT pinned FROM avinode_ingest.session_state WHERE session_id = $1";
    sqlx::query_scalar(pinned)
        .bind(session)
        .fetch_one(&console.db.pool)
        .await
        .unwrap()
}

async fn audited(console: &ConsoleService) -> i64 {
    let rows = "SELECT count(*) FROM avinode_ingest.audit";
    sqlx::query_scalar(rows).fetch_one(&console.db.pool).await.unwrap()
}

#[track_caller]
fn assert_refused(answer: &WebPage, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_from_another_site_is_refused_and_changes_nothing() {
    let console = ConsoleService::start().await;
    let (session, _) = pinned_session(&console).await;
    let (browser, other) = (console.signed_in(WRITE).await, console.signed_in(WRITE).await);
    let path = format!("/console/sessions/{session}");
    let (page, page_of_other) = (browser.get(&path).await, other.get(&path).await);
    let unpin = format!("{path}/unpin");
    let token = page.form_token();
    let foreign = page_of_other.form_token();
    assert_ne!(token, foreign);
    for (what, wrong) in [
        ("no token", vec![]),
        ("an empty token", vec![("form_token", "")]),
        ("the token of another session", vec![("form_token", foreign.as_str())]),
        ("the beginning of the token", vec![("form_token", &token[1..])]),
    ] {
        assert_refused(&browser.post(&unpin, &wrong).await, what);
    }
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let elsewhere = browser.clone().sending(name, value);
        assert_refused(&elsewhere.submit(&page, &unpin, &[]).await, value);
        let signing_in = elsewhere.post("/console/sign-in", &[("token", WRITE)]).await;
        assert_refused(&signing_in, value);
        assert!(signing_in.headers.get("set-cookie").is_none());
    }
    assert!(is_pinned(&console, session).await);
    assert_eq!(audited(&console).await, 0);
    let same = browser.clone().sending("sec-fetch-site", "same-origin");
    let answer = same.submit(&page, &unpin, &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert!(!is_pinned(&console, session).await);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_with_the_scope_read_sees_no_button_and_cannot_unpin() {
    let console = ConsoleService::start().await;
    let (session, quote) = pinned_session(&console).await;
    let browser = console.signed_in(READ).await;
    let path = format!("/console/sessions/{session}");
    let page = browser.get(&path).await;
    page.assert_lacks("/unpin");
    page.assert_lacks("/pin");
    // The form token of another form of the page is that of the session.
    for (action, fields) in [("unpin", vec![]), ("pin", vec![("quote", quote.to_string())])] {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = browser.submit(&page, &format!("{path}/{action}"), &fields).await;
        assert_refused(&answer, action);
        answer.assert_has("This needs the scope write");
    }
    assert!(is_pinned(&console, session).await);
    assert_eq!(audited(&console).await, 0);
    console.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_invalid_names_its_field() {
    let console = ConsoleService::start().await;
    let (session, _) = pinned_session(&console).await;
    let browser = console.signed_in(WRITE).await;
    let path = format!("/console/sessions/{session}");
    let page = browser.get(&path).await;
    for (fields, text) in [
        (vec![], "quote is missing"),
        (vec![("quote", "7")], "quote is not valid"),
        (
            vec![("quote", "00000000-0000-0000-0000-000000000007")],
            "quote_id does not exist",
        ),
    ] {
        let answer = browser.submit(&page, &format!("{path}/pin"), &fields).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        answer.assert_has(text);
    }
    let unknown = format!("/console/sessions/{}", Uuid::from_u128(7));
    assert_eq!(browser.get(&unknown).await.status, 404);
    assert_eq!(browser.get("/console/sessions/7").await.status, 404);
    assert_eq!(
        browser.submit(&page, &format!("{unknown}/unpin"), &[]).await.status,
        404
    );
    console.service.stop().await;
}
