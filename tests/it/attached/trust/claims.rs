//! Claims by trip ids of sessions and requests.

use serde_json::json;
use uuid::Uuid;

use super::setup::{Seen, api, brokers, write_by_server};
use crate::support::bodies::{message, quote_of};
use crate::support::deliveries::receive;
use crate::support::postgrest::Postgrest;
use crate::support::sessions::SessionReferences;
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::run_jobs;

const TRIP: &str = "5550001";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_backdated_and_names_another_agents_trip_gets_nothing_of_it() {
    let (db, bob, mallory) = brokers().await;
    bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    mallory
        .update(
            &db,
            &format!("avinode_trip_id = 'atrip-{TRIP}', created_at = '2001-01-01'"),
        )
        .await;
    receive(
        &db.pool,
        &[quote_of(TRIP, "q2", 1), message("evt-m", TRIP, "message-1", 2)],
    )
    .await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(mallory.timeline(&db).await, "trip_withheld");
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2"]));
    assert_eq!(
        bob.timeline(&db).await,
        "quote_received quote_received message_received"
    );

    // To give the trip up and name it again changes nothing.
    mallory.update(&db, "avinode_trip_id = NULL").await;
    mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    // As PostgREST shows them.
    let mut login = Postgrest::before(&db)
        .agent(&format!("user_{}", mallory.references.agent))
        .await;
    let shown = "SELECT count(*) FROM public.quotes";
    let shown: i64 = sqlx::query_scalar(shown).fetch_one(&mut *login).await.unwrap();
    assert_eq!(shown, 0);
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_claims_a_trip_first_loses_it_to_the_agent_to_whom_it_is_given() {
    let (db, bob, mallory) = brokers().await;
    mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_trip_that_one_agent_claimed_alone_move_to_its_owner() {
    let (db, bob, mallory) = brokers().await;
    mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(
        mallory.seen(&db).await,
        Seen::all(&["q1"]),
        "one agent's word is enough while it is the only one"
    );
    bob.update_by_server(&db, "status = 'paused'").await;
    bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    receive(&db.pool, &[quote_of(TRIP, "q2", 1)]).await;
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1", "q2"]));
    let left = mallory.seen(&db).await;
    assert_eq!(
        (left.rows.as_str(), left.count, left.primary),
        ("", 1, None),
        "a count never shrinks"
    );

    // The owner leaves the trip: it is the other agent's again, with everything known about it.
    bob.update_by_server(&db, "avinode_trip_id = NULL").await;
    assert_eq!(mallory.seen(&db).await, Seen::all(&["q1", "q2"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_another_agent_gives_a_session_neither_its_trip_nor_a_place_for_quotes() {
    let (db, bob, mallory) = brokers().await;
    bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    bob.name_in_request(&db, TRIP).await;
    mallory
        .update(&db, &format!("request_id = '{}'", bob.references.request))
        .await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
    // The same without a session of the other agent.
    db.run(&format!(
        "DELETE FROM public.chat_sessions WHERE id = '{}'",
        bob.session
    ))
    .await;
    receive(&db.pool, &[quote_of(TRIP, "q2", 1)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());

    // A trip of its own is counted, and shown nowhere: not among the other agent's quotes.
    mallory.update(&db, "avinode_trip_id = 'OTHER1'").await;
    receive(&db.pool, &[quote_of("OTHER1", "q9", 0)]).await;
    assert_eq!(mallory.seen(&db).await.count, 1);
    assert_eq!(
        count(
            &db.pool,
            "SELECT count(*) FROM public.quotes WHERE avinode_quote_id = 'q9'"
        )
        .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_the_trip_outweighs_sessions_that_do() {
    let (db, bob, mallory) = brokers().await;
    mallory
        .update(&db, &format!("avinode_trip_id = '{TRIP}', created_at = '2001-01-01'"))
        .await;
    // By its own name alone, and without a trip id of the session.
    bob.name_in_request(&db, TRIP).await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_names_the_trip_outweighs_sessions_also_without_a_session_of_its_own() {
    let (db, bob, mallory) = brokers().await;
    mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    bob.update(&db, "request_id = NULL").await;
    bob.name_in_request(&db, TRIP).await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    bob.update(&db, &format!("request_id = '{}'", bob.references.request))
        .await;
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_its_agent_wrote_takes_no_trip_that_was_given() {
    for by_request in [false, true] {
        let (db, bob, mallory) = brokers().await;
        if by_request {
            let statement = format!(
                "UPDATE public.requests SET avinode_trip_id = '{TRIP}' WHERE id = '{}'",
                bob.references.request
            );
            write_by_server(&db, &statement).await;
        } else {
            bob.update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
        }
        mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
        mallory.name_in_request(&db, TRIP).await;
        receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
        assert_eq!(mallory.seen(&db).await, Seen::nothing());
        assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_without_evidence_is_nobodys_until_the_api_gives_it() {
    let (db, bob, mallory) = brokers().await;
    for broker in [&mallory, &bob] {
        broker.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
        broker.name_in_request(&db, TRIP).await;
    }
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::nothing());
    // The same trip id as before.
    let patch = serde_json::from_value(json!({"avinode_trip_id": TRIP})).unwrap();
    api(&db).update_trip(bob.session, &patch).await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_was_given_another_trip_proves_nothing_about_this_one() {
    let (db, bob, mallory) = brokers().await;
    bob.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    bob.name_in_request(&db, TRIP).await;
    mallory.update_by_server(&db, "avinode_trip_id = 'OTHER1'").await;
    mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
    // Other columns of the session, by the server.
    mallory
        .update_by_server(&db, "current_step = 'understanding_request'")
        .await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(mallory.seen(&db).await, Seen::nothing());
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_who_were_both_given_a_trip_both_count_and_the_first_has_the_rows() {
    let (db, bob, carol) = brokers().await;
    for broker in [&bob, &carol] {
        broker
            .update_by_server(&db, &format!("avinode_trip_id = '{TRIP}'"))
            .await;
    }
    carol.update(&db, "created_at = '2001-01-01'").await;
    receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
    assert_eq!(bob.seen(&db).await, Seen::all(&["q1"]));
    let other = carol.seen(&db).await;
    assert_eq!((other.rows.as_str(), other.count), ("", 1));
}

/// Ids that the server inserts are given, like those that it updates.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_requests_that_the_server_inserts_with_a_trip_have_evidence() {
    for by_request in [false, true] {
        let (db, bob, mallory) = brokers().await;
        mallory.update(&db, &format!("avinode_trip_id = '{TRIP}'")).await;
        mallory.name_in_request(&db, TRIP).await;
        db.run(&format!(
            "DELETE FROM public.chat_sessions WHERE id = '{}'",
            bob.session
        ))
        .await;
        let SessionReferences {
            agent,
            request,
            conversation,
        } = bob.references;
        let (in_request, in_session) = match by_request {
            true => (format!("'{TRIP}'"), "NULL".to_owned()),
            false => ("NULL".to_owned(), format!("'{TRIP}'")),
        };
        let new_request = Uuid::now_v7();
        let insert = format!(
            "INSERT INTO public.requests (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers,
                avinode_trip_id)
             SELECT '{new_request}', iso_agent_id, departure_airport, arrival_airport, departure_date, passengers, {in_request}
             FROM public.requests WHERE id = '{request}'"
        );
        write_by_server(&db, &insert).await;
        let insert = format!(
            "INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, request_id, avinode_trip_id, current_step,
                session_started_at, last_activity_at, created_at, updated_at)
             VALUES ('{}', '{conversation}', '{agent}', '{new_request}', {in_session}, 'understanding_request', now(), now(), now(),
                now())",
            bob.session
        );
        write_by_server(&db, &insert).await;
        receive(&db.pool, &[quote_of(TRIP, "q1", 0)]).await;
        assert_eq!(mallory.seen(&db).await, Seen::nothing());
        let seen = bob.seen(&db).await;
        assert_eq!((seen.count, seen.primary.as_deref()), (1, Some("q1")));
        let shown: Option<Uuid> =
            sqlx::query_scalar("SELECT request_id FROM public.quotes WHERE avinode_quote_id = 'q1'")
                .fetch_optional(&db.pool)
                .await
                .unwrap();
        assert_eq!(shown, Some(new_request));
    }
}
