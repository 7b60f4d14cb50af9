//! How a database is reached: an address parsed without ever repeating its secrets, and a pool that connects when it is
//! first needed.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::server_error::readable;
use super::transaction::Pool;

/// Distinct statements of ours per connection, with room to spare: one that falls out is parsed and planned again.
const STATEMENT_CACHE: usize = 256;

/// For how long a connection that worked is taken to work still.
const TRUSTED: Duration = Duration::from_secs(1);

/// The parameters that the driver knows. It logs any other with its value, which may be a secret spelt wrongly.
const KNOWN_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Why an address is none. The text never holds any part of the address but the names of parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme, or none.
    #[error("the database's address does not begin with postgres:// or postgresql://")]
    Scheme,
    /// The rest cannot be read.
    #[error(
        "the database's address cannot be read: it is postgres://user:password@host:port/database, with special \
         characters of the password percent-encoded"
    )]
    Unreadable,
}

/// Reads an address such as `postgres://user:password@host:5432/database`.
///
/// Parameters that the driver does not know (`channel_binding`, `pgbouncer`, …) are left out with a warning.
pub fn connect_options(address: &str) -> Result<PgConnectOptions, AddressError> {
    let address = address.trim();
    if !(address.starts_with("postgres://") || address.starts_with("postgresql://")) {
        return Err(AddressError::Scheme);
    }
    let (place, parameters) = address.split_once('?').unwrap_or((address, ""));
    let known = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .filter(|parameter| {
            let name = parameter.split('=').next().unwrap_or_default();
            let known = KNOWN_PARAMETERS.contains(&name) || name.starts_with("options[");
            if !known {
                tracing::warn!(
                    parameter = name,
                    "the database's address has a parameter that is not supported; left out"
                );
            }
            known
        });
    let known = known.collect::<Vec<_>>().join("&");
    let options = PgConnectOptions::from_str(&format!("{place}?{known}")).map_err(|_| AddressError::Unreadable)?;
    // PgBouncer refuses what it does not know among the settings of a connection, and this one no longer does anything:
    // since version 12 Postgres writes floats exactly.
    Ok(options.extra_float_digits(None))
}

/// A pool of at most `max` connections, none of them made yet. `application_name` is what operators see in
/// `pg_stat_activity`; `acquire_timeout` bounds the wait for a connection, to be made or to be given back.
///
/// A connection that was used a moment ago is not asked whether it still lives, which would cost each transaction a round
/// trip.
pub fn pool(options: PgConnectOptions, max: u32, application_name: &str, acquire_timeout: Duration) -> Pool {
    let connections = PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, idle| {
            Box::pin(async move {
                if idle.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(
            options
                .application_name(application_name)
                .statement_cache_capacity(STATEMENT_CACHE),
        );
    Pool::from(connections)
}

/// Replaces a pool's timeout, which says nothing else, by the error of one more attempt to connect.
pub async fn explain_timeout(options: &PgConnectOptions, error: sqlx::Error) -> sqlx::Error {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error;
    }
    match tokio::time::timeout(Duration::from_secs(3), options.connect()).await {
        Ok(Err(reason)) => readable(reason),
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            error
        }
        Err(_) => error,
    }
}

#[cfg(test)]
mod tests;
