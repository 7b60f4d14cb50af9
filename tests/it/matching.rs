//! Sessions and events find each other: by trip id, by RFQ, and after a merge of trips.

mod races;
mod request_trips;
mod rfqs;
mod several_sessions;
mod trip_ids;
mod trip_merge;
