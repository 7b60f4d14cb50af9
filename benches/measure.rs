//! The numbers of README's "Measured", made anew: `cargo bench --bench measure` (about two minutes, loopback only).
//!
//! Not a micro-benchmark harness: what is promised is about processes, so real ones are measured from outside. The release
//! binary serves from a private, durable cluster; the load comes over sockets from this process, on the same cores.
//! `-- --short` does everything once and small, to see that it still runs.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::clock::Clock;
use avinode_ingest::postgres::embedded::{EmbeddedOptions, EmbeddedPostgres};
use avinode_ingest::postgres::home::Home;
use avinode_ingest::postgres::migrator;
use avinode_ingest::postgres::programs::Programs;
use avinode_ingest::postgres::transaction::Pool;
use avinode_ingest::store::inspect;
use avinode_ingest::store::seed::{self, NewSession};
use sqlx::PgPool;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const SECRET: &str = "a-secret-for-measuring-only";
const CONNECTIONS: usize = 64;

fn main() -> Result<()> {
    let short = std::env::args().any(|argument| argument == "--short");
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(short))
}

async fn measure(short: bool) -> Result<()> {
    let (rounds, seconds, light) = if short { (1, 1, 20) } else { (5, 5, 500) };
    let cluster = EmbeddedPostgres::start(EmbeddedOptions {
        bin_dir: None,
        home: Home::ThrowAway,
        settings: Vec::new(),
    })
    .await?;
    cluster.create_database("measured").await?;
    migrator::migrate(&cluster.options("measured")).await?;
    let pool = PgPool::connect_with(cluster.options("measured")).await?;
    let url = cluster.url("measured");

    println!("settings: {}", durable(&pool).await?);
    let mut starts = Vec::new();
    for _ in 0..rounds {
        let serve = Serve::start(&url, "both", 18091).await?;
        starts.push(serve.ready_after.as_secs_f64() * 1000.0);
        serve.stop().await?;
    }
    println!("start-up to ready, existing database: {} ms", spread(&mut starts));

    let serve = Serve::start(&url, "both", 18091).await?;
    println!("resident at rest: {:.1} MiB", serve.resident_mib()?);
    let mut latencies = latency(&Pool::from(pool.clone()), 18091, light).await?;
    println!(
        "request to visible session change, one at a time, {light} quotes: median {:.2} ms, p99 {:.2} ms",
        percentile(&mut latencies, 50),
        percentile(&mut latencies, 99)
    );
    let (rate, p50, p99) = flood(18091, seconds, 0).await?;
    println!(
        "receiving with workers, {CONNECTIONS} connections: {rate:.0}/s (p50 {p50:.1} ms, p99 {p99:.1} ms), resident {:.1} MiB",
        serve.resident_mib()?
    );
    let drained = drain(&pool).await?;
    println!(
        "worked off: {drained:.0} jobs/s with 2 workers, resident {:.1} MiB",
        serve.resident_mib()?
    );
    serve.stop().await?;

    let (mut ours, mut theirs, mut ratios, mut p99s) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        truncate(&pool).await?;
        let serve = Serve::start(&url, "receive", 18091).await?;
        let (rate, _, p99) = flood(18091, seconds, round).await?;
        let resident = serve.resident_mib()?;
        serve.stop().await?;
        truncate(&pool).await?;
        let inserts = pgbench(&cluster, seconds)?;
        println!(
            "round {round}: {rate:.0} deliveries/s (p99 {p99:.1} ms, {resident:.1} MiB), pgbench {inserts:.0} rows/s"
        );
        ours.push(rate);
        theirs.push(inserts);
        ratios.push(rate / inserts);
        p99s.push(p99);
    }
    println!(
        "receiving only: {} deliveries/s, p99 {} ms",
        spread(&mut ours),
        spread(&mut p99s)
    );
    println!(
        "pgbench, one row of each table a transaction, prepared: {} rows/s",
        spread(&mut theirs)
    );
    println!("ratio, pair by pair: {}", spread(&mut ratios));
    pool.close().await;
    cluster.stop().await?;
    Ok(())
}

