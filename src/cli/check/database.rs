//! The checks of the database: whether it can be reached, and what `admin` checks of it. Only here the pooler is checked, which takes
//! connections of a command.

use crate::admin::check::finding::{CheckName, CheckResult, CheckResults};
use crate::admin::check::migrations::{self, CheckSettings};
use crate::admin::check::server;
use crate::cli::database::{self, CommandDatabase, OPTIONAL_ENCRYPTION, embedded_options};
use crate::cli::error::CliError;
use crate::cli::serve::ServeCommandArgs;
use crate::postgres::cluster::major_version;
use crate::postgres::diagnostics;
use crate::postgres::embedded::EmbeddedPostgres;
use crate::postgres::encryption;
use crate::postgres::error::EmbeddedError;

const DATABASE: CheckName = CheckName("database");
const PROGRAMS: CheckName = CheckName("programs");
const SCHEMA: CheckName = CheckName("schema");
const POOLER: CheckName = CheckName("pooler");

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
    if let Err(error) = run(args, &database, results).await {
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

async fn run(
    args: &ServeCommandArgs,
    database: &CommandDatabase,
    results: &mut CheckResults,
) -> Result<(), sqlx::Error> {
    let pool = &database.pool;
    let server = server::check(pool, results).await?;
    results.add(pooler(args, diagnostics::keeps_sessions(pool).await?));
    let settings = CheckSettings {
        migrates: args.serve.migrate || args.database.database_url.is_none(),
        standalone_sessions: args.database.standalone_sessions,
        delivery_retention: args.serve.retention.delivery_retention,
    };
    migrations::check(pool, &server.role, &settings, results).await
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
