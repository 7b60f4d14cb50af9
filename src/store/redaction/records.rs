//! The tables that hold texts beside the bodies of deliveries and documents. A table that gets a column with such texts is added here;
//! a test reads every column of the schema.

use super::text_table::{By, RedactedTable, RowWrite};

/// In the order in which they are redacted.
pub const TABLES: [RedactedTable; 7] = [
    RedactedTable {
        name: "quote_facts",
        key: &[("trip_key", "text"), ("quote_id", "text")],
        texts: &[
            "operator_id",
            "operator_name",
            "aircraft_type",
            "aircraft_tail",
            "decline_reason",
            "projection_error",
            "description",
            "history",
            "declines",
            "stated_values",
            "projected_values",
        ],
        read: &[],
        by: Some(("trip_key", By::Trip)),
        is_in_scope: |_, _| true,
        redact: |redaction, row| redaction.quote_row(row),
        write: RowWrite::Update,
        locks_trip: true,
    },
    RedactedTable {
        name: "rfqs",
        key: &[("trip_key", "text"), ("rfq_id", "text")],
        texts: &["decline_reason", "declines"],
        read: &[],
        by: Some(("trip_key", By::Trip)),
        is_in_scope: |_, _| true,
        redact: |redaction, row| redaction.rfq_row(row),
        write: RowWrite::Update,
        locks_trip: true,
    },
    RedactedTable {
        name: "timeline",
        key: &[("session_id", "uuid"), ("seq", "bigint")],
        texts: &["detail"],
        read: &[],
        by: Some(("session_id", By::Session)),
        is_in_scope: |scope, row| scope.has_entry(row),
        redact: |redaction, row| {
            row.get_mut("detail")
                .is_some_and(|detail| redaction.timeline_detail(detail))
        },
        write: RowWrite::Update,
        locks_trip: false,
    },
    // A value that is deleted does not count as Avinode's any more: the application's row keeps it.
    RedactedTable {
        name: "inserted_values",
        key: &[("quote_id", "text"), ("part", "text"), ("value", "text")],
        texts: &[],
        read: &[],
        by: Some(("quote_id", By::Quote)),
        is_in_scope: |_, row| {
            !matches!(
                row["part"].as_str(),
                Some("price" | "currency" | "valid_until" | "capacity")
            )
        },
        redact: |redaction, row| {
            row.get_mut("value")
                .is_some_and(|value| redaction.strings(&mut value.clone(), &|_| false))
        },
        write: RowWrite::Delete,
        locks_trip: false,
    },
    RedactedTable {
        name: "outcomes",
        key: &[("job_id", "bigint")],
        texts: &["detail", "warning"],
        read: &["key", "delivery_id"],
        by: None,
        is_in_scope: |scope, row| scope.has_job(row),
        redact: |redaction, row| redaction.columns(row, &["detail", "warning"]),
        write: RowWrite::Update,
        locks_trip: false,
    },
    RedactedTable {
        name: "dead_jobs",
        key: &[("id", "bigint")],
        texts: &["reason", "history"],
        read: &["key", "delivery_id"],
        by: None,
        is_in_scope: |scope, row| scope.has_job(row),
        redact: |redaction, row| redaction.columns(row, &["reason", "history"]),
        write: RowWrite::Update,
        locks_trip: false,
    },
    RedactedTable {
        name: "jobs",
        key: &[("id", "bigint")],
        texts: &["history"],
        read: &["key", "delivery_id", "batch_key"],
        by: None,
        is_in_scope: |scope, row| scope.has_job(row),
        redact: |redaction, row| redaction.columns(row, &["history"]),
        write: RowWrite::Update,
        locks_trip: false,
    },
];
