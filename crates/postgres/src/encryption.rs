//! Encryption of the connection to the server.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::hosts::DatabaseHosts;

/// Returns `true` if a host is another machine, and the connection to it is encrypted only if the server offers it, as without `sslmode` in the URL:
/// a machine between the two can read and change everything.
pub fn is_optional(hosts: &DatabaseHosts) -> bool {
    hosts.all().iter().any(is_optional_to)
}

fn is_optional_to(options: &PgConnectOptions) -> bool {
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
    use crate::database_url::parse;

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
            ("postgres://u:p@localhost,db.example/d", true),
            ("postgres://u:p@localhost,[::1]/d", false),
            ("postgres://u:p@localhost,db.example/d?sslmode=verify-full", false),
        ] {
            assert_eq!(is_optional(&parse(url).unwrap()), optional, "{url}");
        }
    }
}
