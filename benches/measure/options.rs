//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    Receive,
    Apply,
    Growth,
    Queue,
    Latency,
    Fetching,
    Cost,
    Processes,
    Storage,
}

/// Measures avinode-ingest on this machine, with a private Postgres.
#[derive(Debug, Clone, Parser)]
pub struct Options {
    /// The parts to measure; all of them if none is named.
    #[arg(value_enum)]
    parts: Vec<Part>,

    /// Measurements of each figure, in turn with the figures that it is compared with.
    #[arg(long)]
    rounds: Option<usize>,

    /// Measures everything once and small, to check that it works. Writes no results.
    #[arg(long)]
    pub short: bool,

    /// Events of the part `apply`.
    #[arg(long)]
    events: Option<usize>,

    /// Numbers of trips over which the part `apply` spreads its events.
    #[arg(long, value_delimiter = ',')]
    trips: Vec<usize>,

    /// Events a second of the part `latency`.
    #[arg(long, value_delimiter = ',')]
    rates: Vec<usize>,

    /// Events that wait behind the measured ones, in the part `growth`.
    #[arg(long)]
    waiting: Option<usize>,

    /// Deliveries of the past, in the part `growth`.
    #[arg(long)]
    stored: Option<usize>,

    /// Prints the most expensive statements of each run of the workers (pg_stat_statements, which takes some time itself).
    #[arg(long)]
    pub statements: bool,

    /// The services log at `info`, with spans, and serve metrics, which are scraped every second.
    #[arg(long)]
    pub observe: bool,

    /// Fails if the workers apply less than this share of the floor.
    #[arg(long, value_name = "RATIO")]
    pub minimum_share: Option<f64>,

    /// The file whose sections of the measured parts are replaced. A short run writes none unless it is named.
    #[arg(long)]
    results: Option<PathBuf>,

    /// Is the server without a database, on this port of the loopback address.
    #[arg(long, hide = true)]
    pub sink: Option<u16>,

    /// Passed by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub fn measures(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    /// One value for a full run, one for a short run.
    pub fn sized<T>(&self, full: T, short: T) -> T {
        if self.short { short } else { full }
    }

    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(self.sized(5, 1))
    }

    pub fn events(&self) -> usize {
        self.events.unwrap_or(self.sized(100_000, 10_000))
    }

    pub fn trips(&self) -> Vec<usize> {
        match self.trips.is_empty() {
            true => self.sized(vec![1_000, 10_000], vec![1_000]),
            false => self.trips.clone(),
        }
    }

    pub fn rates(&self) -> Vec<usize> {
        match self.rates.is_empty() {
            true => self.sized(vec![100, 500, 1_000], vec![100]),
            false => self.rates.clone(),
        }
    }

    pub fn waiting(&self) -> usize {
        self.waiting.unwrap_or(self.sized(1_000_000, 2_000))
    }

    pub fn stored(&self) -> usize {
        self.stored.unwrap_or(self.sized(5_000_000, 20_000))
    }

    /// The file of results to write, if any.
    pub fn results(&self) -> Option<PathBuf> {
        let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md");
        self.results.clone().or((!self.short).then_some(default))
    }
}
