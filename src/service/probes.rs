//! The conditions under which a process is ready.

use crate::http::readiness::ReadinessProbe;
use crate::postgres::migrator::{SchemaStatus, schema_status};
use crate::postgres::transaction::Pool;

pub(super) fn probes(pool: &Pool) -> Vec<ReadinessProbe> {
    let database = pool.clone();
    let schema = pool.clone();
    vec![
        ReadinessProbe::new("database", move || {
            let pool = database.clone();
            Box::pin(async move { pool.ping().await.map_err(|_| "does not answer") })
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
