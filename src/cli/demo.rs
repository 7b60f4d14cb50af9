//! `demo`: the main job on the fixtures, from nothing.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::database::EMBEDDED_DATABASE;
use super::failure::{Attempt, Failure};
use super::fixtures;
use super::manifest::Manifest;
use super::output::print;
use super::replay::send::{Delivery, Plan, client, send_all};
use super::replay::settle;
use super::replay::summary::Summary;
use super::scenario::{self, Staged};
use super::serve::policy;
use super::table::{Report, or_dash};
use crate::avinode::signature::signer::Signer;
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::config::secret::database_url;
use crate::config::serve::PrimaryQuote;
use crate::config::target::WEBHOOK_PATH;
use crate::config::values::address;
use crate::jobs::fetch::{KIND as THIN, standing};
use crate::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use crate::postgres::home::Home;
use crate::postgres::migrator;
use crate::postgres::pool::{connect_options, pool};
use crate::postgres::scratch::Scratch;
use crate::postgres::transaction::Pool;
use crate::queue::operate::{self, Filter, JobView};
use crate::service::{self, Settings};
use crate::shutdown;
use crate::store::inspect::SessionView;

/// What the demo takes. None of it, but where the Postgres programs are, comes from the environment: it must show the
/// same thing in every shell, and touch no database that the shell happens to name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when the work is done, with exit code 0 if every session is as the fixtures say, instead of staying up.
    #[arg(long)]
    pub exit: bool,

    /// Make, use and drop a database of the demo's own on this Postgres, instead of starting a throw-away one. The
    /// database named in the URL is not touched. DATABASE_URL is ignored here.
    #[arg(long, hide_env_values = true, value_name = "URL", value_parser = database_url)]
    pub database_url: Option<SecretString>,

    /// The folder of the fixtures and their manifest.
    #[arg(long, value_name = "FOLDER", default_value = "fixtures")]
    pub fixtures: PathBuf,

    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = address)]
    pub listen: SocketAddr,

    /// Which quote becomes a session's primary one. The manifest tells what `latest` leads to.
    #[arg(long, value_name = "POLICY", default_value = "latest")]
    pub primary_quote: PrimaryQuote,

    /// The folder of the Postgres programs (postgres, initdb), where they are not found by themselves.
    #[arg(long, env = "INGEST_POSTGRES_BIN", value_name = "FOLDER")]
    pub postgres_bin: Option<PathBuf>,
}

/// The demo signs with a secret of its own; it proves nothing to anybody else.
const SECRET: &str = "demo-secret-not-for-production";
/// How long the work may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The exit code of a demo that was interrupted before it had shown anything: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Runs the demo.
pub async fn run(args: Args) -> Result<ExitCode, Failure> {
    let shutdown = shutdown::on_signals().attempting("listen for signals")?;
    let manifest = Manifest::read(&args.fixtures).map_err(|error| {
        Failure::to("read the fixtures", error).hint("run it where fixtures/ is, or name them with --fixtures")
    })?;
    let place = Place::make(&args).await?;
    let demo = demo(&args, &manifest, &place, shutdown).await;
    let removed = place.remove().await;
    let code = demo?;
    removed?;
    Ok(code)
}

async fn demo(
    args: &Args,
    manifest: &Manifest,
    place: &Place,
    shutdown: CancellationToken,
) -> Result<ExitCode, Failure> {
    let applied = migrator::migrate(&place.options)
        .await
        .attempting("migrate the demo's database")?;
    print(format_args!("{}: {} migrations applied", place.what, applied.len()))?;
    let pool = pool(place.options.clone(), 8, "avinode-ingest demo", Duration::from_secs(10));
    let staged = Staged::make(&pool, manifest).await.attempting("make the sessions")?;
    print(format_args!("\nbefore\n{}\n", table(&staged, &pool).await?))?;

    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::to(format!("listen on {} (--listen)", args.listen), error).unavailable())?;
    let address = listener.local_addr().attempting("read the address listened on")?;
    let url = format!("http://{address}{WEBHOOK_PATH}");
    let verifier = Verifier::from_settings(Some(SECRET), None).attempting("make the verifier")?;
    let settings = Settings {
        policy: policy(args.primary_quote),
        ..Settings::default()
    };
    // Ends with the demo, whether or not somebody asked for it.
    let ending = shutdown.child_token();
    let service = tokio::spawn(service::run(listener, pool.clone(), verifier, settings, ending.clone()));
    // Asked first: a demo that stays up takes the end as its success.
    let shown = tokio::select! {
        biased;
        shown = show(args, &staged, &pool, &url, &shutdown) => shown,
        () = shutdown.cancelled() => Ok(ExitCode::from(INTERRUPTED)),
    };
    ending.cancel();
    let _ = service.await;
    pool.close().await;
    shown
}

