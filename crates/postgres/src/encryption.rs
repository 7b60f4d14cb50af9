//! Encryption of the connection to the server.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Returns `true` for a connection to another machine that is encrypted only if the server offers it, as without `sslmode` in the URL:
/// a machine between the two can read and change everything.
pub fn is_optional(options: &PgConnectOptions) -> bool {
    let is_optional = matches!(options.get_ssl_mode(), PgSslMode::Prefer | PgSslMode::Allow);
    is_optional && options.get_socket().is_none() && !is_this_machine(options.get_host())
}

fn is_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    // A path is the folder of a socket.
    host == "localhost" || host.starts_with('/') || address.is_some_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::connect_options;

    #[test]
    fn encryption_is_optional_without_sslmode_to_another_host() {
        for (url, optional) in [
            ("postgres://u:p@db.example:5432/d", true),
            ("postgres://u:p@192.0.2.1/d?sslmode=prefer", true),
            ("postgres://u:p@db.example/d?sslmode=require", false),
            ("postgres://u:p@db.example/d?sslmode=disable", false),
            ("postgres://u:p@localhost/d", false),
            ("postgres://u:p@127.0.0.2/d", false),
            ("postgres://u:p@[::1]/d", false),
            ("postgres:///d?host=/run/postgresql", false),
        ] {
            assert_eq!(is_optional(&connect_options(url).unwrap()), optional, "{url}");
        }
    }
}
