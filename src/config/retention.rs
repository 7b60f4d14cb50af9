//! Settings for how long the service's own tables keep their rows, one for each table.

use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::setting_error::SettingError;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Retention")]
pub struct RetentionArgs {
    /// How long deliveries are kept at least (7d to 3650d). They are dropped by the month, and kept while a job needs them.
    #[arg(long, env = "INGEST_DELIVERY_RETENTION", value_name = "DURATION", default_value = "180d",
          value_parser = duration("7d", "3650d"))]
    pub delivery_retention: Duration,

    /// How long the ids of applied events are kept (7d to 3650d), at least as long as deliveries. An event that is delivered again
    /// after that is not reported as a duplicate.
    #[arg(long, env = "INGEST_EVENT_KEY_RETENTION", value_name = "DURATION", default_value = "400d",
          value_parser = duration("7d", "3650d"))]
    pub event_key_retention: Duration,

    /// How long the outcomes of finished jobs are kept (1d to 3650d).
    #[arg(long, env = "INGEST_OUTCOME_RETENTION", value_name = "DURATION", default_value = "90d",
          value_parser = duration("1d", "3650d"))]
    pub outcome_retention: Duration,

    /// How long dead jobs are kept, with their deliveries (7d to 3650d).
    #[arg(long, env = "INGEST_DEAD_JOB_RETENTION", value_name = "DURATION", default_value = "365d",
          value_parser = duration("7d", "3650d"))]
    pub dead_job_retention: Duration,

    /// How long fetched documents are kept (1d to 3650d). That a resource was fetched is kept as long as event keys are.
    #[arg(long, env = "INGEST_DOCUMENT_RETENTION", value_name = "DURATION", default_value = "30d",
          value_parser = duration("1d", "3650d"))]
    pub document_retention: Duration,

    /// How long the entries of sessions' timelines are kept (30d to 3650d).
    #[arg(long, env = "INGEST_TIMELINE_RETENTION", value_name = "DURATION", default_value = "730d",
          value_parser = duration("30d", "3650d"))]
    pub timeline_retention: Duration,

    /// How long what is known of a trip without a session is kept after the last activity of the trip (90d to 3650d).
    #[arg(long, env = "INGEST_FACT_RETENTION", value_name = "DURATION", default_value = "730d",
          value_parser = duration("90d", "3650d"))]
    pub fact_retention: Duration,

    /// How long the audit log, batches and the digests of redacted deliveries are kept (30d to 3650d).
    #[arg(long, env = "INGEST_AUDIT_RETENTION", value_name = "DURATION", default_value = "730d",
          value_parser = duration("30d", "3650d"))]
    pub audit_retention: Duration,
}

impl RetentionArgs {
    /// Refuses event keys that are deleted before their deliveries: a replay would report other outcomes than before.
    pub fn check(&self) -> Result<(), SettingError> {
        if self.event_key_retention >= self.delivery_retention {
            return Ok(());
        }
        Err(SettingError::new(
            "INGEST_EVENT_KEY_RETENTION (--event-key-retention)",
            format_args!(
                "\"{}\" is less than INGEST_DELIVERY_RETENTION (--delivery-retention), {}",
                humantime::format_duration(self.event_key_retention),
                humantime::format_duration(self.delivery_retention)
            ),
        ))
    }
}
