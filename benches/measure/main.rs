//! Measures the figures in `benches/RESULTS.md`: `make bench`, or `make bench ARGS='apply --rounds 1'` for a part.
//!
//! Not a micro-benchmark harness: the figures are about processes, so real ones are measured from outside. The release binary
//! serves from a private, durable cluster; the load comes from this process, on the same cores. See docs/benchmarks.md.

mod apply;
mod backlog;
mod client;
mod cost;
mod database;
mod fetching;
mod floor;
mod growth;
mod latency;
mod options;
mod pgbench;
mod processes;
mod queue;
mod receive;
mod report;
mod samples;
mod serve;
mod sink;
mod storage;
mod usage;

use clap::Parser;

use database::Database;
use options::{Options, Part};
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match options.sink {
            Some(port) => sink::run(port).await,
            None => measure(&options).await,
        }
    })
}

async fn measure(options: &Options) -> Result<()> {
    if options.observe {
        serve::observe();
    }
    let database = Database::start(options.statements).await?;
    println!("{}", database.settings().await?);
    let report = Report::new(&database, options).await?;
    let (mut share, mut exceeded) = (f64::INFINITY, Vec::new());
    if options.measures(Part::Receive) {
        report.add(&receive::measure(&database, options).await?)?;
    }
    if options.measures(Part::Apply) {
        let (section, smallest) = apply::measure(&database, options).await?;
        share = smallest;
        report.add(&section)?;
    }
    if options.measures(Part::Growth) {
        report.add(&growth::measure(&database, options).await?)?;
    }
    if options.measures(Part::Queue) {
        report.add(&queue::measure(&database, options).await?)?;
    }
    if options.measures(Part::Latency) {
        report.add(&latency::measure(&database, options).await?)?;
    }
    if options.measures(Part::Fetching) {
        report.add(&fetching::measure(&database, options).await?)?;
    }
    if options.measures(Part::Cost) {
        let (section, limits) = cost::measure(&database, options).await?;
        exceeded = limits;
        report.add(&section)?;
    }
    if options.measures(Part::Processes) {
        report.add(&processes::measure(&database, options).await?)?;
    }
    if options.measures(Part::Storage) {
        report.add(&storage::measure(&database, options).await?)?;
    }
    database.stop().await?;
    if !exceeded.is_empty() {
        return Err(exceeded.join("; ").into());
    }
    match options.minimum_share {
        Some(minimum) if share < minimum => {
            Err(format!("the workers apply {share:.2} of the floor, less than {minimum:.2}").into())
        }
        _ => Ok(()),
    }
}