async fn show(
    args: &Args,
    staged: &Staged<'_>,
    pool: &Pool,
    url: &str,
    shutdown: &CancellationToken,
) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let summary = send(args, url).await?;
    settle::wait_until_settled(pool, PATIENCE)
        .await
        .attempting("wait until the work is done")?;
    if staged
        .afterwards(pool)
        .await
        .attempting("write as the application does")?
        > 0
    {
        settle::wait_until_settled(pool, PATIENCE)
            .await
            .attempting("wait until the sessions are matched")?;
    }
    let sessions = staged.sessions(pool).await.attempting("read the sessions")?;
    let elapsed = began.elapsed().as_millis();
    print(format_args!(
        "after {} deliveries in {elapsed} ms\n{}",
        summary.total(),
        render(staged, &sessions)
    ))?;
    let (unserved, because) = standing::unserved(pool).await.attempting("ask how fetching stands")?;
    let jobs = operate::list(
        pool,
        &Filter {
            limit: 10_000,
            unserved,
            because,
            ..Filter::default()
        },
    )
    .await
    .attempting("list what waits")?;
    print(format_args!("\nwhat waits, and why\n{}", waiting(&jobs)))?;

    let mut differences = staged.differences(&sessions);
    let count = |state: &str, kind: Option<&str>| {
        let of_kind = |job: &&JobView| job.state == state && kind.is_none_or(|kind| job.kind == kind);
        jobs.iter().filter(of_kind).count() as u64
    };
    let found = (count("waiting", Some(THIN)), count("dead", None));
    if found != staged.expected_jobs() {
        differences.push(format!(
            "{found:?} jobs wait and are dead, expected {:?}",
            staged.expected_jobs()
        ));
    }
    if !summary.is_clean() {
        differences.push(summary.refusal());
    }
    let as_expected = differences.is_empty() && args.primary_quote == PrimaryQuote::Latest;
    match args.primary_quote {
        PrimaryQuote::Latest if as_expected => print("\nevery session is as fixtures/manifest.json says")?,
        PrimaryQuote::Latest => print(format_args!("\nnot as expected:\n{}", differences.join("\n")))?,
        _ => print("\nthe manifest tells what the policy latest leads to; not compared")?,
    }
    if args.exit {
        let failed = args.primary_quote == PrimaryQuote::Latest && !as_expected;
        return Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    print(format_args!(
        "\nlistening on {url}\n\
         try:  avinode-ingest replay --url {url} --secret {SECRET} --shuffle 7   (nothing changes: all of it is known)\n\
         Ctrl-C ends the demo and removes its database"
    ))?;
    shutdown.cancelled().await;
    Ok(ExitCode::SUCCESS)
}

async fn send(args: &Args, url: &str) -> Result<Summary, Failure> {
    // One moment for all files: two that are the same before it is filled in are the same afterwards.
    let now = Clock::System.now();
    let fixtures = fixtures::read(std::slice::from_ref(&args.fixtures)).attempting("read the fixtures")?;
    let deliveries = fixtures
        .iter()
        .map(|fixture| Ok(Delivery::new(fixture.path.display(), fixture.body(now)?)))
        .collect::<Result<Vec<_>, fixtures::FixtureError>>()
        .attempting("fill in the placeholders")?;
    let signer = Signer::from_settings(Some(SECRET), None).attempting("make the signer")?;
    let signer = signer.ok_or_else(|| Failure::plain("the demo has no secret"))?;
    let client = client(url).attempting("make an HTTP client")?;
    let plan = Plan {
        deliveries,
        concurrency: 4,
        rate: None,
    };
    Ok(send_all(&plan, url, &client, &signer, Clock::System, &|_, _| ()).await)
}

