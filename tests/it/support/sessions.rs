//! Sessions and the rows to which they refer, as the application writes them. Every column that a strict application demands is
//! filled, so that the rows fit a standalone and an attached database.

use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::store::admin::{self, SessionView};
use avinode_ingest::store::demo_data::{self, NewSession};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::pool::Pool;

/// A session with a conversation and an agent of its own. By default it is active, has a request and no trip, and its step is
/// `understanding_request`.
#[derive(Debug, Clone)]
pub struct SessionBuilder {
    new: NewSession,
    rfq: Option<String>,
}

impl SessionBuilder {
    pub fn new() -> Self {
        Self {
            new: NewSession {
                name: "a test".to_owned(),
                trip_id: None,
                has_request: true,
                status: "active".to_owned(),
                current_step: Some("understanding_request".to_owned()),
                counts: [0, 0, 0],
            },
            rfq: None,
        }
    }

    /// A session with this trip id, in any spelling.
    pub fn of_trip(trip_id: &str) -> Self {
        Self::new().trip(Some(trip_id))
    }

    pub fn trip(mut self, trip_id: Option<&str>) -> Self {
        self.new.trip_id = trip_id.map(str::to_owned);
        self
    }

    pub fn rfq(mut self, rfq_id: &str) -> Self {
        self.rfq = Some(rfq_id.to_owned());
        self
    }

    /// The subject of its conversation.
    pub fn subject(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.new.name);
        self
    }

    pub fn without_request(mut self) -> Self {
        self.new.has_request = false;
        self
    }

    pub fn status(mut self, status: &str) -> Self {
        status.clone_into(&mut self.new.status);
        self
    }

    pub fn step(mut self, step: Option<&str>) -> Self {
        self.new.current_step = step.map(str::to_owned);
        self
    }

    /// Quotes received, quotes expected and operators contacted.
    pub fn counts(mut self, counts: [i32; 3]) -> Self {
        self.new.counts = counts;
        self
    }

    pub async fn insert(self, pool: &Pool) -> Uuid {
        let session = demo_data::session(pool, &self.new).await.unwrap();
        if let Some(rfq) = &self.rfq {
            set_rfq(pool, session, Some(rfq)).await;
        }
        session
    }
}

/// A broker with a request and a conversation about it: the rows to which a session refers.
#[derive(Debug, Clone, Copy)]
pub struct SessionReferences {
    /// `iso_agents.id`.
    pub agent: Uuid,
    /// `requests.id`.
    pub request: Uuid,
    /// `conversations.id`.
    pub conversation: Uuid,
}

impl SessionReferences {
    pub async fn insert(pool: &Pool) -> Self {
        let agent = insert_agent(pool).await;
        Self::of_agent(pool, agent).await
    }

    /// Another request of an agent, with a conversation about it.
    pub async fn of_agent(pool: &Pool, agent: Uuid) -> Self {
        let request = sqlx::query_scalar(
            "INSERT INTO public.requests
                (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers)
             VALUES (gen_random_uuid(), $1, 'KTEB', 'KPBI', '2026-12-24T09:00:00Z', 4) RETURNING id",
        )
        .bind(agent)
        .fetch_one(pool)
        .await
        .unwrap();
        let conversation = sqlx::query_scalar(
            "INSERT INTO public.conversations (id, request_id, subject)
             VALUES (gen_random_uuid(), $1, 'To Palm Beach') RETURNING id",
        )
        .bind(request)
        .fetch_one(pool)
        .await
        .unwrap();
        Self {
            agent,
            request,
            conversation,
        }
    }

    /// The smallest input that creates a session.
    pub fn input(self) -> NewChatSession {
        NewChatSession {
            conversation_id: self.conversation,
            iso_agent_id: self.agent,
            request_id: Some(self.request),
            ..NewChatSession::default()
        }
    }

    /// The same as the body of an HTTP request.
    pub fn body(self) -> Value {
        json!({"conversation_id": self.conversation, "iso_agent_id": self.agent, "request_id": self.request})
    }

    /// Inserts a quote of the request.
    pub async fn insert_quote(self, pool: &Pool, avinode_quote_id: Option<&str>) -> Uuid {
        sqlx::query_scalar(
            "INSERT INTO public.quotes (id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type,
                status, avinode_quote_id)
             VALUES (gen_random_uuid(), $1, 'company-1', 'Northwind Jets', 48250, 48250.00, 'Light Jet', 'received', $2)
             RETURNING id",
        )
        .bind(self.request)
        .bind(avinode_quote_id)
        .fetch_one(pool)
        .await
        .unwrap()
    }

    /// Inserts a proposal of the request.
    pub async fn insert_proposal(self, pool: &Pool) -> Uuid {
        sqlx::query_scalar(
            "INSERT INTO public.proposals (id, request_id, iso_agent_id, file_name, file_url, proposal_number, title)
             SELECT id, $1, $2, 'a.pdf', 'https://files.example/a.pdf', id::text, 'A proposal'
             FROM gen_random_uuid() AS new (id) RETURNING id",
        )
        .bind(self.request)
        .bind(self.agent)
        .fetch_one(pool)
        .await
        .unwrap()
    }
}

/// Inserts a broker's agent.
pub async fn insert_agent(pool: &Pool) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name)
         SELECT id, 'user_' || id, id || '@broker.example', 'A Broker' FROM gen_random_uuid() AS new (id) RETURNING id",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Sets columns of a session, as the application does.
pub async fn update_session(pool: &Pool, session: Uuid, columns: &str) {
    let statement = format!("UPDATE public.chat_sessions SET {columns} WHERE id = '{session}'");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

/// Sets a session's trip id, as the application does.
pub async fn set_trip_id(pool: &Pool, session: Uuid, trip_id: Option<&str>) {
    sqlx::query("UPDATE public.chat_sessions SET avinode_trip_id = $2 WHERE id = $1")
        .bind(session)
        .bind(trip_id)
        .execute(pool)
        .await
        .unwrap();
}

/// Sets a session's RFQ, as the application does.
pub async fn set_rfq(pool: &Pool, session: Uuid, rfq_id: Option<&str>) {
    sqlx::query("UPDATE public.chat_sessions SET avinode_rfq_id = $2 WHERE id = $1")
        .bind(session)
        .bind(rfq_id)
        .execute(pool)
        .await
        .unwrap();
}

/// A session as the admin commands show it.
pub async fn view(pool: &Pool, session: Uuid) -> SessionView {
    admin::sessions(pool, &[session]).await.unwrap().remove(0)
}

/// The number of quotes that a session has received.
pub async fn quote_count(pool: &Pool, session: Uuid) -> i32 {
    view(pool, session).await.quotes_received_count
}

/// A session's quote count and primary quote.
pub async fn count_and_primary(pool: &Pool, session: Uuid) -> (i32, Option<String>) {
    let view = view(pool, session).await;
    (view.quotes_received_count, view.primary_quote)
}

/// The expected [`count_and_primary`] of a session with a primary quote.
pub fn with_primary(quotes: i32, primary: &str) -> (i32, Option<String>) {
    (quotes, Some(primary.to_owned()))
}
