//! SQL of deliveries, facts, sessions and timelines. It loads, locks and writes; `domain` decides the changes.
//!
//! Lock order, everywhere: jobs, event keys, trips, RFQs, sessions (by id), facts, ledger. Multi-row writes are sorted by
//! key.

pub mod admin;
pub mod audit;
pub mod batches;
pub mod chat_sessions;
pub mod deliveries;
pub mod delivery_subjects;
pub mod demo_data;
pub mod documents;
pub mod event_keys;
pub mod facts;
pub mod merge_trips;
pub mod missing_expiries;
pub mod projection;
pub mod quote_requests;
pub mod readable_row;
pub mod redaction;
pub mod rejected_requests;
pub mod related_trips;
pub mod resync;
pub mod session_changes;
pub mod session_webhooks;
pub mod sessions;
pub mod timeline;
pub mod trip_lookup;
pub mod trips;
pub mod tx;
pub mod unprojected;
pub mod unused_facts;
pub mod version;
pub mod withheld;
pub mod write_mode;
