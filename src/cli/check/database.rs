//! The checks of the database server: version, durability, locks, clock, pooler and schema.

use chrono::TimeDelta;

use super::finding::{CheckName, CheckResult};
use super::{CheckResults, schema};
use crate::cli::database::{self, CommandDatabase, OPTIONAL_ENCRYPTION, embedded_options};
use crate::cli::error::CliError;
use crate::cli::serve::ServeCommandArgs;
use crate::clock::Clock;
use crate::postgres::application_tables::{self, ApplicationTables};
use crate::postgres::binaries::OLDEST_MAJOR;
use crate::postgres::cluster::major_version;
use crate::postgres::diagnostics::{self, OLDEST_VERSION, ServerInfo};
use crate::postgres::embedded::EmbeddedPostgres;
use crate::postgres::encoding::UnsupportedEncoding;
use crate::postgres::encryption;
use crate::postgres::error::EmbeddedError;
use crate::postgres::migrator::compatibility::IncompatibleSchema;
use crate::postgres::migrator::status::{SchemaStatus, schema_status};

const DATABASE: CheckName = CheckName("database");
const PROGRAMS: CheckName = CheckName("programs");
const SCHEMA: CheckName = CheckName("schema");
const SERVER: CheckName = CheckName("server");
const DURABILITY: CheckName = CheckName("durability");
const LOCKS: CheckName = CheckName("locks");
const CLOCK: CheckName = CheckName("clock");
const APPLICATION: CheckName = CheckName("application");
const POOLER: CheckName = CheckName("pooler");

/// NTP keeps clocks closer than this.
const CLOCK_UNSYNCHRONIZED: TimeDelta = TimeDelta::seconds(5);
/// Signatures that carry a time are valid for this long.
const CLOCK_WRONG: TimeDelta = TimeDelta::seconds(300);
/// Workers wait 300 ms for a lock, and must give way before Postgres looks for a deadlock.
const MIN_DEADLOCK_TIMEOUT_MS: i32 = 1000;

pub async fn check(args: &ServeCommandArgs, results: &mut CheckResults) {
    let private = args.database.database_url.is_none();
    if private && !binaries(args, results).await {
        return;
    }
    if let Ok(Some(hosts)) = database::named(&args.database)
        && encryption::is_optional(&hosts)
    {
        results.add(DATABASE.warning(OPTIONAL_ENCRYPTION, "add sslmode=verify-full, or sslmode=require"));
    }
    let database = match CommandDatabase::open_running(&args.database).await {
        Ok(Some(database)) => database,
        Ok(None) => return results.extend(not_running(args)),
        Err(error) => return results.add(DATABASE.error(&error)),
    };
    results.add(DATABASE.ok(location(args, &database)));
    if let Err(error) = server(args, &database, results).await {
        let error = CliError::to("query the database", error);
        results.add(DATABASE.error(&error));
    }
    if let Err(error) = database.close().await {
        results.add(DATABASE.error(&error));
    }
}

/// Checks whether `serve` could start the private Postgres; returns false where it could not.
async fn binaries(args: &ServeCommandArgs, results: &mut CheckResults) -> bool {
    match EmbeddedPostgres::verify(&embedded_options(&args.database)).await {
        Ok(binaries) => {
            let (major, path) = (binaries.major(), binaries.postgres());
            results.add(PROGRAMS.ok(format!("Postgres {major}, {}", path.display())));
            true
        }
        Err(error) => {
            let check = if matches!(error, EmbeddedError::Binaries(_)) {
                PROGRAMS
            } else {
                DATABASE
            };
            let error = CliError::to("start the private Postgres", error).unavailable();
            results.add(check.error(&error));
            false
        }
    }
}

/// Nothing is started or created for a check.
fn not_running(args: &ServeCommandArgs) -> [CheckResult; 2] {
    let home = args.database.data_dir();
    let home = home.display();
    if major_version(&args.database.data_dir().join("data")).is_none() {
        return [
            DATABASE.ok(format!("serve will create a private Postgres in {home}")),
            SCHEMA.ok("serve will create it"),
        ];
    }
    let remedy = "run check again while serve is running";
    [
        DATABASE.ok(format!(
            "the private Postgres in {home} is not running; serve will start it"
        )),
        SCHEMA.warning("not checked, because the private Postgres is not running", remedy),
    ]
}

fn location(args: &ServeCommandArgs, database: &CommandDatabase) -> String {
    if args.database.database_url.is_none() {
        let home = args.database.data_dir();
        return format!("the private Postgres of the running service, in {}", home.display());
    }
    let hosts = &database.hosts;
    let connected = hosts.connected().unwrap_or_else(|| hosts.names());
    let others = match hosts.names() {
        names if names == connected => String::new(),
        names => format!(", of the hosts {names}"),
    };
    format!("{} at {connected} as {}{others}", hosts.database(), hosts.username())
}

