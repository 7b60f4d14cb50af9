//! What is tried of the server: reached, new enough, migrated, durable, on time, and whether its connections last.

use chrono::TimeDelta;

use super::finding::CheckResult;
use super::{CheckResults, schema};
use crate::cli::database::CommandDatabase;
use crate::cli::error::CliError;
use crate::cli::serve::ServeCommandArgs;
use crate::clock::Clock;
use crate::postgres::binaries::{OLDEST_MAJOR, PostgresBinaries};
use crate::postgres::cluster::major_version;
use crate::postgres::diagnostics::{self, OLDEST_VERSION, ServerInfo};
use crate::postgres::migrator::{SchemaStatus, schema_status};

/// Beyond this a clock is not kept by NTP.
const CLOCK_UNSURE: TimeDelta = TimeDelta::seconds(5);
/// Signatures with a time in them hold this long.
const CLOCK_WRONG: TimeDelta = TimeDelta::seconds(300);
/// Workers wait 300 ms for a lock, and must give way before Postgres chooses a victim.
const SHORTEST_DEADLOCK_TIMEOUT_MS: i32 = 1000;

/// Opens the database and tries everything of it.
pub async fn look(args: &ServeCommandArgs, findings: &mut CheckResults) {
    let private = args.database.database_url.is_none();
    if private {
        let data_dir = args.database.data_dir();
        match PostgresBinaries::find(
            args.database.postgres_bin.as_deref(),
            major_version(&data_dir.join("data")),
        ) {
            Ok(programs) => findings.add(CheckResult::ok(
                "programs",
                format!("Postgres {}, {}", programs.major(), programs.postgres().display()),
            )),
            Err(error) => {
                let failure = CliError::to("use the Postgres programs", error).unavailable();
                return findings.add(CheckResult::of_failure("programs", &failure));
            }
        }
    }
    let database = match CommandDatabase::open_beside(&args.database).await {
        Ok(database) => database,
        Err(failure) => return findings.add(CheckResult::of_failure("database", &failure)),
    };
    findings.add(CheckResult::ok("database", place(args, &database)));
    if let Err(error) = ask(args, &database, findings).await {
        let failure = CliError::to("ask the database", error);
        findings.add(CheckResult::of_failure("database", &failure));
    }
    if let Err(failure) = database.close().await {
        findings.add(CheckResult::of_failure("database", &failure));
    }
}

fn place(args: &ServeCommandArgs, database: &CommandDatabase) -> String {
    let home = args.database.data_dir();
    match (&args.database.database_url, &database.embedded) {
        (Some(_), _) => {
            let options = &database.options;
            let place = match options.get_socket() {
                Some(socket) => socket.display().to_string(),
                None => format!("{}:{}", options.get_host(), options.get_port()),
            };
            let name = options.get_database().unwrap_or(options.get_username());
            format!("{name} at {place} as {}", options.get_username())
        }
        (None, Some(_)) => format!("the private Postgres in {}, started for this check", home.display()),
        (None, None) => format!(
            "the private Postgres in {}, beside the service that runs it",
            home.display()
        ),
    }
}

async fn ask(
    args: &ServeCommandArgs,
    database: &CommandDatabase,
    findings: &mut CheckResults,
) -> Result<(), sqlx::Error> {
    let pool = &database.pool;
    let server = diagnostics::server(pool).await?;
    findings.add(version(&server));
    findings.extend(durable(&server));
    findings.add(locks(&server));
    let before = Clock::System.now();
    let theirs = diagnostics::now(pool).await?;
    let ours = before + (Clock::System.now() - before) / 2;
    findings.add(clock(theirs - ours));
    findings.add(sessions(args, diagnostics::sessions_last(pool).await?));
    match schema_status(pool).await {
        Ok(status) => {
            let usable = matches!(status, SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. });
            let migrates = args.serve.migrate || args.database.database_url.is_none();
            findings.add(schema(&status, migrates));
            if usable {
                schema::look(pool, &server.role, findings).await?;
            }
        }
        // Most likely our schema is closed to this role; the next lines then say which right is missing.
        Err(error) => {
            let failure = CliError::to("read the schema's version", error);
            findings.add(CheckResult::of_failure("schema", &failure));
            schema::rights(pool, &server.role, findings).await?;
        }
    }
    Ok(())
}

fn version(server: &ServerInfo) -> CheckResult {
    if server.version_num < OLDEST_VERSION {
        let found = format!("Postgres {} is too old", server.version);
        return CheckResult::failed("server", found, format!("{OLDEST_MAJOR} or newer is needed"));
    }
    if server.read_only {
        let found = format!("Postgres {} takes no writes", server.version);
        return CheckResult::failed("server", found, "name the primary server, and a role that may write");
    }
    CheckResult::ok("server", format!("Postgres {}, as {}", server.version, server.role))
}

