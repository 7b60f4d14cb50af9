//! The checks of the database that a running service uses.

use super::finding::CheckResults;
use super::migrations::{self, CheckSettings};
use super::server;
use crate::postgres::transaction::Pool;

pub async fn run(pool: &Pool, settings: &CheckSettings) -> Result<CheckResults, sqlx::Error> {
    let mut results = CheckResults::default();
    let server = server::check(pool, &mut results).await?;
    migrations::check(pool, &server.role, settings, &mut results).await?;
    Ok(results)
}
