//! Two brokers on the database of an application: Bob, whose trip it is, and Mallory, who claims it.

use avinode_ingest::clock::Clock;
use avinode_ingest::sessions::service::SessionService;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::postgrest::Postgrest;
use crate::support::sessions::{SessionReferences, view};
use crate::support::worker::run_jobs;

/// A broker with a request, and a session of it without a trip.
pub struct Broker {
    pub references: SessionReferences,
    pub session: Uuid,
}

impl Broker {
    /// The session is as old as its number says.
    pub async fn insert(db: &Db, days: u32) -> Self {
        let references = SessionReferences::insert(&db.pool).await;
        let SessionReferences {
            agent,
            request,
            conversation,
        } = references;
        let session = Uuid::now_v7();
        db.run(&format!(
            "INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, request_id, current_step, session_started_at,
                last_activity_at, created_at, updated_at)
             VALUES ('{session}', '{conversation}', '{agent}', '{request}', 'understanding_request', now(), now(),
                now() - interval '{days} days', now())"
        ))
        .await;
        run_jobs(&db.pool).await;
        Self { references, session }
    }

    /// Sets columns of the session in the broker's own name.
    pub async fn update(&self, db: &Db, columns: &str) {
        let statement = format!(
            "UPDATE public.chat_sessions SET {columns} WHERE id = '{}'",
            self.session
        );
        self.write(db, &statement).await;
    }

    /// Sets the trip id of the request in the broker's own name.
    pub async fn name_in_request(&self, db: &Db, trip: &str) {
        let request = self.references.request;
        let statement = format!("UPDATE public.requests SET avinode_trip_id = '{trip}' WHERE id = '{request}'");
        self.write(db, &statement).await;
    }

    async fn write(&self, db: &Db, statement: &str) {
        let mut agent = Postgrest::before(db)
            .agent(&format!("user_{}", self.references.agent))
            .await;
        let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut *agent)
            .await;
        assert_eq!(done.unwrap().rows_affected(), 1, "{statement}");
        agent.commit().await.unwrap();
        run_jobs(&db.pool).await;
    }

    /// Sets columns of the session as the application's own server.
    pub async fn update_by_server(&self, db: &Db, columns: &str) {
        let statement = format!(
            "UPDATE public.chat_sessions SET {columns} WHERE id = '{}'",
            self.session
        );
        write_by_server(db, &statement).await;
    }

    pub async fn seen(&self, db: &Db) -> Seen {
        let session = view(&db.pool, self.session).await;
        let rows: Option<String> = sqlx::query_scalar(
            "SELECT string_agg(avinode_quote_id, ' ' ORDER BY avinode_quote_id) FROM public.quotes WHERE request_id = $1",
        )
        .bind(self.references.request)
        .fetch_one(&db.pool)
        .await
        .unwrap();
        Seen {
            rows: rows.unwrap_or_default(),
            count: session.quotes_received_count,
            primary: session.primary_quote,
            step: session.current_step.unwrap_or_default(),
        }
    }

    /// The kinds of the session's timeline entries, in order.
    pub async fn timeline(&self, db: &Db) -> String {
        sqlx::query_scalar(
            "SELECT coalesce(string_agg(kind, ' ' ORDER BY seq), '') FROM avinode_ingest.timeline WHERE session_id = $1",
        )
        .bind(self.session)
        .fetch_one(&db.pool)
        .await
        .unwrap()
    }
}

/// A statement of the application's own server.
pub async fn write_by_server(db: &Db, statement: &str) {
    let mut server = Postgrest::before(db).server().await;
    let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut *server)
        .await;
    assert_eq!(done.unwrap().rows_affected(), 1, "{statement}");
    server.commit().await.unwrap();
    run_jobs(&db.pool).await;
}

/// A database with Bob and Mallory, whose session is the older one.
pub async fn brokers() -> (Db, Broker, Broker) {
    let db = Db::attached().await;
    run_jobs(&db.pool).await;
    let bob = Broker::insert(&db, 1).await;
    let mallory = Broker::insert(&db, 9).await;
    (db, bob, mallory)
}

pub fn api(db: &Db) -> SessionService {
    SessionService::new(db.pool.service(), Clock::Fixed(base()))
}

/// The quotes of a broker, as the application shows them.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// The quotes under the broker's request.
    pub rows: String,
    pub count: i32,
    pub primary: Option<String>,
    pub step: String,
}

impl Seen {
    pub fn nothing() -> Self {
        Self {
            rows: String::new(),
            count: 0,
            primary: None,
            step: "understanding_request".to_owned(),
        }
    }

    /// All of these quotes; the last one is the primary quote.
    pub fn all(quotes: &[&str]) -> Self {
        Self {
            rows: quotes.join(" "),
            count: i32::try_from(quotes.len()).unwrap(),
            primary: quotes.last().map(|quote| (*quote).to_owned()),
            step: "requesting_quotes".to_owned(),
        }
    }
}
