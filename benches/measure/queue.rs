//! The bare queue: jobs that do nothing, beside other Postgres queues. Each runs in a process and a database of its own, on the
//! same server: `benches/peers`.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::PgPool;

use crate::Result;
use crate::database::Database;
use crate::options::Options;
use crate::report::Section;
use crate::samples::{Samples, number};

/// Connections that each queue may use.
const CONNECTIONS: usize = 10;

/// A queue, and the program that measures it.
struct Queue {
    name: &'static str,
    program: Program,
    rates: Samples,
    ratios: Samples,
}

#[derive(Clone, Copy)]
enum Program {
    /// The argument of the program `peers`.
    Rust(&'static str),
    /// The script in `benches/peers/node`.
    Node(&'static str),
}

fn queues() -> Vec<Queue> {
    [
        ("ours, batches of 100", Program::Rust("ours-100")),
        ("ours, batches of 500", Program::Rust("ours-500")),
        ("ours, batches of 2,000", Program::Rust("ours-2000")),
        (
            "ours, batches of 500, in the handler's transaction",
            Program::Rust("ours-in-transaction"),
        ),
        ("graphile_worker 0.14 (Rust)", Program::Rust("graphile-worker-rust")),
        ("awa 0.6 (Rust)", Program::Rust("awa")),
        ("graphile-worker 0.17 (Node)", Program::Node("graphile_worker.mjs")),
        ("pg-boss 10.4 (Node)", Program::Node("pg_boss.mjs")),
    ]
    .map(|(name, program)| Queue {
        name,
        program,
        rates: Samples::default(),
        ratios: Samples::default(),
    })
    .into()
}

pub async fn measure(server: &Database, options: &Options) -> Result<Section> {
    let jobs = options.sized(100_000, 10_000);
    let mut queues = queues();
    build()?;
    let nodes = install_node_packages();
    if let Err(reason) = &nodes {
        println!("queue: the queues of Node are left out: {reason}");
        queues.retain(|queue| matches!(queue.program, Program::Rust(_)));
    }
    for round in 1..=options.rounds() {
        let mut rates = Vec::new();
        for (place, queue) in queues.iter_mut().enumerate() {
            let rate = run(server, &format!("queue_{place}"), queue.program, jobs).await?;
            println!("queue, round {round}: {}: {} jobs/s", queue.name, number(rate));
            queue.rates.push(rate);
            rates.push(rate);
        }
        let peers = queues
            .iter()
            .zip(&rates)
            .filter(|(queue, _)| !queue.name.starts_with("ours"));
        let fastest = peers.map(|(_, rate)| *rate).fold(0.0, f64::max);
        for (queue, rate) in queues.iter_mut().zip(rates) {
            queue.ratios.push(rate / fastest);
        }
    }
    let mut section = Section::new(
        "queue",
        format!(
            "{} jobs that do nothing, at most {CONNECTIONS} connections. The clock ends when the table shows that all are done.",
            number(jobs as f64)
        ),
        &["queue", "jobs/s", "÷ the fastest peer of the round"],
    );
    for queue in queues {
        section.row([queue.name.to_owned(), queue.rates.to_string(), queue.ratios.to_string()]);
    }
    Ok(section)
}

/// Measures a queue in a new database, which is dropped afterwards.
async fn run(server: &Database, database: &str, program: Program, jobs: usize) -> Result<f64> {
    server.cluster.create_database(database).await?;
    let (folder, jobs, connections) = (peers(), jobs.to_string(), CONNECTIONS.to_string());
    let mut command = match program {
        Program::Rust(queue) => {
            let mut command = Command::new(target().join("release/peers"));
            command.args([queue, "--database-url", &server.cluster.url(database)]);
            command.args(["--jobs", &jobs, "--connections", &connections]);
            command
        }
        Program::Node(script) => {
            let mut command = Command::new("node");
            command
                .arg(folder.join("node").join(script))
                .arg(server.cluster.socket_dir());
            command.args([database, &jobs, &connections]);
            command
        }
    };
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    drop_database(&server.pool, database).await?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let rate = stdout.lines().last().and_then(|line| line.trim().parse().ok());
    rate.ok_or_else(|| format!("{stdout}{}", String::from_utf8_lossy(&output.stderr)).into())
}

async fn drop_database(pool: &PgPool, database: &str) -> Result<()> {
    let statement = sqlx::AssertSqlSafe(format!("DROP DATABASE {database} WITH (FORCE)"));
    sqlx::raw_sql(statement).execute(pool).await?;
    Ok(())
}

/// Builds the program `peers`, which takes minutes the first time.
fn build() -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(peers().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(target())
        .env("SQLX_OFFLINE", "true")
        .status()?;
    match status.success() {
        true => Ok(()),
        false => Err("benches/peers does not build".into()),
    }
}

fn install_node_packages() -> std::result::Result<(), String> {
    let arguments = ["ci", "--no-audit", "--no-fund", "--prefix"];
    let output = Command::new("npm").args(arguments).arg(peers().join("node")).output();
    match output {
        Err(error) => Err(format!("npm cannot be run: {error}")),
        Ok(output) if !output.status.success() => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Ok(_) => Ok(()),
    }
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers")
}

/// Apart from the target folder of the product: the two share no features of a dependency.
fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers")
}
