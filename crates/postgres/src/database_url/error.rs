//! The reasons for which a database URL is refused.

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
    #[error(
        "the hosts of the database URL cannot be parsed: they are host1:port1,host2:port2, with an IPv6 address in \
         brackets and the slashes of a socket's folder percent-encoded"
    )]
    Hosts,
    #[error("the database URL has {hosts} hosts and {ports} ports: give as many, or one port for all")]
    Ports { hosts: usize, ports: usize },
    #[error("the database URL has {hosts} hosts and {addresses} addresses in hostaddr: give as many")]
    Addresses { hosts: usize, addresses: usize },
    #[error(
        "target_session_attrs of the database URL must be read-write, primary or any: the service writes, so it cannot use a \
         server that is read-only or a standby"
    )]
    RequiredState,
}
