//! What is tried of the server: reached, new enough, migrated, durable, on time, and whether its connections last.

use chrono::TimeDelta;

use super::finding::Finding;
use super::{Findings, attached};
use crate::cli::database::Database;
use crate::cli::failure::Failure;
use crate::cli::serve::Args;
use crate::clock::Clock;
use crate::postgres::cluster::major_version;
use crate::postgres::migrator::{SchemaStatus, schema_status};
use crate::postgres::probe::{self, OLDEST_VERSION, Server};
use crate::postgres::programs::{OLDEST_MAJOR, Programs};

/// Beyond this a clock is not kept by NTP.
const CLOCK_UNSURE: TimeDelta = TimeDelta::seconds(5);
/// Signatures with a time in them hold this long.
const CLOCK_WRONG: TimeDelta = TimeDelta::seconds(300);
/// Workers wait 300 ms for a lock, and must give way before Postgres chooses a victim.
const SHORTEST_DEADLOCK_TIMEOUT_MS: i32 = 1000;

/// Opens the database and tries everything of it.
pub async fn look(args: &Args, findings: &mut Findings) {
    let private = args.database.database_url.is_none();
    if private {
        let data_dir = args.database.data_dir();
        match Programs::find(
            args.database.postgres_bin.as_deref(),
            major_version(&data_dir.join("data")),
        ) {
            Ok(programs) => findings.add(Finding::ok(
                "programs",
                format!("Postgres {}, {}", programs.major(), programs.postgres().display()),
            )),
            Err(error) => {
                let failure = Failure::to("use the Postgres programs", error).unavailable();
                return findings.add(Finding::of_failure("programs", &failure));
            }
        }
    }
    let database = match Database::open_beside(&args.database).await {
        Ok(database) => database,
        Err(failure) => return findings.add(Finding::of_failure("database", &failure)),
    };
    findings.add(Finding::ok("database", place(args, &database)));
    if let Err(error) = ask(args, &database, findings).await {
        let failure = Failure::to("ask the database", error);
        findings.add(Finding::of_failure("database", &failure));
    }
    if let Err(failure) = database.close().await {
        findings.add(Finding::of_failure("database", &failure));
    }
}

fn place(args: &Args, database: &Database) -> String {
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

async fn ask(args: &Args, database: &Database, findings: &mut Findings) -> Result<(), sqlx::Error> {
    let pool = &database.pool;
    let server = probe::server(pool).await?;
    findings.add(version(&server));
    findings.extend(durable(&server));
    findings.add(locks(&server));
    let before = Clock::System.now();
    let theirs = probe::now(pool).await?;
    let ours = before + (Clock::System.now() - before) / 2;
    findings.add(clock(theirs - ours));
    findings.add(sessions(args, probe::sessions_last(pool).await?));
    match schema_status(pool).await {
        Ok(status) => {
            let usable = matches!(status, SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. });
            let migrates = args.serve.migrate || args.database.database_url.is_none();
            findings.add(schema(&status, migrates));
            if usable {
                attached::look(pool, &server.role, findings).await?;
            }
        }
        // Most likely our schema is closed to this role; the next lines then say which right is missing.
        Err(error) => {
            let failure = Failure::to("read the schema's version", error);
            findings.add(Finding::of_failure("schema", &failure));
            attached::rights(pool, &server.role, findings).await?;
        }
    }
    Ok(())
}

fn version(server: &Server) -> Finding {
    if server.version_num < OLDEST_VERSION {
        let found = format!("Postgres {} is too old", server.version);
        return Finding::failed("server", found, format!("{OLDEST_MAJOR} or newer is needed"));
    }
    if server.read_only {
        let found = format!("Postgres {} takes no writes", server.version);
        return Finding::failed("server", found, "name the primary server, and a role that may write");
    }
    Finding::ok("server", format!("Postgres {}, as {}", server.version, server.role))
}

