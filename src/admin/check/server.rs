//! The checks of the database server: version, durability, locks and clock.

use chrono::TimeDelta;

use super::finding::{CheckName, CheckResult, CheckResults};
use crate::clock::Clock;
use crate::postgres::binaries::OLDEST_MAJOR;
use crate::postgres::diagnostics::{self, OLDEST_VERSION, ServerInfo};
use crate::postgres::transaction::Pool;

const SERVER: CheckName = CheckName("server");
const DURABILITY: CheckName = CheckName("durability");
const LOCKS: CheckName = CheckName("locks");
const CLOCK: CheckName = CheckName("clock");

/// NTP keeps clocks closer than this.
const CLOCK_UNSYNCHRONIZED: TimeDelta = TimeDelta::seconds(5);
/// Signatures that carry a time are valid for this long.
const CLOCK_WRONG: TimeDelta = TimeDelta::seconds(300);
/// Workers wait 300 ms for a lock, and must give way before Postgres looks for a deadlock.
const MIN_DEADLOCK_TIMEOUT_MS: i32 = 1000;

/// Returns what the server said of itself.
pub async fn check(pool: &Pool, results: &mut CheckResults) -> Result<ServerInfo, sqlx::Error> {
    let server = diagnostics::server(pool).await?;
    results.add(version(&server));
    results.extend(durability(&server));
    results.add(locks(&server));
    let before = Clock::System.now();
    let theirs = diagnostics::now(pool).await?;
    let ours = before + (Clock::System.now() - before) / 2;
    results.add(clock(theirs - ours));
    Ok(server)
}

fn version(server: &ServerInfo) -> CheckResult {
    if server.version_num < OLDEST_VERSION {
        let message = format!("Postgres {} is too old", server.version);
        return SERVER.failed(message, format!("use Postgres {OLDEST_MAJOR} or newer"));
    }
    if server.read_only {
        let message = format!("Postgres {} accepts no writes", server.version);
        let remedy = "use the primary server, and a role and a database without default_transaction_read_only";
        return SERVER.failed(message, remedy);
    }
    SERVER.ok(format!("Postgres {}, as {}", server.version, server.role))
}

/// Checks the settings on which "200 means durable" depends.
fn durability(server: &ServerInfo) -> Vec<CheckResult> {
    if !server.fsync {
        let message = "fsync is off: a crash of the machine loses deliveries that were answered 200";
        let remedy = "set fsync = on and restart Postgres";
        return vec![DURABILITY.failed(message, remedy)];
    }
    let standby = if server.synchronous_standby_names.is_empty() {
        "no synchronous standby: a failover may lose the last moments"
    } else {
        "with a synchronous standby"
    };
    let mut results = vec![DURABILITY.ok(format!(
        "fsync on; synchronous_commit on for deliveries, {} by default; {standby}",
        server.synchronous_commit
    ))];
    if !server.full_page_writes {
        results.push(DURABILITY.warning(
            "full_page_writes is off: a crash of the machine may corrupt pages",
            "set full_page_writes = on, unless the file system writes pages atomically",
        ));
    }
    results
}

fn locks(server: &ServerInfo) -> CheckResult {
    let timeout = server.deadlock_timeout_ms;
    if timeout < MIN_DEADLOCK_TIMEOUT_MS {
        return LOCKS.warning(
            format!(
                "deadlock_timeout is {timeout} ms: in a deadlock with a worker, Postgres may cancel the application's \
                 transaction"
            ),
            "set deadlock_timeout to 1s or more; workers give way after 300 ms",
        );
    }
    LOCKS.ok(format!("deadlock_timeout {timeout} ms; workers give way after 300 ms"))
}

fn clock(ahead: TimeDelta) -> CheckResult {
    let difference = ahead.abs();
    let message = format!(
        "the clocks of the database and of this machine differ by {}.{:03} s",
        difference.num_seconds(),
        difference.num_milliseconds() % 1000
    );
    let remedy = "synchronize both by NTP: signatures that carry a time are valid for 300 s by this machine's clock";
    if difference > CLOCK_WRONG {
        CLOCK.failed(message, remedy)
    } else if difference > CLOCK_UNSYNCHRONIZED {
        CLOCK.warning(message, remedy)
    } else {
        CLOCK.ok(message)
    }
}

#[cfg(test)]
mod tests;
