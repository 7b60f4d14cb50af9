//! Parses database URLs without ever repeating their secrets, and creates pools that connect when they are first used.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use super::transaction::Pool;

/// More than our distinct statements per connection: one that falls out of the cache is parsed and planned again.
const STATEMENT_CACHE: usize = 256;

/// The parameters that sqlx knows. It logs any other with its value, which may be a secret under a misspelt name.
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

/// Parameters of libpq and of platforms whose names are logged when they are ignored.
const UNSUPPORTED_PARAMETERS: [&str; 11] = [
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "gssencmode",
    "keepalives",
    "pgbouncer",
    "pool_timeout",
    "schema",
    "sslcompression",
    "target_session_attrs",
    "tcp_user_timeout",
];

/// The messages never hold any part of the URL but the names of parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    #[error("the database URL does not begin with postgres:// or postgresql://")]
    Scheme,
    #[error(
        "the database URL cannot be parsed: it is postgres://user:password@host:port/database, with special \
         characters of the password percent-encoded"
    )]
    Syntax,
}

/// Parses a URL such as `postgres://user:password@host:5432/database`.
///
/// Parameters that sqlx does not know (`channel_binding`, `pgbouncer`, …) are ignored with a warning.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, DatabaseUrlError> {
    let url = url.trim();
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(DatabaseUrlError::Scheme);
    }
    if has_unencoded_password(url) {
        return Err(DatabaseUrlError::Syntax);
    }
    let (base, parameters) = url.split_once('?').unwrap_or((url, ""));
    let known = parameters
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .filter(|parameter| {
            let name = parameter.split('=').next().unwrap_or_default();
            let known = KNOWN_PARAMETERS.contains(&name) || name.starts_with("options[");
            if !known {
                // Another name may be part of a password that contains a question mark.
                let name = UNSUPPORTED_PARAMETERS
                    .into_iter()
                    .find(|unsupported| *unsupported == name);
                let name = name.unwrap_or("of an unknown name");
                tracing::warn!(
                    parameter = name,
                    "ignored the unsupported parameter {name} of the database URL"
                );
            }
            known
        });
    let known = known.collect::<Vec<_>>().join("&");
    let options = PgConnectOptions::from_str(&format!("{base}?{known}")).map_err(|_| DatabaseUrlError::Syntax)?;
    // sqlx leaves an IPv6 address in its brackets, and would look it up as a name.
    let literal = options
        .get_host()
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let options = match literal.map(str::to_owned) {
        Some(address) => options.host(&address),
        None => options,
    };
    // PgBouncer refuses unknown startup parameters, and since Postgres 12 this one is not needed: floats are written exactly.
    Ok(options.extra_float_digits(None))
}

/// Returns whether a password seems to contain `/`, `?` or `#`, which end the part of the URL that holds it: the rest would be taken
/// for the name of a database or of a parameter, and shown. An `@` there is part of a password, or must be encoded.
fn has_unencoded_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let database = path.split_once('/').map_or("", |(_, database)| database);
    let is_known = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        KNOWN_PARAMETERS.contains(&name)
    };
    let unknown = parameters.split('&').filter(|parameter| !is_known(parameter));
    rest.contains('#') || database.contains('@') || unknown.into_iter().any(|parameter| parameter.contains('@'))
}

/// Creates a pool of at most `max` connections without connecting. `application_name` is shown in `pg_stat_activity`;
/// `acquire_timeout` bounds the wait for a connection, new or returned.
///
/// A connection that was used a moment ago is not pinged, which would cost each transaction a round trip.
pub fn pool(options: PgConnectOptions, max: u32, application_name: &str, acquire_timeout: Duration) -> Pool {
    let connect = options
        .application_name(application_name)
        .statement_cache_capacity(STATEMENT_CACHE);
    Pool::direct(connect, max, acquire_timeout)
}

#[cfg(test)]
mod tests;
