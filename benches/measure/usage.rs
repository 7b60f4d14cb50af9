//! The resources of processes and of the database: CPU time and memory from /proc, WAL and commits from Postgres.

use sqlx::PgPool;

use crate::Result;

/// WAL bytes and commits of the database, and the CPU time of the service and of Postgres, each since its start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub wal_bytes: f64,
    pub commits: f64,
    pub service_seconds: f64,
    pub postgres_seconds: f64,
}

impl Usage {
    /// `service` is the process of the service, `postmaster` that of the server.
    pub async fn read(pool: &PgPool, service: u32, postmaster: u32) -> Result<Self> {
        // Backends report their commits with a delay of up to a second.
        let (wal_bytes, commits): (f64, f64) = sqlx::query_as(
            "SELECT (pg_current_wal_lsn() - '0/0')::float8, xact_commit::float8 FROM pg_stat_database
             WHERE datname = current_database()",
        )
        .fetch_one(pool)
        .await?;
        Ok(Self {
            wal_bytes,
            commits,
            service_seconds: cpu_seconds(service)?,
            postgres_seconds: tree_cpu_seconds(postmaster)?,
        })
    }

    /// The use since an earlier reading, per unit of work.
    pub fn since(self, earlier: Self, units: f64) -> Self {
        Self {
            wal_bytes: (self.wal_bytes - earlier.wal_bytes) / units,
            commits: (self.commits - earlier.commits) / units,
            service_seconds: (self.service_seconds - earlier.service_seconds) / units,
            postgres_seconds: (self.postgres_seconds - earlier.postgres_seconds) / units,
        }
    }
}

/// The CPU time of a process in user and kernel mode.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let fields = stat(pid)?;
    Ok(ticks(&fields, 11)? + ticks(&fields, 12)?)
}

/// The CPU time of a server: of its running processes, and of those that ended.
fn tree_cpu_seconds(postmaster: u32) -> Result<f64> {
    let own = stat(postmaster)?;
    let mut seconds = (11..=14).map(|field| ticks(&own, field)).sum::<Result<f64>>()?;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may end meanwhile; its time is then the postmaster's.
        let Ok(fields) = stat(pid) else { continue };
        if fields.get(1).is_some_and(|parent| *parent == postmaster.to_string()) {
            seconds += ticks(&fields, 11)? + ticks(&fields, 12)?;
        }
    }
    Ok(seconds)
}

/// The fields of /proc/PID/stat from the state on, which is field 0 here.
fn stat(pid: u32) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = text.rsplit_once(')').ok_or("no command in /proc/PID/stat")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

/// Linux counts CPU time in hundredths of a second (USER_HZ), on every architecture that Rust and Postgres support.
fn ticks(fields: &[String], field: usize) -> Result<f64> {
    Ok(fields
        .get(field)
        .ok_or("a field is missing in /proc/PID/stat")?
        .parse::<f64>()?
        / 100.0)
}

/// A line of /proc/PID/status in MiB: `VmRSS`, or `VmHWM` for the peak.
pub fn memory_mib(pid: u32, line: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|it| it.starts_with(line))
        .ok_or("a line is missing in /proc/PID/status")?;
    let kib: f64 = line
        .split_whitespace()
        .nth(1)
        .ok_or("no number in /proc/PID/status")?
        .parse()?;
    Ok(kib / 1024.0)
}