/// What an answer of 200 rests on.
fn durable(server: &Server) -> Vec<Finding> {
    if !server.fsync {
        let found = "fsync is off: a crash of the machine loses what was answered 200";
        return vec![Finding::failed("durable", found, "set fsync = on and restart Postgres")];
    }
    let standby = if server.synchronous_standby_names.is_empty() {
        "no synchronous standby: a failover may lack the last moments"
    } else {
        "with a synchronous standby"
    };
    let mut found = vec![Finding::ok(
        "durable",
        format!(
            "fsync on; synchronous_commit {} for others, on for what is received; {standby}",
            server.synchronous_commit
        ),
    )];
    if !server.full_page_writes {
        found.push(Finding::warning(
            "durable",
            "full_page_writes is off: a crash of the machine may tear pages beyond repair",
            "set full_page_writes = on, unless the file system writes whole pages",
        ));
    }
    found
}

fn locks(server: &Server) -> Finding {
    let timeout = server.deadlock_timeout_ms;
    if timeout < SHORTEST_DEADLOCK_TIMEOUT_MS {
        return Finding::warning(
            "locks",
            format!(
                "deadlock_timeout is {timeout} ms: where the application and a worker wait for each other, Postgres may \
                 end the application's transaction"
            ),
            "set deadlock_timeout to 1s or more; workers give way after 300 ms",
        );
    }
    Finding::ok(
        "locks",
        format!("deadlock_timeout {timeout} ms; workers give way after 300 ms"),
    )
}

fn clock(ahead: TimeDelta) -> Finding {
    let difference = ahead.abs();
    let found = format!(
        "the database's clock and this machine's differ by {}.{:03} s",
        difference.num_seconds(),
        difference.num_milliseconds() % 1000
    );
    let remedy = "set both by NTP: signatures that carry a time hold for 300 s by this machine's clock";
    if difference > CLOCK_WRONG {
        Finding::failed("clock", found, remedy)
    } else if difference > CLOCK_UNSURE {
        Finding::warning("clock", found, remedy)
    } else {
        Finding::ok("clock", found)
    }
}

fn sessions(args: &Args, last: bool) -> Finding {
    match (last, args.database.pooler) {
        (true, false) => Finding::ok("pooler", "none that shares connections: LISTEN wakes the workers"),
        (true, true) => Finding::ok(
            "pooler",
            "INGEST_POOLER is set, though none is seen: no LISTEN, new work of other processes is found by polling",
        ),
        (false, true) => Finding::ok(
            "pooler",
            format!(
                "a transaction pooler: statements without names, no LISTEN, new work of other processes is found every \
                 {} ms; migrate over a direct connection",
                args.serve.poll.as_millis()
            ),
        ),
        (false, false) => Finding::failed(
            "pooler",
            "a transaction pooler is in between: LISTEN and the names of statements do not last",
            "name a direct connection in DATABASE_URL, or set INGEST_POOLER=true",
        ),
    }
}

fn schema(status: &SchemaStatus, migrates: bool) -> Finding {
    let remedy = "run avinode-ingest migrate, or start serve with --migrate";
    let older = |found: String| match migrates {
        true => Finding::ok("schema", format!("{found}; serve will migrate it")),
        false => Finding::failed("schema", found, remedy),
    };
    match status {
        SchemaStatus::Current { version } => Finding::ok("schema", format!("migrated, {version:04}")),
        SchemaStatus::PreRelease => Finding::failed(
            "schema",
            "migrated by a version before the first release, cannot be upgraded",
            "run avinode-ingest migrate for the ways to start again; stored deliveries are lost",
        ),
        SchemaStatus::Fresh => older("not migrated yet".to_owned()),
        SchemaStatus::Behind { applied, expected } => {
            older(format!("older than this program, {applied:04} of {expected:04}"))
        }
        SchemaStatus::Ahead { applied, expected } => Finding::warning(
            "schema",
            format!("newer than this program, {applied:04}; it knows {expected:04}"),
            "this works, but the newer program should be running",
        ),
        SchemaStatus::Dirty { version } => Finding::failed(
            "schema",
            format!("migration {version:04} was cut short, or its file has changed since"),
            "run avinode-ingest migrate, which says more",
        ),
    }
}

#[cfg(test)]
mod tests;
