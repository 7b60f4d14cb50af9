//! Parses database URLs without ever repeating their secrets. Several hosts are read as libpq reads them; sqlx parses the rest, once for
//! each host, because it knows one host only.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

pub use self::error::DatabaseUrlError;
use self::host_list::{Host, host_list};
use super::hosts::{DatabaseHosts, RequiredState};

mod error;
mod host_list;

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
/// The state in which a host is used; sqlx does not know it.
const REQUIRED_STATE: &str = "target_session_attrs";

/// Parameters of libpq and of platforms whose names are logged when they are ignored.
const UNSUPPORTED_PARAMETERS: [&str; 11] = [
    "channel_binding",
    "connect_timeout",
    "connection_limit",
    "gssencmode",
    "keepalives",
    "load_balance_hosts",
    "pgbouncer",
    "pool_timeout",
    "schema",
    "sslcompression",
    "tcp_user_timeout",
];

/// Parses a URL such as `postgres://user:password@host:5432/database`, or one with several hosts.
///
/// Parameters that neither sqlx nor this function knows (`channel_binding`, `pgbouncer`, …) are ignored with a warning.
pub fn parse(url: &str) -> Result<DatabaseHosts, DatabaseUrlError> {
    let url = url.trim();
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .ok_or(DatabaseUrlError::Scheme)?;
    if has_unencoded_password(rest) {
        return Err(DatabaseUrlError::Syntax);
    }
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = path.split_once('/').unwrap_or((path, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (Some(user), hosts),
        None => (None, authority),
    };
    let parameters: Vec<&str> = parameters.split('&').filter(|parameter| is_used(parameter)).collect();
    let (of_hosts, others): (Vec<&str>, Vec<&str>) = parameters
        .into_iter()
        .partition(|parameter| ["host", "hostaddr", "port"].contains(&name(parameter)));
    let (states, others): (Vec<&str>, Vec<&str>) = others
        .into_iter()
        .partition(|parameter| name(parameter) == REQUIRED_STATE);
    let hosts = host_list(hosts, &of_hosts)?;
    let required = required_state(states.last().copied(), hosts.len())?;
    // A URL with a user needs a host; the parameters replace this one.
    let host = if !hosts.is_empty() && hosts.iter().all(Host::has_name) {
        "localhost"
    } else {
        ""
    };
    let authority = user.map_or_else(String::new, |user| format!("{user}@{host}"));
    let base = format!("postgres://{authority}/{database}?{}", others.join("&"));
    let options = |host: &Host| {
        let url = format!("{base}&{}", host.parameters());
        // PgBouncer refuses unknown startup parameters, and since Postgres 12 this one is not needed: floats are written exactly.
        let options = PgConnectOptions::from_str(&url).map(|options| options.extra_float_digits(None));
        options.map_err(|_| DatabaseUrlError::Syntax)
    };
    let hosts = match hosts.is_empty() {
        true => vec![options(&Host::default())?],
        false => hosts.iter().map(options).collect::<Result<_, _>>()?,
    };
    Ok(DatabaseHosts::new(hosts, required))
}

fn name(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

/// Returns whether a parameter is known; logs a warning if it is not.
fn is_used(parameter: &str) -> bool {
    let name = name(parameter);
    let used = KNOWN_PARAMETERS.contains(&name) || name == REQUIRED_STATE || name.starts_with("options[");
    if !used && !parameter.is_empty() {
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
    used
}

/// With several hosts, one that accepts writes is required unless the URL says otherwise.
fn required_state(parameter: Option<&str>, hosts: usize) -> Result<RequiredState, DatabaseUrlError> {
    match parameter.map(|parameter| parameter.split_once('=').unwrap_or_default().1) {
        None if hosts > 1 => Ok(RequiredState::Writable),
        None | Some("any") => Ok(RequiredState::Any),
        Some("read-write") => Ok(RequiredState::Writable),
        Some("primary") => Ok(RequiredState::Primary),
        Some(_) => Err(DatabaseUrlError::RequiredState),
    }
}

/// Returns whether a password seems to contain `/`, `?` or `#`, which end the part of the URL that holds it: the rest would be taken
/// for the name of a database or of a parameter, and shown. An `@` there is part of a password, or must be encoded.
fn has_unencoded_password(rest: &str) -> bool {
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let database = path.split_once('/').map_or("", |(_, database)| database);
    let mut unknown = parameters
        .split('&')
        .filter(|parameter| !KNOWN_PARAMETERS.contains(&name(parameter)));
    rest.contains('#') || database.contains('@') || unknown.any(|parameter| parameter.contains('@'))
}

#[cfg(test)]
mod tests;
