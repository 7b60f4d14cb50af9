//! Gauges of the connections of all pools of this process.

pub(super) const IN_USE: &str = "avinode_ingest_database_connections_in_use";
/// Tasks that wait for a connection.
pub(super) const WAITING: &str = "avinode_ingest_database_connections_waiting";
/// Connections that may be opened.
pub(super) const LIMIT: &str = "avinode_ingest_database_connections_limit";

/// A number that is a part of a gauge until this is dropped.
#[derive(Debug)]
pub(super) struct Counted {
    gauge: &'static str,
    number: u32,
}

impl Counted {
    pub(super) fn new(gauge: &'static str, number: u32) -> Self {
        metrics::gauge!(gauge).increment(number);
        Self { gauge, number }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(self.gauge).decrement(self.number);
    }
}
