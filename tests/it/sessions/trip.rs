//! A merge patch sets the trip of a session, and the known quotes of that trip are counted.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::domain::chat_session::page::PageRequest;
use avinode_ingest::domain::chat_session::patch::TripPatch;
use avinode_ingest::sessions::error::SessionError;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{create, field, moment, sessions};
use crate::support::bodies;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::sessions::SessionReferences;
use crate::support::worker::{run_until_idle, worker_at};

fn patch(text: Value) -> TripPatch {
    serde_json::from_value(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_field_is_kept_a_null_field_is_cleared_and_the_state_is_merged() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let session = create(&db.pool, references).await.id;
        let tracking = sessions(&db.pool, 5);
        let first = json!({
            "avinode_trip_id": " Atrip-64956150", "avinode_rfp_id": "rfp-123", "current_step": "requesting_quotes",
            "workflow_state": {"client": {"name": "A", "vip": true}, "pax": 4}, "quotes_expected_count": 5,
        });
        let patched = tracking.update_trip(session, &patch(first)).await.unwrap();
        assert_eq!(patched.avinode_trip_id.as_deref(), Some("Atrip-64956150"));
        assert_eq!(patched.last_activity_at, Some(moment(5)));
        let second = json!({
            "avinode_rfp_id": null, "workflow_state": {"client": {"vip": null}}, "quotes_expected_count": null,
            "request_id": null,
        });
        let patched = sessions(&db.pool, 3)
            .update_trip(session, &patch(second))
            .await
            .unwrap();
        assert_eq!(patched.avinode_trip_id.as_deref(), Some("Atrip-64956150"));
        assert_eq!((patched.avinode_rfp_id, patched.request_id), (None, None));
        assert_eq!(patched.workflow_state, Some(json!({"client": {"name": "A"}, "pax": 4})));
        assert_eq!(patched.quotes_expected_count, 0);
        assert_eq!(patched.current_step.as_deref(), Some("requesting_quotes"));
        assert_eq!(patched.last_activity_at, Some(moment(5)), "activity never moves back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_known_before_the_trip_are_counted_and_projected_once_there_is_a_request() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let without_request = NewChatSession {
        request_id: None,
        ..references.input()
    };
    let made = sessions(&db.pool, 0).create_or_update(&without_request).await.unwrap();
    let session = made.session.id;
    let workers = worker_at(&db.pool, Clock::Fixed(moment(3)));
    let body = bodies::quote("evt-1", "atrip-7", "arfq-1", "aquote-1", 1, "1000", "USD");
    store_deliveries(&db.pool, &[body], moment(1)).await;
    run_until_idle(&workers).await;
    let tracking = sessions(&db.pool, 2);
    let patched = tracking
        .update_trip(session, &patch(json!({"avinode_trip_id": "7"})))
        .await;
    assert_eq!(patched.unwrap().quotes_received_count, 0);
    run_until_idle(&workers).await;
    let matched = tracking.get(session).await.unwrap();
    assert_eq!((matched.quotes_received_count, matched.primary_quote_id), (1, None));
    let linked = patch(json!({"request_id": references.request}));
    tracking.update_trip(session, &linked).await.unwrap();
    run_until_idle(&workers).await;
    let shown = tracking.get(session).await.unwrap();
    assert_eq!(shown.total_price.unwrap().to_string(), "1000.00");
    assert!(!shown.primary_quote_pinned);
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_known_before_the_rfq_are_counted_and_listed() {
    let db = Db::new().await;
    let workers = worker_at(&db.pool, Clock::Fixed(moment(3)));
    for number in 0..2 {
        let (trip, rfq, quote) = (
            format!("atrip-{number}"),
            format!("arfq-{number}"),
            format!("aquote-{number}"),
        );
        let body = bodies::quote(&format!("evt-{number}"), &trip, &rfq, &quote, 1, "1000", "USD");
        store_deliveries(&db.pool, &[body], moment(1)).await;
    }
    run_until_idle(&workers).await;
    let tracking = sessions(&db.pool, 2);
    let patched = create(&db.pool, SessionReferences::insert(&db.pool).await).await.id;
    tracking
        .update_trip(patched, &patch(json!({"avinode_rfq_id": "ARFQ-0"})))
        .await
        .unwrap();
    let with_rfq = NewChatSession {
        avinode_rfq_id: Some("arfq-1".to_owned()),
        ..SessionReferences::insert(&db.pool).await.input()
    };
    let created = tracking.create_or_update(&with_rfq).await.unwrap().session.id;
    run_until_idle(&workers).await;
    for (session, quote) in [(patched, "aquote-0"), (created, "aquote-1")] {
        assert_eq!(tracking.get(session).await.unwrap().quotes_received_count, 1);
        let listed = tracking.quotes(session, &PageRequest::default()).await.unwrap().data;
        assert_eq!(listed[0].avinode_quote_id.as_deref(), Some(quote));
        assert_eq!(listed[0].currency.as_deref(), Some("USD"), "from the fact");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_key_in_the_state_survives_every_write() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let ours = json!({"avinode_trip": {"status": "cancelled", "at": "2026-05-28T20:27:00Z"}});
    sqlx::query("UPDATE public.chat_sessions SET workflow_state = $1")
        .bind(&ours)
        .execute(&db.pool)
        .await
        .unwrap();
    let tracking = sessions(&db.pool, 1);
    let cleared = tracking
        .update_trip(session, &patch(json!({"workflow_state": null})))
        .await
        .unwrap();
    assert_eq!(cleared.workflow_state.as_ref(), Some(&ours));
    let written = json!({"pax": 2, "avinode_trip": {"status": "of the caller"}});
    let replaced = NewChatSession {
        workflow_state: written.as_object().cloned(),
        ..references.input()
    };
    let replaced = tracking
        .create_or_update(&replaced)
        .await
        .unwrap()
        .session
        .workflow_state
        .unwrap();
    assert_eq!(
        (&replaced["pax"], &replaced["avinode_trip"]),
        (&json!(2), &ours["avinode_trip"])
    );
    let patched = tracking
        .update_trip(session, &patch(json!({"workflow_state": written})))
        .await
        .unwrap();
    assert_eq!(patched.workflow_state.unwrap()["avinode_trip"], ours["avinode_trip"]);
    // A session without a status of its trip gets none from a caller.
    let other = SessionReferences::insert(&db.pool).await;
    for _ in 0..2 {
        let new = NewChatSession {
            workflow_state: written.as_object().cloned(),
            ..other.input()
        };
        let state = tracking.create_or_update(&new).await.unwrap().session.workflow_state;
        assert_eq!(state, Some(json!({"pax": 2})));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_field_is_named() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 1);
    for (wrong, name) in [
        (json!({"request_id": Uuid::from_u128(7)}), "request_id"),
        (json!({"avinode_trip_id": ""}), "avinode_trip_id"),
        (json!({"current_step": "\u{1}"}), "current_step"),
        (json!({"operators_contacted_count": -1}), "operators_contacted_count"),
        (json!({"workflow_state": {"a": "\u{0}"}}), "workflow_state"),
        (json!({"metadata": {"a": ["\u{0}"]}}), "metadata"),
    ] {
        assert_eq!(field(tracking.update_trip(session, &patch(wrong)).await), name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_the_type_and_the_metadata_are_patched_with_the_checks_of_their_own_operations() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 5);
    let first = json!({
        "status": "paused", "conversation_type": "flight_request", "metadata": {"a": {"b": 1, "c": 2}, "d": 3},
        "avinode_trip_id": "7",
    });
    let patched = tracking.update_trip(session, &patch(first)).await.unwrap();
    assert_eq!(
        (patched.status.as_str(), patched.avinode_trip_id.as_deref()),
        ("paused", Some("7"))
    );
    assert_eq!(patched.conversation_type, Some(Some("flight_request".to_owned())));
    assert_eq!(patched.metadata, Some(json!({"a": {"b": 1, "c": 2}, "d": 3})));
    let second = json!({"metadata": {"a": {"b": null}, "e": 4}, "conversation_type": null});
    let patched = tracking.update_trip(session, &patch(second)).await.unwrap();
    assert_eq!(patched.status, "paused", "an absent field is kept");
    assert_eq!(patched.conversation_type, Some(Some("general".to_owned())));
    assert_eq!(patched.metadata, Some(json!({"a": {"c": 2}, "d": 3, "e": 4})));
    let patched = tracking
        .update_trip(session, &patch(json!({"metadata": null})))
        .await
        .unwrap();
    assert_eq!(patched.metadata, Some(json!({})));

    // One active session per conversation, and a closed session stays closed; a refused patch changes nothing.
    let other = "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, status) VALUES ($1, $2, 'active') RETURNING id";
    let other: Uuid = sqlx::query_scalar(other)
        .bind(references.conversation)
        .bind(references.agent)
        .fetch_one(&db.pool)
        .await
        .unwrap();
    let resumed = patch(json!({"status": "active", "avinode_trip_id": "8"}));
    let refused = tracking.update_trip(session, &resumed).await;
    assert!(
        matches!(&refused, Err(SessionError::ActiveSessionExists { session }) if *session == other),
        "{refused:?}"
    );
    assert_eq!(
        tracking.get(session).await.unwrap().avinode_trip_id.as_deref(),
        Some("7")
    );
    tracking.complete(other).await.unwrap();
    assert_eq!(tracking.update_trip(session, &resumed).await.unwrap().status, "active");
    for status in ["active", "paused"] {
        let refused = tracking.update_trip(other, &patch(json!({"status": status}))).await;
        assert!(
            matches!(&refused, Err(SessionError::InvalidStatus { .. })),
            "{refused:?}"
        );
    }
    for invalid in [
        json!({"status": null}),
        json!({"status": "archived"}),
        json!({"conversation_type": "rfp"}),
    ] {
        assert!(
            serde_json::from_value::<TripPatch>(invalid.clone()).is_err(),
            "{invalid}"
        );
    }
}