/// What an answer of 200 rests on.
fn durable(server: &ServerInfo) -> Vec<CheckResult> {
    if !server.fsync {
        let found = "fsync is off: a crash of the machine loses what was answered 200";
        return vec![CheckResult::failed(
            "durable",
            found,
            "set fsync = on and restart Postgres",
        )];
    }
    let standby = if server.synchronous_standby_names.is_empty() {
        "no synchronous standby: a failover may lack the last moments"
    } else {
        "with a synchronous standby"
    };
    let mut found = vec![CheckResult::ok(
        "durable",
        format!(
            "fsync on; synchronous_commit {} for others, on for what is received; {standby}",
            server.synchronous_commit
        ),
    )];
    if !server.full_page_writes {
        found.push(CheckResult::warning(
            "durable",
            "full_page_writes is off: a crash of the machine may tear pages beyond repair",
            "set full_page_writes = on, unless the file system writes whole pages",
        ));
    }
    found
}

fn locks(server: &ServerInfo) -> CheckResult {
    let timeout = server.deadlock_timeout_ms;
    if timeout < SHORTEST_DEADLOCK_TIMEOUT_MS {
        return CheckResult::warning(
            "locks",
            format!(
                "deadlock_timeout is {timeout} ms: where the application and a worker wait for each other, Postgres may \
                 end the application's transaction"
            ),
            "set deadlock_timeout to 1s or more; workers give way after 300 ms",
        );
    }
    CheckResult::ok(
        "locks",
        format!("deadlock_timeout {timeout} ms; workers give way after 300 ms"),
    )
}

fn clock(ahead: TimeDelta) -> CheckResult {
    let difference = ahead.abs();
    let found = format!(
        "the database's clock and this machine's differ by {}.{:03} s",
        difference.num_seconds(),
        difference.num_milliseconds() % 1000
    );
    let remedy = "set both by NTP: signatures that carry a time hold for 300 s by this machine's clock";
    if difference > CLOCK_WRONG {
        CheckResult::failed("clock", found, remedy)
    } else if difference > CLOCK_UNSURE {
        CheckResult::warning("clock", found, remedy)
    } else {
        CheckResult::ok("clock", found)
    }
}

fn sessions(args: &ServeCommandArgs, last: bool) -> CheckResult {
    match (last, args.database.pooler) {
        (true, false) => CheckResult::ok("pooler", "none that shares connections: LISTEN wakes the workers"),
        (true, true) => CheckResult::ok(
            "pooler",
            "INGEST_POOLER is set, though none is seen: no LISTEN, new work of other processes is found by polling",
        ),
        (false, true) => CheckResult::ok(
            "pooler",
            format!(
                "a transaction pooler: statements without names, no LISTEN, new work of other processes is found every \
                 {} ms; migrate over a direct connection",
                args.serve.poll.as_millis()
            ),
        ),
        (false, false) => CheckResult::failed(
            "pooler",
            "a transaction pooler is in between: LISTEN and the names of statements do not last",
            "name a direct connection in DATABASE_URL, or set INGEST_POOLER=true",
        ),
    }
}

fn schema(status: &SchemaStatus, migrates: bool) -> CheckResult {
    let remedy = "run avinode-ingest migrate, or start serve with --migrate";
    let older = |found: String| match migrates {
        true => CheckResult::ok("schema", format!("{found}; serve will migrate it")),
        false => CheckResult::failed("schema", found, remedy),
    };
    match status {
        SchemaStatus::Current { version } => CheckResult::ok("schema", format!("migrated, {version:04}")),
        SchemaStatus::PreRelease => CheckResult::failed(
            "schema",
            "migrated by a version before the first release, cannot be upgraded",
            "run avinode-ingest migrate for the ways to start again; stored deliveries are lost",
        ),
        SchemaStatus::Fresh => older("not migrated yet".to_owned()),
        SchemaStatus::Behind { applied, expected } => {
            older(format!("older than this program, {applied:04} of {expected:04}"))
        }
        SchemaStatus::Ahead { applied, expected } => CheckResult::warning(
            "schema",
            format!("newer than this program, {applied:04}; it knows {expected:04}"),
            "this works, but the newer program should be running",
        ),
        SchemaStatus::Dirty { version } => CheckResult::failed(
            "schema",
            format!("migration {version:04} was cut short, or its file has changed since"),
            "run avinode-ingest migrate, which says more",
        ),
    }
}

#[cfg(test)]
mod tests;
