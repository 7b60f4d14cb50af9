//! The conditions under which a process is ready, and the detail about the tables of the application.

use std::time::Duration;

use crate::http::readiness::{ReadinessProbe, StatusDetail};
use crate::ingest::receiving_health::ReceivingHealth;
use crate::postgres::application_tables;
use crate::postgres::cause::cause;
use crate::postgres::migrator::status::{SchemaStatus, schema_status};
use crate::postgres::transaction::Pool;
use crate::queue::overdue;

/// A process with workers is not ready if due jobs are not worked on for this long.
const OVERDUE: Duration = Duration::from_secs(60);

/// The tables of the application. A missing one is no reason to be not ready: deliveries are received, and jobs wait.
pub(super) fn tables(pool: &Pool) -> StatusDetail {
    let pool = pool.clone();
    StatusDetail::new("application", move || {
        let pool = pool.clone();
        Box::pin(async move {
            match application_tables::read(&pool).await {
                Ok(tables) => tables.to_string(),
                Err(_) => "unknown".to_owned(),
            }
        })
    })
}

/// Fails if a delivery could not be kept at this moment, and names the cause.
pub(super) fn receiving(health: ReceivingHealth) -> ReadinessProbe {
    ReadinessProbe::new("receiving", move || {
        let health = health.clone();
        Box::pin(async move { health.check().await })
    })
}

/// Fails if due jobs are not worked on.
pub(super) fn jobs(pool: &Pool) -> ReadinessProbe {
    let pool = pool.clone();
    ReadinessProbe::new("jobs", move || {
        let pool = pool.clone();
        Box::pin(async move {
            match overdue::is_work_standing_still(&pool, OVERDUE).await {
                Ok(false) => Ok(()),
                Ok(true) => Err("due for a minute, and none is worked on"),
                Err(error) => Err(cause(&error)),
            }
        })
    })
}

pub(super) fn probes(pool: &Pool) -> Vec<ReadinessProbe> {
    let database = pool.clone();
    let schema = pool.clone();
    vec![
        ReadinessProbe::new("database", move || {
            let pool = database.clone();
            Box::pin(async move { pool.ping().await.map_err(|error| cause(&error)) })
        }),
        ReadinessProbe::new("schema", move || {
            let pool = schema.clone();
            Box::pin(async move {
                match schema_status(&pool).await {
                    Ok(SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. }) => Ok(()),
                    Ok(SchemaStatus::Fresh | SchemaStatus::Behind { .. }) => Err("older than this program"),
                    Ok(SchemaStatus::TooNew(_)) => Err("too new for this program"),
                    Ok(SchemaStatus::PreRelease) => Err("migrated by a version before the first release"),
                    Ok(SchemaStatus::Dirty { .. }) => Err("a migration was interrupted"),
                    Ok(SchemaStatus::Encoding(_)) => Err("in a database that is not UTF-8"),
                    Err(_) => Err("unknown"),
                }
            })
        }),
    ]
}
