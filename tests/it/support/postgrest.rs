//! The application's requests as PostgREST makes them: one login that becomes one of the application's roles, with the
//! caller's claims, for a transaction each.

use serde_json::json;
use sqlx::{Postgres, Transaction};

use super::cluster::Db;
use super::pool::Pool;

/// PostgREST before a database that has Supabase's roles.
pub struct Postgrest {
    /// Connections of its login.
    pub pool: Pool,
}

impl Postgrest {
    /// Connects as its login when it is first needed.
    pub fn before(db: &Db) -> Self {
        let options = db.options.clone().username("authenticator");
        Self {
            pool: Pool::new(options, 6),
        }
    }

    /// A request of a broker, by the login.
    pub async fn agent(&self, login: &str) -> Transaction<'static, Postgres> {
        let claims = json!({"sub": login, "role": "authenticated"}).to_string();
        self.request("authenticated", &claims).await
    }

    /// A request of the application's own server.
    pub async fn server(&self) -> Transaction<'static, Postgres> {
        self.request("service_role", r#"{"role": "service_role"}"#).await
    }

    /// A request in any role, with any claims.
    pub async fn request(&self, role: &str, claims: &str) -> Transaction<'static, Postgres> {
        let mut tx = self.pool.application().await;
        sqlx::query(
            "SELECT set_config('search_path', 'public, extensions', true), set_config('role', $1, true),
                set_config('request.jwt.claims', $2, true)",
        )
        .bind(role)
        .bind(claims)
        .execute(&mut *tx)
        .await
        .unwrap();
        tx
    }
}
