//! Latency under an open-model load: events are sent at fixed times, however long the answers take, and every latency counts
//! from the time at which the event was to be sent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use avinode_ingest::clock::Clock;

use crate::Result;
use crate::apply::WORKERS;
use crate::backlog::{self, Order, event, quote_id};
use crate::client::{Requests, accepted, is_complete};
use crate::database::Database;
use crate::options::Options;
use crate::receive::{CONNECTIONS, TRIPS};
use crate::report::Section;
use crate::samples::{Samples, number};
use crate::serve::Serve;

/// The number of the first event: higher than any of the backlog.
const FIRST: usize = 1_000_000;

/// A load of so many events a second.
#[derive(Debug, Clone, Copy)]
struct Load {
    rate: usize,
    seconds: usize,
    trips: usize,
}

/// p50, p99 and p99.9 in milliseconds, one value of each per round.
#[derive(Debug, Clone, Default)]
struct Percentiles([Samples; 3]);

impl Percentiles {
    fn push(&mut self, latencies: &Samples) {
        for (samples, percent) in self.0.iter_mut().zip([50.0, 99.0, 99.9]) {
            samples.push(latencies.percentile(percent));
        }
    }

    fn cells(&self) -> [String; 3] {
        self.0.each_ref().map(ToString::to_string)
    }
}

pub async fn measure(database: &Database, options: &Options) -> Result<Section> {
    let trips = options.sized(TRIPS, 100);
    let (seconds, older) = (options.sized(10, 1), options.sized(50_000, 500));
    let rates = options.rates();
    backlog::seed_trips(database, trips).await?;
    database.save("quiet").await?;
    backlog::receive(database, 0..older, trips, Order::Random).await?;
    database.save("older").await?;
    let mut results: BTreeMap<(usize, usize), [Percentiles; 2]> = BTreeMap::new();
    for round in 1..=options.rounds() {
        for (beside, state) in [(0, "quiet"), (older, "older")] {
            for rate in rates.clone() {
                database.restore(state).await?;
                let load = Load { rate, seconds, trips };
                let [answered, visible] = run(database, load).await?;
                println!(
                    "latency, round {round}: {rate} events/s beside {beside} older: answer p99 {:.1} ms, quote's row p99 {:.1} ms",
                    answered.percentile(99.0),
                    visible.percentile(99.0)
                );
                let [all_answered, all_visible] = results.entry((beside, rate)).or_default();
                all_answered.push(&answered);
                all_visible.push(&visible);
            }
        }
    }
    let mut section = Section::new(
        "latency",
        format!(
            "Events at fixed times for {seconds} s over {} trips with sessions and requests, {WORKERS} workers. Latencies in ms \
             from the time at which an event was to be sent. `row`: the commit that made the quote's row and the changed \
             session visible.",
            number(trips as f64)
        ),
        &[
            "older events waiting",
            "events/s",
            "answer p50",
            "p99",
            "p99.9",
            "row p50",
            "p99",
            "p99.9",
        ],
    );
    for ((beside, rate), [answered, visible]) in results {
        let ([answer_50, answer_99, answer_999], [row_50, row_99, row_999]) = (answered.cells(), visible.cells());
        let (beside, rate) = (number(beside as f64), number(rate as f64));
        section.row([beside, rate, answer_50, answer_99, answer_999, row_50, row_99, row_999]);
    }
    Ok(section)
}

/// Returns the milliseconds until the answers, and until the rows were visible.
async fn run(database: &Database, load: Load) -> Result<[Samples; 2]> {
    let serve = Serve::start(&database.url(), "both", WORKERS).await?;
    let port = serve.port;
    database.reset_statements().await?;
    let sent = tokio::task::spawn_blocking(move || send(port, load)).await??;
    backlog::wait_until_idle(database).await?;
    database.print_statements().await?;
    serve.stop().await?;
    // A row's xmin is the transaction that inserted it; nothing updates these rows later.
    let committed: Vec<(String, f64)> = sqlx::query_as(
        "SELECT avinode_quote_id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM public.quotes
         WHERE avinode_quote_id >= $1",
    )
    .bind(quote_id(FIRST))
    .fetch_all(&database.pool)
    .await?;
    let committed: BTreeMap<String, f64> = committed.into_iter().collect();
    let mut visible = Vec::with_capacity(sent.len());
    for event in &sent {
        let quote = quote_id(event.number);
        let row = committed.get(&quote).ok_or_else(|| format!("{quote} has no row"))?;
        visible.push((row - event.due) * 1000.0);
    }
    let answered = sent.iter().map(|event| (event.answered - event.due) * 1000.0);
    Ok([answered.collect(), visible.into_iter().collect()])
}

/// An event that was sent. Times are seconds since 1970, by the clock that Postgres uses.
struct SentEvent {
    number: usize,
    due: f64,
    answered: f64,
}

/// Sends the load from threads: a blocked one wakes within a tenth of a millisecond, a timer of tokio within one.
fn send(port: u16, load: Load) -> Result<Vec<SentEvent>> {
    let next = AtomicUsize::new(0);
    let (began, clock) = (Instant::now(), Clock::System.now().timestamp_micros() as f64 / 1e6);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| -> Result<Vec<SentEvent>> {
                    let requests = Requests::new()?;
                    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
                    stream.set_nodelay(true)?;
                    let mut sent = Vec::new();
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        if place >= load.rate * load.seconds {
                            return Ok(sent);
                        }
                        let due = Duration::from_secs_f64(place as f64 / load.rate as f64);
                        std::thread::sleep(due.saturating_sub(began.elapsed()));
                        let number = FIRST + place;
                        exchange(&mut stream, &requests.of(&event(number, load.trips)))?;
                        sent.push(SentEvent {
                            number,
                            due: clock + due.as_secs_f64(),
                            answered: clock + began.elapsed().as_secs_f64(),
                        });
                    }
                })
            })
            .collect();
        let mut sent = Vec::new();
        for thread in threads {
            sent.extend(thread.join().map_err(|_| "a thread of the load panicked")??);
        }
        Ok(sent)
    })
}

fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<()> {
    stream.write_all(request)?;
    let (mut response, mut buffer) = (Vec::new(), [0; 2048]);
    while !is_complete(&response) {
        match stream.read(&mut buffer)? {
            0 => return Err("the connection was closed".into()),
            read => response.extend_from_slice(&buffer[..read]),
        }
    }
    accepted(&response)
}