async fn table(staged: &Staged<'_>, pool: &Pool) -> Result<String, Failure> {
    let sessions = staged.sessions(pool).await.attempting("read the sessions")?;
    Ok(render(staged, &sessions))
}

fn render(staged: &Staged<'_>, sessions: &[SessionView]) -> String {
    let mut report = Report::new([
        "session",
        "trip",
        "status",
        "step",
        "quotes",
        "primary quote",
        "operator",
        "price",
    ])
    .numbers(&[4, 7]);
    for (name, session) in staged.names.iter().zip(sessions) {
        report.row([
            name.clone(),
            or_dash(session.avinode_trip_id.clone()),
            match &session.avinode_trip_status {
                Some(trip) => format!("{}, trip {trip}", session.status),
                None => session.status.clone(),
            },
            or_dash(session.current_step.clone()),
            format!("{} / {}", session.quotes_received_count, session.quotes_expected_count),
            or_dash(session.primary_quote.clone()),
            or_dash(session.primary_operator.clone()),
            or_dash(scenario::price(session)),
        ]);
    }
    report.to_string()
}

/// Jobs of one kind, state and reason on one line: a hundred quotes that expire some day are one fact.
fn waiting(jobs: &[JobView]) -> String {
    let mut groups: BTreeMap<(String, &str, &str), usize> = BTreeMap::new();
    for job in jobs {
        let why = match (job.kind.as_str(), &job.reason) {
            ("thin", _) => "a thin notification is only a hint: its resource is to be fetched from Avinode".to_owned(),
            ("expire", None) => "a quote expires then, and the primary quote is elected anew".to_owned(),
            (_, Some(reason)) => reason.clone(),
            (_, None) => "to be worked on".to_owned(),
        };
        *groups.entry((why, &job.kind, &job.state)).or_default() += 1;
    }
    let mut report = Report::new(["jobs", "kind", "state", "why"]).numbers(&[0]);
    for ((why, kind, state), count) in groups {
        report.row([count.to_string(), kind.to_owned(), state.to_owned(), why]);
    }
    if report.is_empty() {
        "nothing".to_owned()
    } else {
        report.to_string()
    }
}

/// Where the demo happens.
struct Place {
    what: String,
    options: PgConnectOptions,
    embedded: Option<EmbeddedPostgres>,
    scratch: Option<Scratch>,
}

impl Place {
    async fn make(args: &Args) -> Result<Self, Failure> {
        if let Some(url) = &args.database_url {
            let server = connect_options(url.expose_secret())
                .map_err(|error| Failure::setting(format!("--database-url: {error}")))?;
            let scratch = Scratch::make(&server).await.map_err(|error| {
                Failure::to("make the demo's database on the server of --database-url", error).unavailable()
            })?;
            let what = format!("database {} on the given server", scratch.name());
            return Ok(Self {
                what,
                options: scratch.options(),
                embedded: None,
                scratch: Some(scratch),
            });
        }
        let began = Instant::now();
        let embedded = EmbeddedPostgres::start(EmbeddedOptions {
            bin_dir: args.postgres_bin.clone(),
            home: Home::ThrowAway,
            settings: Vec::new(),
        })
        .await
        .map_err(|error| Failure::to("start a throw-away Postgres", error).unavailable())?;
        embedded
            .create_database(EMBEDDED_DATABASE)
            .await
            .attempting("make the demo's database")?;
        let what = format!("a throw-away Postgres, started in {} ms", began.elapsed().as_millis());
        let options = embedded.options(EMBEDDED_DATABASE);
        Ok(Self {
            what,
            options,
            embedded: Some(embedded),
            scratch: None,
        })
    }

    async fn remove(self) -> Result<(), Failure> {
        if let Some(scratch) = self.scratch {
            scratch.remove().await.attempting("drop the demo's database")?;
        }
        if let Some(embedded) = self.embedded {
            embedded.stop().await.attempting("stop the throw-away Postgres")?;
        }
        Ok(())
    }
}