async fn server(
    args: &ServeCommandArgs,
    database: &CommandDatabase,
    results: &mut CheckResults,
) -> Result<(), sqlx::Error> {
    let pool = &database.pool;
    let server = diagnostics::server(pool).await?;
    results.add(version(&server));
    results.extend(durability(&server));
    results.add(locks(&server));
    let before = Clock::System.now();
    let theirs = diagnostics::now(pool).await?;
    let ours = before + (Clock::System.now() - before) / 2;
    results.add(clock(theirs - ours));
    results.add(pooler(args, diagnostics::keeps_sessions(pool).await?));
    match schema_status(pool).await {
        Ok(status) => {
            let tables = application_tables::read(pool).await?;
            results.add(application(&tables, args.database.standalone_sessions));
            let usable = matches!(status, SchemaStatus::Current { .. } | SchemaStatus::Ahead { .. });
            let migrates = args.serve.migrate || args.database.database_url.is_none();
            results.add(schema(&status, migrates));
            if usable {
                let retention = args.serve.retention.delivery_retention;
                schema::check(pool, &server.role, tables.remedy().is_none(), retention, results).await?;
            }
        }
        // Most likely the role may not read our schema; the next lines then name the missing privileges.
        Err(error) => {
            let error = CliError::to("read the version of the schema", error);
            results.add(SCHEMA.error(&error));
            schema::privileges(pool, &server.role, results).await?;
        }
    }
    Ok(())
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

fn pooler(args: &ServeCommandArgs, sessions_last: bool) -> CheckResult {
    match (sessions_last, args.database.transaction_pooler) {
        (true, false) => POOLER.ok("no transaction pooler: LISTEN wakes the workers"),
        (true, true) => POOLER.ok(
            "INGEST_TRANSACTION_POOLER is set, but no transaction pooler was found; workers poll instead of using \
             LISTEN",
        ),
        (false, true) => POOLER.ok(format!(
            "a transaction pooler: statements have no names, workers poll every {}; migrate over a direct connection",
            humantime::format_duration(args.serve.poll_interval)
        )),
        (false, false) => POOLER.failed(
            "DATABASE_URL leads to a transaction pooler: LISTEN and named statements do not work",
            "use a direct connection, or set INGEST_TRANSACTION_POOLER=true",
        ),
    }
}

fn application(tables: &ApplicationTables, standalone_sessions: bool) -> CheckResult {
    match tables.remedy() {
        Some(remedy) if !standalone_sessions => APPLICATION.failed(tables.to_string(), remedy),
        Some(_) => APPLICATION.warning(
            tables.to_string(),
            "migrate will create them, as INGEST_STANDALONE_SESSIONS says",
        ),
        None => APPLICATION.ok(tables.to_string()),
    }
}

fn schema(status: &SchemaStatus, migrates: bool) -> CheckResult {
    let remedy = "run avinode-ingest migrate, or start serve with --migrate";
    let older = |message: String| match migrates {
        true => SCHEMA.ok(format!("{message}; serve will migrate it")),
        false => SCHEMA.failed(message, remedy),
    };
    match status {
        SchemaStatus::Current { version } => SCHEMA.ok(format!("up to date, migration {version:04}")),
        SchemaStatus::PreRelease => SCHEMA.failed(
            "migrated by a version before the first release, cannot be upgraded",
            "run avinode-ingest migrate for the ways to start again; stored deliveries are lost",
        ),
        SchemaStatus::Fresh => older("not migrated yet".to_owned()),
        SchemaStatus::Behind { applied, expected } => older(format!(
            "older than this program: migration {applied:04} of {expected:04}"
        )),
        SchemaStatus::Ahead { applied, expected } => SCHEMA.warning(
            format!("newer than this program: migration {applied:04}, it knows {expected:04}"),
            "this works, but use the newer program",
        ),
        SchemaStatus::TooNew(IncompatibleSchema { known, oldest }) => SCHEMA.failed(
            format!("too new for this program: it knows migration {known:04}, and needs to know {oldest:04}"),
            "run the newer program",
        ),
        SchemaStatus::Encoding(UnsupportedEncoding { encoding }) => SCHEMA.failed(
            format!("the encoding of the database is {encoding}, and UTF-8 is needed"),
            "use a database WITH TEMPLATE template0 ENCODING 'UTF8'; run avinode-ingest migrate for the steps",
        ),
        SchemaStatus::Dirty { version } => SCHEMA.failed(
            format!("migration {version:04} was interrupted, or its file has changed since"),
            "run avinode-ingest migrate, which explains it",
        ),
    }
}

#[cfg(test)]
mod tests;
