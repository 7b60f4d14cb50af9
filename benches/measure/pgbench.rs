//! The baseline of receiving: the same rows, inserted by pgbench.

use std::process::Command;

use avinode_ingest::postgres::binaries::PostgresBinaries;

use crate::Result;
use crate::backlog::event;
use crate::database::Database;

/// Inserts one delivery and one job per transaction, in a prepared statement, and returns the transactions per second.
pub fn run(database: &Database, connections: usize, seconds: u64) -> Result<f64> {
    let pgbench = PostgresBinaries::find(None, None)?.program("pgbench");
    let script = std::env::temp_dir().join(format!("avinode-measure-{}.sql", std::process::id()));
    // UUIDs of version 7 like ours: random ones would write more index pages.
    let uuid_v7 = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') \
                   || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid";
    let text = event(1, 1_000).replace('\'', "''");
    std::fs::write(
        &script,
        format!(
            "WITH kept AS (INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body) \
             VALUES ({uuid_v7}, clock_timestamp(), 'hmac#1', 'content-type: application/json', '{text}'::bytea) RETURNING id) \
             INSERT INTO avinode_ingest.jobs (kind, batch_key, delivery_id) SELECT 'full_event', 'atrip-80000001', id FROM kept;\n"
        ),
    )?;
    let (connections, seconds) = (connections.to_string(), seconds.to_string());
    let output = Command::new(pgbench)
        .args([
            "-n",
            "-M",
            "prepared",
            "-c",
            &connections,
            "-j",
            "2",
            "-T",
            &seconds,
            "-f",
        ])
        .arg(&script)
        .args([
            "-h",
            &database.cluster.socket_dir().to_string_lossy(),
            "-U",
            "avinode",
            &database.name,
        ])
        .output()?;
    std::fs::remove_file(&script)?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = stdout
        .lines()
        .find(|line| line.starts_with("tps"))
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(line
        .split_whitespace()
        .nth(2)
        .ok_or("pgbench printed no number")?
        .parse()?)
}