/// The release binary, serving.
struct Serve {
    child: Child,
    ready_after: Duration,
}

impl Serve {
    async fn start(url: &str, role: &str, port: u16) -> Result<Self> {
        let began = Instant::now();
        let child = Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
            .args([
                "serve",
                "--role",
                role,
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--database-url",
                url,
            ])
            .args(["--webhook-secret", SECRET, "--log-level", "warn"])
            .stdin(Stdio::null())
            .spawn()?;
        loop {
            if ready(port).await.unwrap_or(false) {
                return Ok(Self {
                    child,
                    ready_after: began.elapsed(),
                });
            }
            if began.elapsed() > Duration::from_secs(30) {
                return Err("serve is not ready after 30 s".into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn resident_mib(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .ok_or("no VmRSS")?;
        let kib: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024.0)
    }

    async fn stop(mut self) -> Result<()> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id())?);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        tokio::task::spawn_blocking(move || self.child.wait()).await??;
        Ok(())
    }
}

async fn ready(port: u16) -> Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}

fn body(event_id: &str, trip: &str, quote: &str) -> String {
    format!(
        r#"{{"event":"TripRequestSellerResponse","eventId":"{event_id}","timestamp":"2026-01-02T03:04:05.678Z","apiVersion":"v1.0","data":{{"type":"TripRequestSellerResponse","trip":{{"id":"{trip}","href":"https://sandbox.avinode.com/api/trips/{trip}"}},"request":{{"id":"arfq-12345678","href":"https://sandbox.avinode.com/api/rfqs/arfq-12345678","status":"quoted"}},"seller":{{"id":"seller-77","name":"Example Person","companyId":"company-42","companyName":"Northwind Jets"}},"quote":{{"id":"{quote}","href":"https://sandbox.avinode.com/api/quotes/{quote}","totalPrice":{{"amount":18500.50,"currency":"USD"}},"aircraft":{{"type":"Light Jet","model":"Example 300","tailNumber":"N000XX","capacity":7}},"schedule":{{"departureTime":"2026-03-01T09:00:00Z","arrivalTime":"2026-03-01T11:40:00Z"}}}}}}}}"#
    )
}

fn request(signer: &Signer, body: &str) -> Vec<u8> {
    let mut head = format!(
        "POST /webhooks/avinode HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in signer.sign("msg", body.as_bytes(), Clock::System.now()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{body}").into_bytes()
}

fn signer() -> Result<Signer> {
    Ok(Signer::from_settings(Some(SECRET), None)?.ok_or("no signer")?)
}

/// Sends a request on a kept-alive connection and waits for the whole answer.
async fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<()> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the connection was closed".into());
        }
        // The answer is {"delivery":"…"}.
        if buffer.ends_with(b"}") {
            break;
        }
    }
    if buffer.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(buffer).into())
    }
}

/// Milliseconds from the request's first byte until another connection to the database sees the session changed.
async fn latency(pool: &Pool, port: u16, count: usize) -> Result<Vec<f64>> {
    let signer = signer()?;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut buffer, mut latencies) = (Vec::new(), Vec::new());
    for number in 0..count {
        let trip = format!("atrip-7{number:07}");
        let session = seed::session(
            pool,
            &NewSession {
                name: "measured".to_owned(),
                trip_id: Some(trip.clone()),
                has_request: true,
                status: "active".to_owned(),
                current_step: None,
                counts: [0, 0, 0],
            },
        )
        .await?;
        // The match of the new session is not what is measured.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let request = request(
            &signer,
            &body(&format!("evt-light-{number}"), &trip, &format!("aquote-7{number}")),
        );
        let began = Instant::now();
        exchange(&mut stream, &request, &mut buffer).await?;
        while inspect::sessions(pool, &[session]).await?[0].primary_quote.is_none() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err("the session did not change".into());
            }
            // Asking without a pause would take the processors from what is waited for.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        latencies.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(latencies)
}

