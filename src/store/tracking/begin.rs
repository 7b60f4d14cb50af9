//! How a transaction of the sessions API begins.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};

/// How long one waits for a lock. Below Postgres's default `deadlock_timeout`, as the workers' patience is: where the API
/// and the application wait for each other, the API gives way and tries again.
const LOCK_TIMEOUT: &str = "300ms";
/// How long a statement of a usual call may run; a broker waits for it.
pub const USUAL: Duration = Duration::from_secs(5);
/// How long a statement over many sessions may run.
pub const LONG: Duration = Duration::from_secs(60);

/// A transaction that writes. Its commit waits for the disk: what was answered stays.
pub async fn writing(pool: &PgPool, patience: Duration) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "SELECT set_config('lock_timeout', $1, true) AS lock_timeout, \
         set_config('statement_timeout', $2, true) AS statement_timeout, \
         set_config('synchronous_commit', 'on', true) AS durable",
        LOCK_TIMEOUT,
        millis(patience),
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}

/// A transaction that cannot write, whatever is asked of it.
pub async fn reading(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "SELECT set_config('transaction_read_only', 'on', true) AS read_only, \
         set_config('statement_timeout', $1, true) AS statement_timeout",
        millis(USUAL),
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}

fn millis(patience: Duration) -> String {
    format!("{}ms", patience.as_millis())
}
