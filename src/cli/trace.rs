//! `trace`: what became of a quote, a trip, an RFQ, a delivery or a session.

use std::process::ExitCode;

use serde_json::json;

use super::error::CliError;
use super::operator::{Operator, OperatorCommandArgs};
use super::output::{print, print_json};
use super::table::{moment, or_dash, visible};
use crate::admin::trace::{Trace, TraceCause};
use crate::store::admin::trace::TraceTarget;

#[derive(Debug, clap::Args)]
pub struct TraceArgs {
    /// Avinode's id of a quote, an RFQ or a trip; the id of a delivery, a session or a row of `quotes`. Its type is looked up.
    #[arg(value_name = "ID")]
    pub id: String,

    #[command(flatten)]
    pub common: OperatorCommandArgs,
}

/// Ends with 1 if nothing is stored about the id.
pub async fn run(args: TraceArgs) -> Result<ExitCode, CliError> {
    let operator = Operator::open(&args.common.target).await?;
    let trace = operator.trace(&args.id).await;
    operator.close().await?;
    let Some(trace) = trace? else {
        let unknown = CliError::plain(format!("{:?} is the id of nothing that is stored", visible(&args.id)));
        return Err(unknown.hint("a quote, RFQ or trip of Avinode, a delivery, a session, or a row of quotes"));
    };
    let code = match trace.story.is_empty() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    };
    if args.common.json {
        print_json(&json!(trace))?;
        return Ok(code);
    }
    print(heading(&trace))?;
    for entry in trace.story {
        let at = or_dash(entry.at.map(moment));
        print(format_args!("{at:<20}  {:<9}  {}", entry.step, visible(&entry.text)))?;
    }
    print("")?;
    for TraceCause { of, text } in trace.causes {
        print(visible(&format!("cause  {of}: {text}")))?;
    }
    Ok(code)
}

fn heading(trace: &Trace) -> String {
    let (what, id) = match &trace.target {
        TraceTarget::Delivery(id) => ("delivery", id.to_string()),
        TraceTarget::Session(id) => ("session", id.to_string()),
        TraceTarget::Quote(id) => ("quote", id.clone()),
        TraceTarget::Rfq(id) => ("RFQ", id.clone()),
        TraceTarget::Trip(id) => ("trip", id.clone()),
    };
    let others: Vec<&str> = trace
        .trips
        .iter()
        .filter(|trip| **trip != id)
        .map(String::as_str)
        .collect();
    let trips = match others[..] {
        [] => String::new(),
        _ => format!(", trip {}", others.join(" = ")),
    };
    visible(&format!("{what} {id}{trips}"))
}