/// Deliveries a second over all connections, with p50 and p99 of the answers in milliseconds.
async fn flood(port: u16, seconds: u64, round: usize) -> Result<(f64, f64, f64)> {
    let mut tasks = Vec::new();
    let began = Instant::now();
    for connection in 0..CONNECTIONS {
        tasks.push(tokio::spawn(async move {
            let signer = signer()?;
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let (mut buffer, mut latencies) = (Vec::new(), Vec::new());
            while began.elapsed() < Duration::from_secs(seconds) {
                let number = latencies.len();
                // A hundred quotes a trip: what a busy broker sees, and some contention for the workers.
                let trip = format!("atrip-8{:07}", (number * CONNECTIONS + connection) / 100);
                let id = format!("{round}-{connection}-{number}");
                let request = request(&signer, &body(&format!("evt-{id}"), &trip, &format!("aquote-{id}")));
                let sent = Instant::now();
                exchange(&mut stream, &request, &mut buffer).await?;
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
            }
            Result::Ok(latencies)
        }));
    }
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let rate = latencies.len() as f64 / began.elapsed().as_secs_f64();
    Ok((rate, percentile(&mut latencies, 50), percentile(&mut latencies, 99)))
}

/// Jobs finished a second until none of the flood is left.
async fn drain(pool: &PgPool) -> Result<f64> {
    let count = || async {
        sqlx::query_scalar::<_, i64>("SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'event'")
            .fetch_one(pool)
            .await
    };
    let (first, began) = (count().await?, Instant::now());
    while count().await? > 0 {
        if began.elapsed() > Duration::from_secs(180) {
            return Err("the queue did not drain".into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(first as f64 / began.elapsed().as_secs_f64())
}

async fn truncate(pool: &PgPool) -> Result<()> {
    sqlx::raw_sql("TRUNCATE avinode_ingest.deliveries, avinode_ingest.jobs; CHECKPOINT")
        .execute(pool)
        .await?;
    Ok(())
}

async fn durable(pool: &PgPool) -> Result<String> {
    Ok(sqlx::query_scalar(
        "SELECT format('PostgreSQL %s, fsync %s, synchronous_commit %s, full_page_writes %s',
            current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
            current_setting('full_page_writes'))",
    )
    .fetch_one(pool)
    .await?)
}

/// The same rows by pgbench: one delivery and one job in one prepared statement, its own transaction, per client.
fn pgbench(cluster: &EmbeddedPostgres, seconds: u64) -> Result<f64> {
    let programs = Programs::find(None, None)?;
    let bin: PathBuf = programs.initdb().parent().ok_or("no folder")?.to_owned();
    let script = std::env::temp_dir().join(format!("avinode-measure-{}.sql", std::process::id()));
    // Ids in the order of time, as ours: random ones would write more index pages.
    let uuid_v7 = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') \
                   || substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid";
    let text = body("evt-1-63-123456", "atrip-80000001", "aquote-1-63-123456").replace('\'', "''");
    std::fs::write(
        &script,
        format!(
            "WITH kept AS (INSERT INTO avinode_ingest.deliveries (id, received_at, verified_by, headers, body) \
             VALUES ({uuid_v7}, clock_timestamp(), 'hmac#1', 'content-type: application/json', '{text}'::bytea) RETURNING id) \
             INSERT INTO avinode_ingest.jobs (kind, delivery_id) SELECT 'event', id FROM kept;\n"
        ),
    )?;
    let output = Command::new(bin.join("pgbench"))
        .args([
            "-n",
            "-M",
            "prepared",
            "-c",
            &CONNECTIONS.to_string(),
            "-j",
            "2",
            "-T",
            &seconds.to_string(),
            "-f",
        ])
        .arg(&script)
        .args([
            "-h",
            &cluster.socket_dir().to_string_lossy(),
            "-U",
            "avinode",
            "measured",
        ])
        .output()?;
    std::fs::remove_file(&script)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said
        .lines()
        .find(|line| line.starts_with("tps"))
        .ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(line.split_whitespace().nth(2).ok_or("no number")?.parse()?)
}

fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get((values.len() * percent / 100).min(values.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

fn spread(values: &mut [f64]) -> String {
    let median = percentile(values, 50);
    format!(
        "{median:.2} (from {:.2} to {:.2})",
        values.first().unwrap_or(&0.0),
        values.last().unwrap_or(&0.0)
    )
}
