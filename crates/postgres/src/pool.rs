//! Creates pools that connect when they are first used.

use std::time::Duration;

use super::hosts::DatabaseHosts;
use super::transaction::Pool;

/// More than our distinct statements per connection: one that falls out of the cache is parsed and planned again.
const STATEMENT_CACHE: usize = 256;

/// Creates a pool of at most `max` connections without connecting. `application_name` is shown in `pg_stat_activity`;
/// `acquire_timeout` bounds the wait for a connection, new or returned.
///
/// A connection that was used a moment ago is not pinged, which would cost each transaction a round trip.
pub fn pool(hosts: impl Into<DatabaseHosts>, max: u32, application_name: &str, acquire_timeout: Duration) -> Pool {
    let hosts = hosts.into().with(|options| {
        options
            .application_name(application_name)
            .statement_cache_capacity(STATEMENT_CACHE)
    });
    Pool::direct(hosts, max, acquire_timeout)
}
