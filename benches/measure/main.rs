//! Measures the figures in `benches/RESULTS.md`: `make bench`, or `make bench ARGS='apply --rounds 1'` for a part.
//!
//! Not a micro-benchmark harness: the figures are about processes, so real ones are measured from outside. The release binary
//! serves from a private, durable cluster; the load comes from this process, on the same cores. See docs/benchmarks.md.

mod apply;
mod backlog;
mod database;
mod floor;
mod options;
mod report;
mod samples;
mod serve;
mod usage;

use clap::Parser;

use database::Database;
use options::{Options, Part};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let options = Options::parse();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(measure(&options))
}

async fn measure(options: &Options) -> Result<()> {
    let database = Database::start(options.statements).await?;
    println!("{}", database.settings().await?);
    if options.measures(Part::Apply) {
        let (section, share) = apply::measure(&database, options).await?;
        println!("\n{}", section.markdown());
        if let Some(minimum) = options.minimum_share.filter(|minimum| share < *minimum) {
            return Err(format!("the workers apply {share:.2} of the floor, less than {minimum:.2}").into());
        }
    }
    database.stop().await
}
