//! Receiving: durable deliveries a second, beside the same server without a database, and beside pgbench with the same rows.

use crate::Result;
use crate::client::flood;
use crate::database::Database;
use crate::options::Options;
use crate::pgbench;
use crate::report::Section;
use crate::samples::Samples;
use crate::serve::Serve;

pub const CONNECTIONS: usize = 64;
pub const TRIPS: usize = 1_000;

pub async fn measure(database: &Database, options: &Options) -> Result<Section> {
    let seconds = options.sized(5, 1);
    let (mut received, mut p99s, mut echoed, mut inserted) = <(Samples, Samples, Samples, Samples)>::default();
    let (mut of_echoed, mut of_inserted) = <(Samples, Samples)>::default();
    for round in 1..=options.rounds() {
        database.clear().await?;
        let serve = Serve::start(&database.url(), "receive", 0).await?;
        let durable = flood(serve.port, CONNECTIONS, seconds, TRIPS, 0).await?;
        serve.stop().await?;
        let sink = Serve::start_sink().await?;
        let without = flood(sink.port, CONNECTIONS, seconds, TRIPS, 0).await?;
        sink.stop().await?;
        database.clear().await?;
        let inserts = pgbench::run(database, CONNECTIONS, seconds)?;
        println!(
            "receive, round {round}: {:.0} deliveries/s, {:.0}/s without a database, pgbench {inserts:.0}/s",
            durable.rate, without.rate
        );
        received.push(durable.rate);
        p99s.push(durable.latencies.percentile(99.0));
        echoed.push(without.rate);
        inserted.push(inserts);
        of_echoed.push(durable.rate / without.rate);
        of_inserted.push(durable.rate / inserts);
    }
    let mut section = Section::new(
        "receive",
        format!("{CONNECTIONS} connections, each with one request at a time, for {seconds} s."),
        &["figure", "measured"],
    );
    section.row([
        "deliveries/s, each answered after its commit".into(),
        received.to_string(),
    ]);
    section.row(["p99 of the answer".into(), format!("{p99s} ms")]);
    section.row([
        "requests/s of the same server without a database".into(),
        echoed.to_string(),
    ]);
    section.row([
        "the same rows by pgbench, one of each table per transaction, prepared".into(),
        inserted.to_string(),
    ]);
    section.row(["deliveries ÷ requests without a database".into(), of_echoed.to_string()]);
    section.row(["deliveries ÷ pgbench".into(), of_inserted.to_string()]);
    Ok(section)
}
