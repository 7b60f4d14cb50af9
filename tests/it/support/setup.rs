//! What a session refers to, as the application writes it: a broker, a request, a conversation, quotes, a proposal. Every
//! column that a strict application demands is filled, so that it fits a standalone and an attached database.

use super::pool::Pool;
use uuid::Uuid;

/// A broker with a request and a conversation about it.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// `iso_agents.id`.
    pub agent: Uuid,
    /// `requests.id`.
    pub request: Uuid,
    /// `conversations.id`.
    pub conversation: Uuid,
}

impl Stage {
    /// Makes one, unlike any other.
    pub async fn set(pool: &Pool) -> Self {
        let agent = agent(pool).await;
        let request = request(pool, agent).await;
        let conversation = conversation(pool, request).await;
        Self {
            agent,
            request,
            conversation,
        }
    }

    /// A quote of its request, by a row of the application's.
    pub async fn quote(self, pool: &Pool, avinode_quote_id: Option<&str>) -> Uuid {
        quote(pool, self.request, avinode_quote_id).await
    }

    /// A proposal of its request.
    pub async fn proposal(self, pool: &Pool) -> Uuid {
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

/// Another broker.
pub async fn agent(pool: &Pool) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.iso_agents (id, clerk_user_id, email, full_name)
         SELECT id, 'user_' || id, id || '@broker.example', 'A Broker' FROM gen_random_uuid() AS new (id) RETURNING id",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Another request of a broker.
pub async fn request(pool: &Pool, agent: Uuid) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.requests
            (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers)
         VALUES (gen_random_uuid(), $1, 'KTEB', 'KPBI', '2026-12-24T09:00:00Z', 4) RETURNING id",
    )
    .bind(agent)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// Another conversation about a request.
pub async fn conversation(pool: &Pool, request: Uuid) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.conversations (id, request_id, subject)
         VALUES (gen_random_uuid(), $1, 'To Palm Beach') RETURNING id",
    )
    .bind(request)
    .fetch_one(pool)
    .await
    .unwrap()
}

/// A quote of a request.
pub async fn quote(pool: &Pool, request: Uuid, avinode_quote_id: Option<&str>) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.quotes (id, request_id, operator_id, operator_name, base_price, total_price, aircraft_type,
            status, avinode_quote_id)
         VALUES (gen_random_uuid(), $1, 'company-1', 'Northwind Jets', 48250, 48250.00, 'Light Jet', 'received', $2)
         RETURNING id",
    )
    .bind(request)
    .bind(avinode_quote_id)
    .fetch_one(pool)
    .await
    .unwrap()
}
